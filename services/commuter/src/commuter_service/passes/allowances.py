"""The allowances of a company's people in a month, from their passes and cars (R112-R115)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service.actions.pass_prices import prices_in
from commuter_service.allowance_models import EmployeeCar, PassPrice
from commuter_service.models import Employee, Pass, PassVersion
from commuter_service.rules.commute_allowance import (
    CarCommute,
    Payment,
    Taxed,
    car_payments,
    pass_payments,
    taxed_payments,
)
from commuter_service.rules.commute_tax import public_limit
from commuter_service.rules.month_closing import last_day_of
from commuter_service.rules.pass_price import PassPrices
from fare_engine.routing.route_words import section_of


@dataclass(frozen=True, slots=True)
class Allowance:
    """What an employee is paid in a month."""

    employee: Employee
    payments: Sequence[Taxed]

    @property
    def pass_yen(self) -> int:
        """For passes."""
        return sum(one.payment.yen for one in self.payments if not one.payment.by_car)

    @property
    def car_yen(self) -> int:
        """By car or bicycle."""
        return sum(one.payment.yen for one in self.payments if one.payment.by_car)

    @property
    def free_yen(self) -> int:
        """Free of tax."""
        return sum(one.free_yen for one in self.payments)

    @property
    def taxable_yen(self) -> int:
        """The rest."""
        return sum(one.taxable_yen for one in self.payments)


@dataclass(frozen=True, slots=True)
class _Dated:
    from_on: date
    prices: PassPrices


async def allowances_in(tx: AsyncSession, dealer_id: str, month: date) -> list[Allowance]:
    """Everybody who is paid in a month, also who has left since. Raises NoLimitOnMonth."""
    public_limit(month)
    until = last_day_of(month)
    payments: defaultdict[str, list[Payment]] = defaultdict(list)
    for employee_id, paid in await _of_passes(tx, dealer_id, until):
        payments[employee_id] += paid
    for row in await cars_of(tx, dealer_id):
        payments[row.employee_id] += car_payments(car_of(row), until)
    people = select(Employee).where(Employee.employee_id.in_(payments))
    found = (await tx.execute(people.order_by(Employee.employee_id))).scalars()
    listed = [Allowance(one, taxed_payments(payments[one.employee_id], month)) for one in found]
    return [one for one in listed if one.payments]


async def cars_of(
    tx: AsyncSession, dealer_id: str, employee_id: str | None = None
) -> Sequence[EmployeeCar]:
    """Those who come by car, by employee and month."""
    wanted = select(EmployeeCar).where(EmployeeCar.dealer_id == dealer_id)
    if employee_id is not None:
        wanted = wanted.where(EmployeeCar.employee_id == employee_id)
    ordered = wanted.order_by(EmployeeCar.employee_id, EmployeeCar.first_month)
    return (await tx.execute(ordered)).scalars().all()


def car_of(row: EmployeeCar) -> CarCommute:
    """As the rules read it."""
    return CarCommute(row.first_month, row.last_month, row.km10, row.monthly_yen)


async def _of_passes(
    tx: AsyncSession, dealer_id: str, until: date
) -> list[tuple[str, list[Payment]]]:
    """What is paid for each pass in force that has prices."""
    rows: defaultdict[UUID, list[_Dated]] = defaultdict(list)
    priced = select(PassPrice).where(PassPrice.dealer_id == dealer_id)
    for price in (await tx.execute(priced.order_by(PassPrice.from_on))).scalars():
        rows[price.pass_id].append(_Dated(price.from_on, prices_in(price)))
    in_force = (
        select(Pass.employee_id, PassVersion)
        .join(PassVersion, PassVersion.pass_id == Pass.pass_id)
        .where(Pass.dealer_id == dealer_id, PassVersion.number == Pass.confirmed)
    )
    return [
        (
            employee_id,
            list(
                pass_payments(
                    one.starts_on, one.ends_on, rows[one.pass_id], until, section_of(one.route)
                )
            ),
        )
        for employee_id, one in (await tx.execute(in_force)).all()
    ]
