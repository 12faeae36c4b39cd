"""通勤手当: the list of a month with totals, its CSV, and who comes by car (R112-R116)."""

import re
from decimal import Decimal

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from portal_service import formatting
from portal_service.api_client import FieldError, Problem, client_of
from portal_service.confirmation import Confirmation, confirm
from portal_service.form_data import FormFields, FormValues, form_fields_of
from portal_service.rendering import render, see_other
from portal_service.screens.commuter.desk import ACCOUNTING
from portal_service.screens.commuter.pass_prices import yen_of
from portal_service.screens.commuter.passes import FORM_STATUSES, today_of
from portal_service.service_api import commuter

pages = APIRouter(prefix="/commuter", dependencies=[ACCOUNTING])

HOME = ("通勤手当", "/commuter/allowances")
CARS = ("マイカー等通勤", "/commuter/car-commutes")
KM = re.compile(r"(\d{1,4})(?:\.(\d))?(?:km)?", re.IGNORECASE)
KM_WORDS = "距離は 12.3 のように、小数第1位までの数字で入力してください。"


@pages.get("/allowances")
async def show_allowances(request: Request) -> Response:
    """A month's list: this month's without a choice."""
    month, wrong = _month(request)
    found = None
    try:
        if not wrong:
            found = (await commuter.show_allowances(client_of(request), month)).body
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        wrong = [FieldError("month", problem.title)]
    return await render(
        request,
        "commuter/allowances.html",
        status=422 if wrong else 200,
        found=found,
        values={"month": request.query_params.get("month", "") or month.replace("-", "/")},
        errors=wrong,
    )


@pages.get("/allowances/payroll.csv")
async def download_payroll(request: Request) -> Response:
    """The file for payroll."""
    month, wrong = _month(request)
    if wrong:
        raise HTTPException(404)
    return await commuter.download_payroll(client_of(request), month)


@pages.get("/car-commutes")
async def show_cars(request: Request) -> Response:
    """Everybody who comes by car or bicycle, and the form for another."""
    return await _cars(request)


@pages.post("/car-commutes")
async def add_car(request: Request) -> Response:
    """「登録」."""
    fields = await form_fields_of(request)
    try:
        body: commuter.NewCarBody = {**_typed(fields), "employee_id": fields.text("employee_id")}
        if not body["employee_id"]:
            fields.errors.append(FieldError("employee_id", "社員を選んでください。"))
        fields.refuse_unreadable()
        await commuter.add_car(client_of(request), body, idempotency_key=fields.idempotency_key)
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        return await _cars(request, fields, problem)
    return see_other(request, CARS[1], "マイカー等通勤を登録しました。")


@pages.get("/car-commutes/{car_id}")
async def show_car(request: Request, car_id: str) -> Response:
    """One, to be changed or removed."""
    return await _car(request, car_id)


@pages.post("/car-commutes/{car_id}")
async def change_car(request: Request, car_id: str) -> Response:
    """「保存」."""
    fields = await form_fields_of(request)
    try:
        body = _typed(fields)
        fields.refuse_unreadable()
        await commuter.change_car(client_of(request), car_id, body, version=fields.version)
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        return await _car(request, car_id, fields, problem)
    return see_other(request, CARS[1], "マイカー等通勤を保存しました。")


@pages.post("/car-commutes/{car_id}/removal")
async def remove_car(request: Request, car_id: str) -> Response:
    """「削除」, after a question."""
    fields = await form_fields_of(request)
    if not fields.confirmed:
        question = Confirmation(
            title="マイカー等通勤の削除",
            sentence="この登録を削除します。支給が終わるだけの場合は、終了月を入力してください。",
            action=f"{CARS[1]}/{car_id}/removal",
            back=f"{CARS[1]}/{car_id}",
            kept=fields.kept(),
            danger=True,
            crumbs=[HOME, CARS],
        )
        return await confirm(request, question, fields=fields)
    await commuter.remove_car(client_of(request), car_id, version=fields.version)
    return see_other(request, CARS[1], "マイカー等通勤の登録を削除しました。")


def _month(request: Request) -> tuple[str, list[FieldError]]:
    """The month that is asked for, as ISO text."""
    try:
        read = formatting.read_month(request.query_params.get("month", ""))
    except formatting.NotReadable as unreadable:
        return "", [FieldError("month", str(unreadable))]
    return (read or today_of(request)).isoformat()[:7], []


def _typed(fields: FormFields) -> commuter.CarBody:
    """What was typed; required fields that are empty become errors beside them."""
    first, last = fields.month("first_month"), fields.month("last_month")
    yen, km10 = yen_of(fields, "monthly_yen"), _km10(fields)
    missing = {name for name in ("first_month", "monthly_yen", "km") if not fields.text(name)}
    for name in sorted(missing):
        fields.errors.append(FieldError(name, "入力してください。"))
    return {
        "first_month": first or "",
        "last_month": last,
        "km10": km10,
        "monthly_yen": yen or 0,
    }


def _km10(fields: FormFields) -> int:
    text = formatting.plain(fields.text("km"))
    if not text:
        return 0
    if not (found := KM.fullmatch(text)):
        fields.errors.append(FieldError("km", KM_WORDS))
        return 0
    return int(found[1]) * 10 + int(found[2] or 0)


async def _cars(
    request: Request, fields: FormFields | None = None, problem: Problem | None = None
) -> Response:
    services = client_of(request)
    people = (await commuter.list_employees(services)).body["items"]
    return await render(
        request,
        "commuter/car_commutes.html",
        status=problem.status if problem else 200,
        cars=(await commuter.list_cars(services)).body["items"],
        people=[(one["employee_id"], one["name"]) for one in people],
        crumbs=[HOME],
        values=fields.values() if fields else {},
        errors=problem.on_form if problem else (),
    )


async def _car(
    request: Request,
    car_id: str,
    fields: FormFields | None = None,
    problem: Problem | None = None,
) -> Response:
    cars = (await commuter.list_cars(client_of(request))).body["items"]
    one = next((one for one in cars if one["car_id"] == car_id), None)
    if one is None:
        raise HTTPException(404)
    stored: FormValues = {
        "first_month": one["first_month"].replace("-", "/"),
        "last_month": (one["last_month"] or "").replace("-", "/"),
        "km": f"{Decimal(one['km10']) / 10}",
        "monthly_yen": str(one["monthly_yen"]),
    }
    return await render(
        request,
        "commuter/car_commute.html",
        status=problem.status if problem else 200,
        one=one,
        crumbs=[HOME, CARS],
        version=fields.version if fields else f'"{one["version"]}"',
        values=fields.values() if fields else stored,
        errors=problem.on_form if problem else (),
    )
