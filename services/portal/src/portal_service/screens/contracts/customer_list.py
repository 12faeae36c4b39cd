"""最終回対象顧客一覧: three search panels, coloured rows, 顧客詳細, CSV (D5-D45)."""

import asyncio
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from portal_service.access_log import Action, Note, note
from portal_service.api_client import (
    FieldError,
    FormRefused,
    Problem,
    QueryValue,
    ServiceClient,
    ServiceResponse,
    ServiceUnavailable,
    client_of,
    or_missing,
)
from portal_service.formatting import NotReadable, read_month
from portal_service.rendering import render, see_other
from portal_service.screens.dropdowns import (
    Pairs,
    every_store,
    products_to_choose,
    vehicles_to_choose,
)
from portal_service.search_words import chosen_words, range_words, search_words
from portal_service.service_api import contracts
from shared.auth import Principal, Role, require

DealerStaff = Annotated[Principal, require(Role.SALES, Role.MANAGER, Role.HQ)]
pages = APIRouter(prefix="/contracts", dependencies=[require(Role.SALES, Role.MANAGER, Role.HQ)])

KEYS = {
    "individual": ("registration_no", "customer_name", "contract_no"),
    "general": (
        *("final_from", "final_to", "model_code", "status", "product", "colour", "staff_code"),
        *("staff_left", "store_code", "due"),
    ),
    "inspection": ("inspection_type", "months_from", "months_to"),
}
MONTHS = ("final_from", "final_to")
STATUSES = (
    ("blank", "未入力（空欄）"),
    ("early_payoff", "早期完済"),
    ("cash_settlement", "現金決済"),
    ("re_split", "再分割"),
    ("vehicle_return", "車両返却"),
    ("open", "対応未完了"),
    ("completed", "対応完了"),
)
LEFT = (("true", "退職した担当者のお客様（未完了）"),)
COLOURS = (
    ("red", "赤：2か月未満・未完了"),
    ("yellow", "黄：4か月未満・未完了"),
    ("grey", "灰：期日経過"),
    ("green", "緑：他店舗から異動"),
    ("blue", "青：TFC対応"),
)
Found = ServiceResponse[contracts.SearchAnswer] | ServiceUnavailable | None
DUE_STATES = (
    ("urgent_red", "2か月未満・未完了"),
    ("urgent_yellow", "4か月未満・未完了"),
    ("overdue_open", "期日経過・未完了"),
    ("overdue_to_30", "期日経過30日まで・未完了"),
    ("overdue_to_60", "期日経過31～60日・未完了"),
    ("overdue_to_90", "期日経過61～90日・未完了"),
    ("overdue_longer", "期日経過90日超・未完了"),
)
INSPECTIONS = (("first", "初回車検"), ("second", "２回目車検"), ("third", "３回目車検"))


@pages.get("")
async def show_list(request: Request, who: DealerStaff) -> Response:
    """The search panels; below them what the pressed 「検索」 found."""
    services, entered = client_of(request), dict(request.query_params)
    mode = entered.get("mode", "")
    (found, errors), vehicles, products, stores = await asyncio.gather(
        _searched(services, mode, entered),
        vehicles_to_choose(services),
        products_to_choose(services),
        every_store(services),
    )
    hit = isinstance(found, ServiceResponse) and found.body["rows"]
    if isinstance(found, ServiceResponse):
        note(request, Note(Action.CUSTOMERS_LISTED, row_count=len(found.body["rows"])))
    return await render(
        request,
        "contracts/list.html",
        values=entered,
        errors=errors,
        mode=mode or "individual",
        found=found,
        here=entered,
        folded_to=_words(mode, entered, vehicles, products, stores) if hit else "",
        vehicles=vehicles,
        products=products,
        stores=stores if who.has(Role.HQ) else (),
        due_states=DUE_STATES,
        statuses=STATUSES,
        colours=COLOURS,
        left=LEFT,
        inspections=INSPECTIONS,
    )


