"""Work of a person among the applications, each count by the same keys as the list behind it."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text

from returns_service.actor import Person, RequestContext
from returns_service.mapping import return_facts
from returns_service.progress_list_query import Page, ProgressRow, count_of, search
from returns_service.rules.progress_list import (
    DEALERS_TURN,
    REMANDED,
    TO_APPROVE,
    ProgressSearch,
    last_change_of_stale,
)
from returns_service.rules.return_status import Status, Tab
from shared.pending_work import REMANDS_SHOWN, RemandedWork, Work, WorkCount
from shared.roles import Role

_REASONS = text("""
    SELECT DISTINCT ON (application_id) application_id, said, actor_name, at
    FROM history line
    WHERE application_id = ANY(:ids) AND action = 'remand' AND line_id > (
        SELECT max(line_id) FROM history sending
        WHERE sending.application_id = line.application_id AND action IN ('submit', 'correct'))
    ORDER BY application_id, said IS NULL, line_id DESC
""")
"""Of each application the last remand since it was sent; one with a reason before one without."""


class _Remand(NamedTuple):
    application_id: str
    comment: str | None
    actor_name: str
    at: datetime


@dataclass(frozen=True)
class Counted:
    """One count: what it is called, and the keys of its rows."""

    key: str
    label: str
    keys: ProgressSearch
    waits: bool = True

    @property
    def filter(self) -> dict[str, str | list[str]]:
        """The keys under the names of the list's address."""
        statuses = [status.value for status in Status if status in self.keys.statuses]
        named: dict[str, str | list[str]] = {"status": statuses}
        if self.keys.updated_to_on:
            named["updated_to"] = self.keys.updated_to_on.isoformat()
        if self.keys.own:
            named["own"] = "true"
        if self.keys.left_on:
            named["left"] = "true"
        return named


def waiting_keys(statuses: Collection[Status] | None = None) -> ProgressSearch:
    """The keys of what waits for the person who asks, in these statuses or in any."""
    asked = frozenset(DEALERS_TURN).intersection(statuses or DEALERS_TURN)
    return ProgressSearch(statuses=asked, waiting=True)


def approves(person: Person) -> bool:
    """Whether a person approves at all, for themselves or for another."""
    return any(actor.role in {Role.MANAGER, Role.HQ} for actor in person.actors)


def to_approve(row: ProgressRow) -> bool:
    """Whether what waits with a row is an approval; else its originator corrects it."""
    facts = return_facts(row)
    return not facts.route.is_with_originator(facts.status)


async def work_of(ctx: RequestContext) -> Work:
    """All the counts of the person who acts, and the newest remands with their reasons."""
    listed = _of_tfc() if ctx.who.self_actor.role is Role.TFC else _of_dealer(ctx)
    counts = [
        WorkCount(
            key=one.key,
            label=one.label,
            count=await count_of(ctx.tx, ctx.who, one.keys, Tab.CURRENT),
            waits=one.waits,
            filter=one.filter,
        )
        for one in listed
    ]
    counts = [one for one in counts if one.count or one.key != "left"]
    some = any(one.key == "remanded" and one.count for one in counts)
    return Work(counts=counts, remanded=await _remanded(ctx) if some else [])


def _of_dealer(ctx: RequestContext) -> Iterator[Counted]:
    if approves(ctx.who):
        yield Counted("to_approve", "承認待ちの申込", waiting_keys(TO_APPROVE))
    yield Counted("remanded", "差戻しされた申込", waiting_keys(REMANDED))
    stale = ProgressSearch(
        statuses=frozenset(DEALERS_TURN),
        updated_to_on=last_change_of_stale(ctx.today),
        own=ctx.who.self_actor.role is Role.SALES,
    )
    if ctx.who.self_actor.role is Role.HQ:
        yield Counted("left", "退職者がいて進まない申込", ProgressSearch(left_on=ctx.today))
    yield Counted("stale", "7日以上動きのない申込", stale, waits=False)


def _of_tfc() -> Iterator[Counted]:
    kinds = (
        ("requested", "依頼中の申込", Status.REQUESTED),
        ("processing", "対応中の申込", Status.TFC_PROCESSING),
        ("contact", "連絡事項入力中の申込", Status.TFC_CONTACT),
        ("hold", "保留中の申込", Status.TFC_HOLD),
    )
    for key, label, status in kinds:
        waits = status is Status.REQUESTED
        yield Counted(key, label, ProgressSearch(statuses=frozenset({status})), waits)


async def _remanded(ctx: RequestContext) -> list[RemandedWork]:
    keys = waiting_keys(REMANDED)
    rows = await search(ctx.tx, ctx.who, keys, Tab.CURRENT, Page(REMANDS_SHOWN))
    found = await ctx.tx.execute(_REASONS, {"ids": [row.application_id for row in rows]})
    remands = {remand.application_id: remand for remand in map(_Remand._make, found)}
    return [_shown(row, remands.get(row.application_id)) for row in rows]


def _shown(row: ProgressRow, remand: _Remand | None) -> RemandedWork:
    return RemandedWork(
        subject_id=row.application_id,
        title=row.customer_name,
        note=row.contract_no,
        comment=remand.comment if remand else None,
        by=remand.actor_name if remand else None,
        at=remand.at if remand else None,
    )
