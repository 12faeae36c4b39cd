"""Accounting's desk: slips of a filter, their sums by status, and one page of them (R90).

The list, its totals and 一括精算 use the same conditions: settled is what was shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service.models import Employee, Slip, SlipItem
from commuter_service.queries import Conditions, slips_of_company
from commuter_service.rules.month_closing import last_day_of
from commuter_service.rules.slip_approval import SlipStatus


@dataclass(frozen=True, slots=True)
class DeskFilter:
    """What accounting looks for; `month` is its first day, the amounts belong to the range."""

    month: date | None = None
    employee_id: str | None = None
    store_code: str | None = None
    kind: str | None = None
    from_yen: int | None = None
    to_yen: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Sums:
    """How many slips there are, and what they claim."""

    count: int
    total_yen: int


TOTAL = func.sum(SlipItem.amount_yen)
Place = tuple[datetime, UUID]
"""Where a page ended: the slips after it were submitted earlier."""


def desk_slips(dealer_id: str, wanted: DeskFilter, status: SlipStatus | None = None) -> Conditions:
    """The submitted slips of a company that fit a filter."""
    found = slips_of_company(dealer_id, status)
    if wanted.month is not None:
        found = (*found, has_item_in(wanted.month))
    if wanted.employee_id is not None:
        found = (*found, Slip.employee_id == wanted.employee_id)
    if wanted.store_code is not None:
        found = (*found, Slip.employee_id.in_(_employees(Employee.store_code == wanted.store_code)))
    if wanted.kind is not None:
        found = (*found, Slip.kind == wanted.kind)
    if wanted.from_yen:
        found = (*found, Slip.slip_id.in_(_with_total(wanted.from_yen <= TOTAL)))
    if wanted.to_yen is not None:  # a slip without items claims 0
        found = (*found, Slip.slip_id.not_in(_with_total(wanted.to_yen < TOTAL)))
    if words := wanted.text.strip():
        named = Slip.employee_id.in_(_employees(Employee.name.icontains(words, autoescape=True)))
        titled = Slip.title.icontains(words, autoescape=True)
        found = (*found, titled | Slip.purpose.icontains(words, autoescape=True) | named)
    return found


def has_item_in(month: date) -> ColumnElement[bool]:
    """Whether a slip has an item dated in a month."""
    dated = SlipItem.item_on.between(month, last_day_of(month))
    return exists().where(SlipItem.slip_id == Slip.slip_id, dated)


async def sums_by_status(tx: AsyncSession, wanted: Conditions) -> Mapping[SlipStatus, Sums]:
    """Count and sum of these slips, by their status; items are added up without their slips."""
    these = select(Slip.slip_id, Slip.status).where(*wanted).cte("these")
    counted = (
        select(these.c.status, func.count().label("slips")).group_by(these.c.status).subquery()
    )
    items = select(these.c.status, TOTAL.label("yen")).join_from(
        these, SlipItem, SlipItem.slip_id == these.c.slip_id
    )
    added = items.group_by(these.c.status).subquery()
    rows = await tx.execute(
        select(counted.c.status, counted.c.slips, func.coalesce(added.c.yen, 0)).outerjoin(
            added, added.c.status == counted.c.status
        )
    )
    return {SlipStatus(status): Sums(count, int(yen)) for status, count, yen in rows}


async def page_of_slips(
    tx: AsyncSession, wanted: Conditions, after: Place | None, size: int
) -> Sequence[Slip]:
    """At most `size` slips, the latest submission first, from behind a place on."""
    place = tuple_(Slip.submitted_at, Slip.slip_id)
    asked = select(Slip).where(*wanted)
    if after is not None:
        asked = asked.where(place < tuple_(*after))
    newest_first = asked.order_by(Slip.submitted_at.desc(), Slip.slip_id.desc()).limit(size)
    return (await tx.execute(newest_first)).scalars().all()


async def slips_unchanged_since(
    tx: AsyncSession, wanted: Conditions, seen_at: datetime, limit: int
) -> Sequence[tuple[UUID, int]]:
    """Id and version of these slips, the oldest first, without what changed after it was seen."""
    asked = select(Slip.slip_id, Slip.version).where(*wanted, Slip.updated_at <= seen_at)
    rows = await tx.execute(asked.order_by(Slip.submitted_at, Slip.slip_id).limit(limit))
    return [(slip_id, version) for slip_id, version in rows]


def _with_total(condition: ColumnElement[bool]) -> Select[UUID]:
    return select(SlipItem.slip_id).group_by(SlipItem.slip_id).having(condition)


def _employees(condition: ColumnElement[bool]) -> Select[str]:
    return select(Employee.employee_id).where(condition)