async def _searched(
    services: ServiceClient, mode: str, entered: dict[str, str]
) -> tuple[Found, list[FieldError]]:
    """What the pressed 「検索」 found, or what is wrong with the fields; neither without one."""
    errors: list[FieldError] = []
    query = _conditions(mode, entered, errors) if mode else {}
    if not mode or errors:
        return None, errors
    try:
        return await or_missing(contracts.search_contracts(services, **query)), []
    except Problem as problem:
        if problem.status != 422:  # noqa: PLR2004
            raise
        fields = KEYS.get(mode, ("",))
        return None, [
            error if error.field in fields else replace(error, field=fields[0])
            for error in problem.on_form
        ]


@pages.get("/detail")
async def open_detail(
    request: Request, contract: Annotated[str, Query()] = "", back: Annotated[str, Query()] = ""
) -> Response:
    """「顧客詳細」 of the selected row; without one it stays on the list (D35)."""
    if contract:
        return RedirectResponse(f"/contracts/{contract}", 303)
    return see_other(
        request,
        f"/contracts?{back}" if back else "/contracts",
        "対象の契約を選んでから「顧客詳細」を押してください。",
        kind="warning",
    )


@pages.get(".csv", dependencies=[require(Role.MANAGER, Role.HQ)])
async def save_list(request: Request) -> Response:
    """顧客リスト（csv）出力 of the same search, without the limit (D4, D19)."""
    entered = dict(request.query_params)
    errors: list[FieldError] = []
    query = _conditions(entered.get("mode", ""), entered, errors)
    return await contracts.export_customer_list(client_of(request), **query)


@pages.get(".xlsx", dependencies=[require(Role.MANAGER, Role.HQ)])
async def save_excel_list(request: Request) -> Response:
    """顧客リスト（Excel）出力 of the same search (D4, D19); too many rows lead back to the list."""
    entered = dict(request.query_params)
    query = _conditions(entered.get("mode", ""), entered, [])
    try:
        return await contracts.export_excel_list(client_of(request), **query)
    except FormRefused as problem:
        if problem.code != "TOO_MANY_FOR_EXCEL":
            raise
        here = f"/contracts?{request.url.query}"
        return see_other(request, here, problem.words, kind="warning")


def _words(
    mode: str, entered: dict[str, str], vehicles: Pairs, products: Pairs, stores: Pairs
) -> str:
    """The search in one line: 汎用検索：～2027/12、プリウス."""

    def typed(name: str) -> str:
        return entered.get(name, "").strip()

    match mode:
        case "individual":
            return search_words("個別契約検索", *map(typed, KEYS[mode]))
        case "general":
            staff = typed("staff_code")
            return search_words(
                "汎用検索",
                range_words(typed("final_from"), typed("final_to")),
                chosen_words(typed("model_code"), vehicles),
                chosen_words(typed("status"), STATUSES),
                chosen_words(typed("product"), products),
                chosen_words(typed("colour"), COLOURS),
                f"スタッフ {staff}" if staff else "",
                chosen_words(typed("staff_left"), LEFT),
                chosen_words(typed("store_code"), stores),
                chosen_words(typed("due"), DUE_STATES),
            )
    return search_words(
        "車検軸検索",
        chosen_words(typed("inspection_type"), INSPECTIONS),
        range_words(typed("months_from"), typed("months_to"), "ヶ月"),
    )


def _conditions(
    mode: str, entered: dict[str, str], errors: list[FieldError]
) -> dict[str, QueryValue]:
    """The query of the pressed panel; months are read as people type them."""
    query: dict[str, QueryValue] = {"mode": mode, "sort": entered.get("sort", "")}
    for name in KEYS.get(mode, ()):
        query[name] = entered.get(name, "")
        if name in MONTHS:
            try:
                month = read_month(entered.get(name, ""))
            except NotReadable as unreadable:
                errors.append(FieldError(name, str(unreadable)))
            else:
                query[name] = f"{month:%Y-%m}" if month else ""
    return query
