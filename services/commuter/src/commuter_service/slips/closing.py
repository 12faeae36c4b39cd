"""A month before and after its closing: its state, and who has not submitted what belongs to it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service.models import Employee, MonthClosing, Slip
from commuter_service.rules.month_closing import month_of
from commuter_service.rules.slip_approval import AT_HOME, SlipStatus
from commuter_service.slips.desk import DeskFilter, Sums, desk_slips, has_item_in, sums_by_status

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Unsubmitted:
    """An employee with slips of a month that are not submitted."""

    employee_id: str
    name: str
    store_code: str | None
    slips: int


async def closed_months(
    tx: AsyncSession, dealer_id: str, days: Iterable[date | None]
) -> Sequence[date]:
    """Which months of these days are closed."""
    months = {month_of(day) for day in days if day is not None}
    asked = select(MonthClosing.month).where(
        MonthClosing.dealer_id == dealer_id, MonthClosing.month.in_(months), MonthClosing.closed
    )
    return (await tx.execute(asked.order_by(MonthClosing.month))).scalars().all()


async def closing_of(tx: AsyncSession, dealer_id: str, month: date) -> MonthClosing:
    """The state of a month; open with version 0 where nobody ever closed it."""
    return await tx.get(MonthClosing, (dealer_id, month)) or MonthClosing(
        dealer_id=dealer_id,
        month=month,
        version=0,
        closed=False,
        changed_at=NEVER,
        changed_by="",
        changed_by_name="",
        reason=None,
    )


async def closings_since(
    tx: AsyncSession, dealer_id: str, month: date
) -> Mapping[date, MonthClosing]:
    """The months that were ever closed, from one on."""
    rows = await tx.execute(
        select(MonthClosing).where(MonthClosing.dealer_id == dealer_id, MonthClosing.month >= month)
    )
    return {one.month: one for one in rows.scalars()}


async def unsubmitted_by_owner(
    tx: AsyncSession, dealer_id: str, month: date
) -> Sequence[Unsubmitted]:
    """Who has slips of a month that are drafts, remanded or withdrawn, by employee number."""
    at_home = Slip.status.in_([one.value for one in AT_HOME])
    rows = await tx.execute(
        select(Employee.employee_id, Employee.name, Employee.store_code, func.count())
        .join(Slip, Slip.employee_id == Employee.employee_id)
        .where(Slip.dealer_id == dealer_id, at_home, has_item_in(month))
        .group_by(Employee.employee_id, Employee.name, Employee.store_code)
        .order_by(Employee.employee_id)
    )
    return [Unsubmitted(*row) for row in rows]


async def sums_of_month(tx: AsyncSession, dealer_id: str, month: date) -> Mapping[SlipStatus, Sums]:
    """Count and sum of the submitted slips with an item in a month, by status."""
    return await sums_by_status(tx, desk_slips(dealer_id, DeskFilter(month=month)))
