"""Progress list (進捗一覧) query: what a person sees, searched and counted (D98-D108, D142)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from returns_service.actor import Person
from returns_service.departed_conditions import NEEDS_SUCCESSOR
from returns_service.rules.approval_route import Level
from returns_service.rules.progress_list import (
    ApplicationKind,
    ProgressSearch,
    name_grams,
    name_key,
    number_key,
    reception_key,
    updated_between,
)
from returns_service.rules.return_status import Status, Tab
from returns_service.rules.return_visibility import Actor
from shared.roles import Role

Values = dict[str, object]
MOST_NAMED = 1000
"""A name that more applications may have is common."""
NAMED = text("SELECT applications_named(:grams, :most)")

_RETURNS = """
    SELECT 'VEHICLE_RETURN' AS kind, application_id, dealer_id, store_code, contract_no,
           customer_name, originator_id, originator_name, originator_role, levels, status,
           status_version, version, entered_at, requested_at, updated_at
    FROM application WHERE
"""
_CHANGES = """
    SELECT kind, change_id AS application_id, dealer_id, store_code, contract_no,
           customer_name, '' AS originator_id, 'TFC' AS originator_name, '' AS originator_role,
           '{}'::text[] AS levels, status,
           0 AS status_version, 0 AS version, updated_at AS entered_at, requested_at, updated_at
    FROM change_application WHERE
