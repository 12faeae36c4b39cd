"""Those who come by car or bicycle: entered, changed and removed by accounting (R114)."""

from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select

from commuter_service.actions.audit_trail import add_audit_entry
from commuter_service.allowance_models import EmployeeCar
from commuter_service.passes.allowances import car_of, cars_of
from commuter_service.queries import employee_by_id
from commuter_service.request_context import RequestContext
from commuter_service.rules.commute_allowance import CarCommute, checked_car
from shared.concurrency import check_version
from shared.http import NotFound
from shared.trace_context import new_id


async def add_car(ctx: RequestContext, employee_id: str, car: CarCommute) -> EmployeeCar:
    """Enter one. Raises NotFound, FormErrors."""
    employee = await employee_by_id(ctx.tx, ctx.dealer_id, employee_id)
    made = EmployeeCar(
        car_id=new_id(), dealer_id=ctx.dealer_id, employee_id=employee.employee_id, version=0
    )
    return await _kept(ctx, made, car, {})


async def change_car(
    ctx: RequestContext, car_id: UUID, car: CarCommute, version: int
) -> EmployeeCar:
    """Change one. Raises NotFound, VersionConflict, FormErrors."""
    found = await _locked(ctx, car_id, version)
    return await _kept(ctx, found, car, _said(found))


async def remove_car(ctx: RequestContext, car_id: UUID, version: int) -> None:
    """Remove one that was entered by mistake; the trail keeps it."""
    found = await _locked(ctx, car_id, version)
    await ctx.tx.execute(delete(EmployeeCar).where(EmployeeCar.car_id == car_id))
    add_audit_entry(ctx, car_id, found.employee_id, "remove_car_commute", before=_said(found))


async def _locked(ctx: RequestContext, car_id: UUID, version: int) -> EmployeeCar:
    one = EmployeeCar.car_id == car_id, EmployeeCar.dealer_id == ctx.dealer_id
    found = await ctx.tx.scalar(select(EmployeeCar).where(*one).with_for_update())
    if found is None:
        raise NotFound
    check_version(found.version, version)
    return found


async def _kept(
    ctx: RequestContext, row: EmployeeCar, car: CarCommute, before: dict[str, Any]
) -> EmployeeCar:
    """Two at once for one employee: the second waits, and sees what the first entered."""
    lock = func.pg_advisory_xact_lock(func.hashtext(f"car:{row.employee_id}"))
    await ctx.tx.execute(select(lock))
    others = await cars_of(ctx.tx, ctx.dealer_id, row.employee_id)
    checked_car(car, [car_of(one) for one in others if one.car_id != row.car_id])
    row.version += 1
    row.first_month, row.last_month = car.first_month, car.last_month
    row.km10, row.monthly_yen = car.km10, car.monthly_yen
    ctx.tx.add(row)
    await ctx.tx.flush()
    after = _said(row)
    add_audit_entry(ctx, row.car_id, row.employee_id, "car_commute", before=before, after=after)
    return row


def _said(row: EmployeeCar) -> dict[str, Any]:
    last = f"{row.last_month:%Y-%m}" if row.last_month else None
    months = {"first_month": f"{row.first_month:%Y-%m}", "last_month": last}
    return {**months, "km10": row.km10, "monthly_yen": row.monthly_yen}
