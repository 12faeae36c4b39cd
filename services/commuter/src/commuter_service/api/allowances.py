"""通勤手当: what is paid in a month, its tax-free part, CSV for payroll, and cars (R112-R116)."""

from datetime import date
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel

from commuter_service.actions import car_commutes as actions
from commuter_service.allowance_models import EmployeeCar
from commuter_service.api.dependencies import (
    ACCOUNTING,
    Body,
    Ctx,
    Key,
    Responses,
    Text,
    Version,
)
from commuter_service.api.pass_bodies import Number
from commuter_service.api.slip_desk import Month, MonthInPath, first_of
from commuter_service.exports.payroll_file import payment_words, payroll_csv
from commuter_service.passes.allowances import Allowance, allowances_in, cars_of
from commuter_service.queries import employee_names
from commuter_service.request_context import RequestContext
from commuter_service.rules.commute_allowance import CarCommute
from commuter_service.rules.commute_tax import NoLimitOnMonth, bands_in, public_limit
from shared.http import etag, idempotent
from shared.refusals import refuses

router = APIRouter(prefix="/accounting", dependencies=[ACCOUNTING])

CSV: Responses = {200: {"content": {"text/csv": {}}}}


class AllowancePayment(BaseModel):
    """One payment: for what, and its parts."""

    words: str
    yen: int
    free_yen: int
    taxable_yen: int


class AllowanceSums(BaseModel):
    """Sums of a person or of everybody."""

    pass_yen: int
    car_yen: int
    free_yen: int
    taxable_yen: int


class AllowanceLine(AllowanceSums):
    """What a person is paid in the month."""

    employee_id: str
    number: str
    name: str
    payments: list[AllowancePayment]


class TaxBand(BaseModel):
    """The limit of a one-way distance by car: `from_km` belongs to it, `to_km` does not."""

    from_km: int
    to_km: int | None
    yen: int


class MonthlyAllowances(BaseModel):
    """The list of a month; `left`: people who have left and whose pass or car goes on."""

    month: str
    public_limit_yen: int
    bands: list[TaxBand]
    total: AllowanceSums
    items: list[AllowanceLine]
    left: list[str]


class CarBody(Body):
    """By car or bicycle: months, one-way distance in tenths of a kilometre, yen a month."""

    first_month: Month
    last_month: Month | None = None
    km10: Number
    monthly_yen: Number

    def typed(self) -> CarCommute:
        """As the rules read it."""
        last = first_of(self.last_month) if self.last_month else None
        return CarCommute(first_of(self.first_month), last, self.km10, self.monthly_yen)


class NewCarBody(CarBody):
    """The same for an employee."""

    employee_id: Text


class CarAnswer(BaseModel):
    """Somebody who comes by car or bicycle."""

    car_id: str
    version: int
    employee_id: str
    name: str
    first_month: str
    last_month: str | None
    km10: int
    monthly_yen: int


class Cars(BaseModel):
    """All of them."""

    items: list[CarAnswer]


@router.get("/allowances/{month:key}")
@refuses(NoLimitOnMonth)
async def show_allowances(month: MonthInPath, ctx: Ctx) -> MonthlyAllowances:
    """Who is paid what in a month, the tax-free and the taxable part."""
    on = first_of(month)
    here, left = await _people(ctx, on)
    return MonthlyAllowances(
        month=month,
        public_limit_yen=public_limit(on),
        bands=[TaxBand(from_km=low, to_km=high, yen=yen) for low, high, yen in bands_in(on)],
        total=AllowanceSums(
            pass_yen=sum(one.pass_yen for one in here),
            car_yen=sum(one.car_yen for one in here),
            free_yen=sum(one.free_yen for one in here),
            taxable_yen=sum(one.taxable_yen for one in here),
        ),
        items=[_line(ctx, one) for one in here],
        left=[one.employee.name for one in left],
    )


@router.get(
    "/allowances/{month:key}/payroll.csv",
    response_class=Response,
    responses=CSV,
)
@refuses(NoLimitOnMonth)
async def download_payroll(month: MonthInPath, ctx: Ctx) -> Response:
    """The same as a file for payroll."""
    on = first_of(month)
    here, _ = await _people(ctx, on)
    headers = {
        "Content-Disposition": f'attachment; filename="commuting-allowance-{month}.csv"',
        "X-Content-Type-Options": "nosniff",
    }
    content = payroll_csv(on, ctx.dealer_id, here)
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/car-commutes")
async def list_cars(ctx: Ctx) -> Cars:
    """Everybody who comes by car or bicycle."""
    rows = await cars_of(ctx.tx, ctx.dealer_id)
    names = await employee_names(ctx.tx, (row.employee_id for row in rows))
    return Cars(items=[_car(row, names) for row in rows])


@router.post("/car-commutes", status_code=201)
async def add_car(body: NewCarBody, ctx: Ctx, response: Response, key: Key = None) -> CarAnswer:
    """Enter somebody."""

    async def act() -> dict[str, object]:
        made = await actions.add_car(ctx, body.employee_id, body.typed())
        return (await _answer(ctx, made, response)).model_dump(mode="json")

    answer = await idempotent(
        ctx.tx, owner=ctx.employee_id, key=key, fingerprint=body.model_dump_json(), act=act
    )
    return CarAnswer.model_validate(answer)


@router.put("/car-commutes/{car_id}")
async def change_car(
    car_id: UUID, body: CarBody, version: Version, ctx: Ctx, response: Response
) -> CarAnswer:
    """Change months, distance or amount."""
    done = await actions.change_car(ctx, car_id, body.typed(), version)
    return await _answer(ctx, done, response)


@router.post("/car-commutes/{car_id}/removal", status_code=204)
async def remove_car(car_id: UUID, version: Version, ctx: Ctx) -> None:
    """Remove what was entered by mistake."""
    await actions.remove_car(ctx, car_id, version)


async def _people(ctx: RequestContext, month: date) -> tuple[list[Allowance], list[Allowance]]:
    """Who is paid, and who has left."""
    found = await allowances_in(ctx.tx, ctx.dealer_id, month)
    here = [one for one in found if one.employee.active]
    return here, [one for one in found if not one.employee.active]


def _line(ctx: RequestContext, one: Allowance) -> AllowanceLine:
    employee = one.employee
    return AllowanceLine(
        employee_id=employee.employee_id,
        number=employee.employee_id.removeprefix(f"{ctx.dealer_id}-"),
        name=employee.name,
        pass_yen=one.pass_yen,
        car_yen=one.car_yen,
        free_yen=one.free_yen,
        taxable_yen=one.taxable_yen,
        payments=[
            AllowancePayment(
                words=payment_words(paid),
                yen=paid.payment.yen,
                free_yen=paid.free_yen,
                taxable_yen=paid.taxable_yen,
            )
            for paid in one.payments
        ],
    )


async def _answer(ctx: RequestContext, row: EmployeeCar, response: Response) -> CarAnswer:
    response.headers.update(etag(row.version))
    return _car(row, await employee_names(ctx.tx, [row.employee_id]))


def _car(row: EmployeeCar, names: dict[str, str]) -> CarAnswer:
    return CarAnswer(
        car_id=str(row.car_id),
        version=row.version,
        employee_id=row.employee_id,
        name=names.get(row.employee_id, row.employee_id),
        first_month=f"{row.first_month:%Y-%m}",
        last_month=f"{row.last_month:%Y-%m}" if row.last_month else None,
        km10=row.km10,
        monthly_yen=row.monthly_yen,
    )