"""
_APPROVED_BY = {Role.MANAGER: Level.STORE, Role.HQ: Level.HQ}
_REMANDED_TO = """(originator_id = :originator_{place} AND (originator_role, status) IN
    (('sales', 'STAFF_REMANDED'), ('manager', 'STORE_REMANDED'), ('hq', 'HQ_REMANDED')))"""
_AT_LEVEL = """(status IN {statuses} AND '{level}' = ANY(levels)
    AND originator_id <> ALL(:themselves_{place}))"""
_STATUS_OF = "SELECT status FROM {table} WHERE {where}"
_NEWEST_FIRST = " ORDER BY updated_at DESC, application_id DESC LIMIT :limit"


class ProgressRow(NamedTuple):
    """A row of 進捗一覧, its columns in the order of both statements."""

    kind: str
    application_id: str
    dealer_id: str
    store_code: str
    contract_no: str
    customer_name: str
    originator_id: str
    originator_name: str
    originator_role: str
    levels: list[str]
    status: str
    status_version: int
    version: int
    entered_at: datetime
    requested_at: datetime | None
    updated_at: datetime


@dataclass(frozen=True)
class Page:
    """Which part of the rows is asked for: `limit` rows after the last one of the page before.

    Without a limit, all of them.
    """

    limit: int | None
    after: "After | None" = None


@dataclass(frozen=True)
class After:
    """The last row of the page before."""

    updated_at: datetime
    application_id: str


def visible_to(person: Person) -> tuple[list[str], Values]:
    """The conditions on rows of `application` that `person` sees, with their values."""
    dealer = person.self_actor.dealer_code
    if person.self_actor.role is Role.TFC:
        return ["requested_at IS NOT NULL"], {}
    stores = person.stores
    if stores is None:
        return ["dealer_id = :dealer"], {"dealer": dealer}
    if len(stores) == 1:
        return ["dealer_id = :dealer", "store_code = :store"], {
            "dealer": dealer,
            "store": next(iter(stores)),
        }
    return ["dealer_id = :dealer", "store_code = ANY(:stores)"], {
        "dealer": dealer,
        "stores": list(stores),
    }


@lru_cache(maxsize=512)
def _statement(sql: str) -> TextClause:
    """Parsed once: there are as many as there are ways to combine keys."""
    return text(sql)


async def search(
    tx: AsyncSession, person: Person, keys: ProgressSearch, tab: Tab | None, page: Page
) -> Sequence[ProgressRow]:
    """The page of rows that satisfy every key, newest first; raises SearchPeriodReversed."""
    sql, values = rows_wanted(person, keys, tab, page, await _named(tx, keys))
    found = await tx.execute(_statement(sql), values) if sql else ()
    return [ProgressRow._make(row) for row in found]


async def count_of(tx: AsyncSession, person: Person, keys: ProgressSearch, tab: Tab | None) -> int:
    """How many rows `search` finds on all its pages together."""
    sql, values = rows_wanted(person, keys, tab, Page(limit=None), await _named(tx, keys))
    if not sql:
        return 0
    counted = _statement(f"SELECT count(*) FROM ({sql}) AS found")  # noqa: S608
    return int((await tx.execute(counted, values)).scalar_one())


async def _named(tx: AsyncSession, keys: ProgressSearch) -> list[str] | None:
    """The applications that have the grams of the name; None where they are many, or none given.

    Many lie close together in the order of the list, so that reading along it soon fills a page.
    """
    if not (name := name_key(keys.customer_name or "")):
        return None
    values = {"grams": "\n".join(name_grams(name)), "most": MOST_NAMED + 1}
    found = list(await tx.scalars(NAMED, values))
    return found if len(found) <= MOST_NAMED else None


def rows_wanted(
    person: Person,
    keys: ProgressSearch,
    tab: Tab | None,
    page: Page,
    named: Collection[str] | None = None,
) -> tuple[str, Values]:
    """The statement of `search` with its values; empty where no row can be found.

    `named` are the applications that may have the name: only they are read.
    Every part runs along an index that has its rows in order: one part per table, and per ticked
    status or tab.
    """
    conditions, values = visible_to(person)
    narrowed = _narrowed(keys, page.after)
    if keys.waiting:
        narrowed.append(waits_for_any(person.actors))
    if keys.left_on:
        of_dealer = person.self_actor.role is not Role.TFC
        narrowed.append((NEEDS_SUCCESSOR if of_dealer else "FALSE", {"left_on": keys.left_on}))
    if keys.own:
        narrowed.append(("originator_id = :own_id", {"own_id": person.self_actor.user_id}))
    for condition, its_values in narrowed:
        conditions.append(condition)
        values |= its_values
    returns_only = (
        keys.waiting or keys.own or keys.left_on is not None
    )  # what TFC reports has no originator here
    values |= {"limit": page.limit, "kind": keys.kind.value if keys.kind else None}
    values |= {"named": list(named)} if named is not None else {}
    parts = []
    for share in _shares(keys.statuses, tab):
        wanted = " AND ".join([*conditions, share])
        if keys.kind in {None, ApplicationKind.VEHICLE_RETURN}:
            parts.append(_part(_RETURNS, "application", wanted, values))
        elsewhere = keys.kind is not ApplicationKind.VEHICLE_RETURN and not returns_only
        if elsewhere and person.self_actor.role is not Role.TFC:
            wanted += _of_kind(keys.kind)
            parts.append(_part(_CHANGES, "change_application", wanted, values))
    return " UNION ALL ".join(parts) + (_NEWEST_FIRST if parts[1:] else ""), values


def _shares(statuses: Collection[Status], tab: Tab | None) -> list[str]:
    """Which rows each part looks through: those of one ticked status, or all of a tab."""
    past = {Tab.CURRENT: "NOT is_past", Tab.PAST: "is_past"}
    if not statuses:
        return [past[one] for one in Tab if tab in {None, one}]
    ticked = sorted(status for status in statuses if tab in {None, status.group.tab})
    return [f"{past[status.group.tab]} AND status = '{status}'" for status in ticked]


def _part(columns: str, table: str, wanted: str, values: Values) -> str:
    """The first rows of one table.

    A name is looked for among the rows that may have it, which OFFSET 0 has PostgreSQL read first;
    or, if they are many, in the index of the list's order before any row is read.
    """
    key = "application_id" if table == "application" else "change_id"
    wanted, order = wanted.replace("application_id)", f"{key})"), f"updated_at DESC, {key} DESC"
    first = f"{wanted} ORDER BY {order} LIMIT :limit"
    if "named" in values:
        read = f"(SELECT * FROM {table} WHERE {key} = ANY(:named) OFFSET 0) AS {table}"  # noqa: S608
        columns = columns.replace(f"FROM {table} ", f"FROM {read} ")
    elif "name" in values:
        first = f"{key} IN (SELECT {key} FROM {table} WHERE {first}) ORDER BY {order}"  # noqa: S608
    return f"({columns}{first})"


def _of_kind(kind: ApplicationKind | None) -> str:
    return " AND kind = :kind" if kind else ""


def _narrowed(keys: ProgressSearch, after: After | None) -> list[tuple[str, Values]]:
    """The conditions of the keys that are given, with their values."""
    start_at, end_at = updated_between(keys)
    name, number = name_key(keys.customer_name or ""), number_key(keys.contract_no or "")
    reception = reception_key(keys.reception_no or "")
    wanted: list[tuple[object, str, Values]] = [
        (number, "contract_key = :number", {"number": number}),
        (keys.reception_no, "(application_id) = :reception", {"reception": reception}),
        (name, "strpos(name_key, :name) > 0", {"name": name}),
        (start_at, "updated_at >= :start_at", {"start_at": start_at}),
        (end_at, "updated_at < :end_at", {"end_at": end_at}),
        (
            after,
            "(updated_at, application_id) < (:after_at, :after_id)",
            {"after_at": after.updated_at, "after_id": after.application_id} if after else {},
        ),
    ]
    return [(condition, values) for given, condition, values in wanted if given]


def waits_for_any(actors: Sequence[Actor]) -> tuple[str, Values]:
    """The condition on rows of `application` that wait for one of `actors`, as `waits_for` says.

    An originator has what was remanded to them, an approver what lies at their level and was
    originated by another person.
    """
    parts: list[str] = []
    values: Values = {}
    for place, actor in enumerate(actors):
        held = [] if actor.acting_for else [_REMANDED_TO.format(place=place)]
        if actor.role in _APPROVED_BY:
            level = _APPROVED_BY[actor.role]
            held.append(_AT_LEVEL.format(place=place, level=level, statuses=_statuses_at(level)))
            values[f"themselves_{place}"] = [actor.user_id, actor.acting_for or actor.user_id]
        if not actor.acting_for:
            values[f"originator_{place}"] = actor.user_id
        seen = ""
        if actor.role is not Role.HQ:
            seen = f" AND store_code = :store_{place}"
            values[f"store_{place}"] = actor.store_code
        if held:
            parts.append(f"(({' OR '.join(held)}){seen})")
    return f"({' OR '.join(parts)})" if parts else "FALSE", values


def _statuses_at(level: Level) -> str:
    return f"('{level.pending}', '{level.remanded}')"


async def count_by_status(
    tx: AsyncSession, person: Person, kind: ApplicationKind | None
) -> dict[Status, int]:
    """How many applications `person` sees, by status; a status without any is left out (D106)."""
    sql, values = counts_wanted(person, kind)
    rows = await tx.execute(_statement(sql), values) if sql else ()
    return {Status(row.status): row.n for row in rows}


def counts_wanted(person: Person, kind: ApplicationKind | None) -> tuple[str, Values]:
    """The statement of `count_by_status` with its values; empty where there can be none."""
    conditions, values = visible_to(person)
    where = " AND ".join(conditions)
    parts = []
    if kind in {None, ApplicationKind.VEHICLE_RETURN}:
        parts.append(_STATUS_OF.format(table="application", where=where))
    if kind is not ApplicationKind.VEHICLE_RETURN and person.self_actor.role is not Role.TFC:
        where += _of_kind(kind)
        parts.append(_STATUS_OF.format(table="change_application", where=where))
        values["kind"] = kind.value if kind else None
    rows = " UNION ALL ".join(parts)
    sql = f"SELECT status, count(*) AS n FROM ({rows}) AS seen GROUP BY status"  # noqa: S608
    return sql if parts else "", values
