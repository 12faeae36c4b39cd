"""経理: submitted slips by tab and filter, and 一括精算 with a result per slip (R90, R91)."""

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response
from starlette.datastructures import QueryParams

from portal_service import formatting
from portal_service.api_client import FieldError, Problem, ServiceClient, client_of
from portal_service.confirmation import Confirmation, confirm
from portal_service.form_data import FormFields, form_fields_of
from portal_service.rendering import render
from portal_service.screens.commuter.passes import FORM_STATUSES
from portal_service.service_api import commuter
from shared.auth import Role, require

ACCOUNTING = require(Role.EXPENSE_ADMIN)
pages = APIRouter(prefix="/commuter/desk", dependencies=[ACCOUNTING])

DESK = ("精算書の管理", "/commuter/desk")
TABS = {"pending": "承認待ち", "approved": "精算待ち", "settled": "精算済み", "remanded": "差戻し"}
KINDS = (
    ("transport", "交通費精算"),
    ("trip_request", "出張申請"),
    ("trip", "出張精算"),
    ("overseas_trip_request", "海外出張申請"),
    ("overseas_trip", "海外出張精算"),
    ("expense", "経費精算"),
    ("payment_request", "支払依頼"),
)
CHOSEN = ("employee_id", "store_code", "kind", "text")
Filter = dict[str, str | int]


@pages.get("")
async def show_desk(request: Request) -> Response:
    """The tab 精算待ち at first; every filter keeps the tab."""
    return await _desk(request, request.query_params)


@pages.post("/settlements")
async def settle_slips(request: Request) -> Response:
    """精算 of the ticked slips, or of all that the filter shows, after a question."""
    fields = await form_fields_of(request)
    services, ticked = client_of(request), fields.picked("slip")
    settles_all = fields.text("do") == "all"
    if not (ticked or settles_all):
        error = FieldError("", "精算する精算書を選んでください。")
        return await _desk(request, QueryParams(fields.text("here")), error)
    if not fields.confirmed:
        return await _ask(request, fields, settles_all=settles_all, ticked=len(ticked))
    body: commuter.SettlementsBody
    if settles_all:
        wanted, _ = read_filter(QueryParams(fields.text("here")))
        body = {"all_of": {**wanted, "as_of": fields.text("as_of")}}  # type: ignore[typeddict-item]
    else:
        body = {"slips": [{"slip_id": one, "version": version} for one, version in ticked]}
    try:
        done = await commuter.settle_many(services, body, idempotency_key=fields.idempotency_key)
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        return await _desk(request, QueryParams(fields.text("here")), problem.on_form[0])
    return await render(
        request, "commuter/desk_settled.html", done=done.body, here=fields.text("here")
    )


def read_filter(entered: QueryParams) -> tuple[Filter, list[FieldError]]:
    """The filter of a query string as the service takes it, and what of it cannot be read."""
    wanted: Filter = {name: value for name in CHOSEN if (value := entered.get(name, "").strip())}
    errors: list[FieldError] = []
    try:
        if month := formatting.read_month(entered.get("month", "")):
            wanted["month"] = f"{month:%Y-%m}"
    except formatting.NotReadable as fact:
        errors.append(FieldError("month", str(fact)))
    for name in ("from_yen", "to_yen"):
        try:
            if (yen := formatting.read_yen(entered.get(name, ""))) is not None:
                wanted[name] = yen
        except formatting.NotReadable as fact:
            errors.append(FieldError(name, str(fact)))
    return wanted, errors


async def _desk(
    request: Request, entered: QueryParams, refused: FieldError | None = None
) -> Response:
    services = client_of(request)
    wanted, errors = read_filter(entered)
    status = entered.get("status", "approved")
    asked = status if status in TABS else None
    found, after = None, entered.get("after")
    try:
        if not errors:
            found = await commuter.list_slips_of_company(
                services, **wanted, status=asked, after=after
            )
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        errors += problem.on_form
    people = (await commuter.list_employees(services)).body["items"]
    here = {**_kept(entered), "status": asked or "all"}
    return await render(
        request,
        "commuter/desk.html",
        status=422 if refused or errors else 200,
        found=found.body if found else None,
        tab=asked or "all",
        tabs=_tabs(found.body if found else None),
        here=here,
        filtered=any(value for name, value in here.items() if name != "status"),
        people=[(one["employee_id"], one["name"]) for one in people],
        stores=sorted(
            {(one["store_code"], one["store_code"]) for one in people if one["store_code"]}
        ),
        kinds=KINDS,
        later_page=after is not None,
        values=dict(entered),
        errors=[refused] if refused else errors,
    )


def _kept(entered: QueryParams) -> dict[str, str]:
    names = (*CHOSEN, "month", "from_yen", "to_yen")
    return {name: entered[name] for name in names if entered.get(name)}


def _tabs(found: commuter.DeskSlips | None) -> list[tuple[str, str, int | None]]:
    counts: Mapping[str, int] = (
        {one["status"]: one["count"] for one in found["tabs"]} if found else {}
    )
    return [(key, words, counts.get(key)) for key, words in TABS.items()] + [
        ("all", "すべて", None)
    ]


async def _ask(request: Request, fields: FormFields, *, settles_all: bool, ticked: int) -> Response:
    facts: list[tuple[str, object]] = [("件数", formatting.count(ticked))]
    if settles_all:
        found = await _waiting(client_of(request), fields)
        facts = [
            ("件数", formatting.count(found["count"])),
            ("合計", formatting.yen(found["total_yen"])),
        ]
    question = Confirmation(
        title="一括精算",
        sentence="精算待ちの精算書をまとめて精算します。よろしいですか。",
        action=f"{DESK[1]}/settlements",
        back=f"{DESK[1]}?{fields.text('here')}",
        kept=fields.kept(),
        facts=facts,
        notes=["画面を開いたあとに変更された精算書は、精算されずに残ります。"],
        crumbs=[DESK],
    )
    return await confirm(request, question, fields=fields)


async def _waiting(services: ServiceClient, fields: FormFields) -> commuter.DeskSlips:
    wanted, _ = read_filter(QueryParams(fields.text("here")))
    found = await commuter.list_slips_of_company(services, **wanted, status="approved", size=1)
    return found.body
