"""Which applications does 進捗一覧 show to a person, and how many are there? D98-D108, D142."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from returns_service.people import Person
from returns_service.rules.return_list import (
    ProgressSearch,
    name_key,
    number_key,
    updated_between,
)
from returns_service.rules.return_status import Status, Tab

_COLUMNS = """
    SELECT application_id, dealer_id, store_code, contract_no, customer_name, originator_id,
           originator_name, originator_role, levels, status, status_version, version,
           entered_at, requested_at, updated_at
    FROM application WHERE
"""
_NEWEST_FIRST = " ORDER BY updated_at DESC, application_id DESC LIMIT :limit"


@dataclass(frozen=True)
class Page:
    """Which part of the rows is asked for: `limit` rows after the last one of the page before."""

    limit: int
    after: "After | None" = None


@dataclass(frozen=True)
class After:
    """The last row of the page before."""

    updated_at: datetime
    application_id: str


def visible_to(person: Person) -> tuple[list[str], dict[str, object]]:
    """The conditions on rows of `application` that `person` sees, with their values."""
    dealer = person.himself.dealer_code
    if dealer is None:
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


async def search(
    tx: AsyncSession,
    person: Person,
    keys: ProgressSearch,
    tab: Tab | None,
    page: Page,
) -> Sequence[Row[Any]]:
    """The page of rows that satisfy every key, newest first; raises SearchPeriodReversed."""
    conditions, values = visible_to(person)
    after = page.after
    start_at, end_at = updated_between(keys)
    name, number = name_key(keys.customer_name or ""), number_key(keys.contract_no or "")
    wanted: list[tuple[object, str, dict[str, object]]] = [
        (tab, "is_past = :past", {"past": tab is Tab.PAST}),
        (keys.statuses, "status = ANY(:statuses)", {"statuses": [s.value for s in keys.statuses]}),
        (number, "contract_key = :number", {"number": number}),
        (name, "strpos(name_key, :name) > 0", {"name": name}),
        (start_at, "updated_at >= :start_at", {"start_at": start_at}),
        (end_at, "updated_at < :end_at", {"end_at": end_at}),
        (
            after,
            "(updated_at, application_id) < (:after_at, :after_id)",
            {"after_at": after.updated_at, "after_id": after.application_id} if after else {},
        ),
    ]
    for given, condition, its_values in wanted:
        if given:
            conditions.append(condition)
            values |= its_values
    sql = text(_COLUMNS + " AND ".join(conditions) + _NEWEST_FIRST)
    return (await tx.execute(sql, {**values, "limit": page.limit})).all()


async def in_statuses(
    tx: AsyncSession, person: Person, statuses: Collection[Status], *, limit: int
) -> Sequence[Row[Any]]:
    """The rows in these statuses that `person` sees, newest first, at most `limit`."""
    keys = ProgressSearch(statuses=frozenset(statuses))
    return await search(tx, person, keys, Tab.CURRENT, Page(limit))


async def count_by_status(tx: AsyncSession, person: Person) -> dict[Status, int]:
    """How many applications `person` sees, by status; a status without any is left out (D106)."""
    conditions, values = visible_to(person)
    sql = text(  # conditions are constants of this file
        "SELECT status, count(*) AS n FROM application WHERE "  # noqa: S608
        + " AND ".join(conditions)
        + " GROUP BY status"
    )
    return {Status(row.status): row.n for row in await tx.execute(sql, values)}
