"""Which applications does 進捗一覧 show to a person, and how many are there? D98-D108, D142."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from returns_service.people import Person
from returns_service.rules.return_list import (
    ApplicationKind,
    ProgressSearch,
    name_key,
    number_key,
    updated_between,
)
from returns_service.rules.return_status import Role, Status, Tab

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
_STATUS_OF = "SELECT status FROM {table} WHERE {where}"
_NEWEST_FIRST = " ORDER BY updated_at DESC, application_id DESC LIMIT :limit"
_CHANGES_FIRST = " ORDER BY updated_at DESC, change_id DESC LIMIT :limit"


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
    if person.himself.role is Role.TFC:
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
    for condition, its_values in _narrowed(keys, tab, page.after):
        conditions.append(condition)
        values |= its_values
    wanted = " AND ".join(conditions)
    parts = []
    if keys.kind in {None, ApplicationKind.VEHICLE_RETURN}:
        parts.append(_RETURNS + wanted + _NEWEST_FIRST)
    if keys.kind is not ApplicationKind.VEHICLE_RETURN and person.himself.role is not Role.TFC:
        changes = _CHANGES + wanted.replace("application_id)", "change_id)")
        parts.append(changes + (" AND kind = :kind" if keys.kind else "") + _CHANGES_FIRST)
        values["kind"] = keys.kind.value if keys.kind else None
    if not parts:
        return []
    sql = parts[0] if len(parts) == 1 else f"({parts[0]}) UNION ALL ({parts[1]}) {_NEWEST_FIRST}"
    return (await tx.execute(text(sql), {**values, "limit": page.limit})).all()


def _narrowed(
    keys: ProgressSearch, tab: Tab | None, after: After | None
) -> list[tuple[str, dict[str, object]]]:
    """The conditions of the keys that are given, with their values."""
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
    return [(condition, values) for given, condition, values in wanted if given]


async def in_statuses(
    tx: AsyncSession, person: Person, statuses: Collection[Status], *, limit: int
) -> Sequence[Row[Any]]:
    """The rows in these statuses that `person` sees, newest first, at most `limit`."""
    keys = ProgressSearch(kind=ApplicationKind.VEHICLE_RETURN, statuses=frozenset(statuses))
    return await search(tx, person, keys, Tab.CURRENT, Page(limit))


async def count_by_status(
    tx: AsyncSession, person: Person, kind: ApplicationKind | None
) -> dict[Status, int]:
    """How many applications `person` sees, by status; a status without any is left out (D106)."""
    conditions, values = visible_to(person)
    where = " AND ".join(conditions)
    parts = []
    if kind in {None, ApplicationKind.VEHICLE_RETURN}:
        parts.append(_STATUS_OF.format(table="application", where=where))
    if kind is not ApplicationKind.VEHICLE_RETURN and person.himself.role is not Role.TFC:
        of_kind = " AND kind = :kind" if kind else ""
        parts.append(_STATUS_OF.format(table="change_application", where=where + of_kind))
        values["kind"] = kind.value if kind else None
    if not parts:
        return {}
    rows = " UNION ALL ".join(parts)
    sql = text(f"SELECT status, count(*) AS n FROM ({rows}) AS seen GROUP BY status")  # noqa: S608
    return {Status(row.status): row.n for row in await tx.execute(sql, values)}
