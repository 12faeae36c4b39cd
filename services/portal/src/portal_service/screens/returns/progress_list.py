"""進捗一覧: tabs, counts, search keys, statuses with 適用, 開く (D98-D110)."""

import asyncio

from fastapi import APIRouter, Request, Response
from starlette.datastructures import QueryParams

from portal_service.access_log import Action, Note, note
from portal_service.api_client import (
    FieldError,
    Problem,
    QueryValue,
    ServiceClient,
    ServiceResponse,
    ServiceUnavailable,
    client_of,
    or_missing,
)
from portal_service.formatting import NotReadable, read_day
from portal_service.rendering import render
from portal_service.search_words import range_words, search_words
from portal_service.service_api import returns
from shared.auth import Role, require

pages = APIRouter(dependencies=[require(Role.SALES, Role.MANAGER, Role.HQ)])
tfc_pages = APIRouter(dependencies=[require(Role.TFC)])

Found = ServiceResponse[returns.PageAnswer] | ServiceUnavailable | None
KINDS = (
    ("VEHICLE_RETURN", "車両返却"),
    ("ADDRESS_CHANGE", "住所変更"),
    ("NAME_CHANGE", "氏名変更"),
    ("OTHER", "その他"),
)
STATUSES = (
    ("STORE_PENDING", "店舗承認者手続中"),
    ("HQ_PENDING", "本部承認者手続中"),
    ("STAFF_REMANDED", "担当者手続中（差戻）"),
    ("STORE_REMANDED", "店舗承認者手続中（差戻）"),
    ("HQ_REMANDED", "本部承認者手続中（差戻）"),
    ("REQUESTED", "依頼中"),
    ("TFC_PROCESSING", "TFC対応中（取下げ・訂正NG）"),
    ("TFC_CONTACT", "TFC連絡事項入力中"),
    ("TFC_HOLD", "TFC対応保留"),
    ("COMPLETED", "完了"),
    ("WITHDRAWN", "取下げ"),
)
GROUP_STATUSES = {
    "DEALER_IN_PROGRESS": ["STORE_PENDING", "HQ_PENDING"],
    "DEALER_REMANDED": ["STAFF_REMANDED", "STORE_REMANDED", "HQ_REMANDED"],
    "REQUESTED": ["REQUESTED"],
    "TFC_IN_PROGRESS": ["TFC_PROCESSING", "TFC_CONTACT", "TFC_HOLD"],
    "COMPLETED": ["COMPLETED"],
    "WITHDRAWN": ["WITHDRAWN"],
}
"""The statuses of each display group (D104), for the links of the counts."""
NAMED = ("customer_name", "contract_no", "reception_no")
DAYS = ("updated_from", "updated_to")


@pages.get("/returns")
async def show_progress(request: Request) -> Response:
    """契約内容変更受付 進捗一覧 of the dealer."""
    return await _list(request, "returns/list.html", path="/returns")


@tfc_pages.get("/tfc/requests")
async def show_requests(request: Request) -> Response:
    """依頼受付: what dealers sent; the oldest work of TFC is 依頼中."""
    return await _list(request, "tfc/requests.html", path="/tfc/requests")


async def _list(request: Request, template: str, *, path: str) -> Response:
    entered = request.query_params
    services = client_of(request)
    errors: list[FieldError] = []
    statuses = entered.getlist("tick" if "apply" in entered else "status")
    tab = entered.get("tab", "current")
    own, left = entered.get("own", ""), entered.get("left", "")
    query = _keys(entered, errors)
    query |= {"tab": tab, "status": statuses, "own": own, "left": left}
    (found, errors), counts = await asyncio.gather(
        _searched(services, query, errors), or_missing(returns.count_applications(services))
    )
    hit = isinstance(found, ServiceResponse) and found.body["items"]
    if isinstance(found, ServiceResponse):
        note(request, Note(Action.CUSTOMERS_LISTED, row_count=len(found.body["items"])))
    names = ("kind", "customer_name", "contract_no", "reception_no", "own", "left", *DAYS)
    here = {name: entered[name] for name in names if entered.get(name)} | {"status": statuses}
    return await render(
        request,
        template,
        values=dict(entered),
        errors=errors,
        path=path,
        tab=tab,
        found=found,
        counts=counts,
        kinds=KINDS,
        all_statuses=STATUSES,
        group_statuses=GROUP_STATUSES,
        statuses=statuses,
        here=here,
        own=own,
        left=left,
        searched=_words(entered, statuses) if hit else "",
    )


async def _searched(
    services: ServiceClient, query: dict[str, QueryValue], errors: list[FieldError]
) -> tuple[Found, list[FieldError]]:
    """What was found, or what is wrong with the fields; `errors` are those known before."""
    if errors:
        return None, errors
    try:
        return await or_missing(returns.list_applications(services, **query)), []
    except Problem as problem:
        if problem.status != 422:  # noqa: PLR2004
            raise
        return None, _at_fields(problem)


def _words(entered: QueryParams, statuses: list[str]) -> str:
    """The conditions of a search in one line; a list is there without any, too."""
    updated = range_words(entered.get("updated_from", ""), entered.get("updated_to", ""))
    parts = [
        *(label for code, label in KINDS if code == entered.get("kind")),
        *(label for code, label in STATUSES if code in statuses),
        *(entered[name] for name in NAMED if entered.get(name)),
        f"最終更新 {updated}" if updated else "",
        "自分が起票した申込だけ" if entered.get("own") else "",
        "退職者がいて進まない申込だけ" if entered.get("left") else "",
    ]
    return search_words("検索条件", *parts) if any(parts) else "検索条件：なし"


def _at_fields(problem: Problem) -> list[FieldError]:
    """A refusal beside its field: a reversed period at its end."""
    if problem.code == "SEARCH_PERIOD_REVERSED":
        return [FieldError("updated_to", problem.words, problem.code)]
    return list(problem.on_form)


def _keys(entered: QueryParams, errors: list[FieldError]) -> dict[str, QueryValue]:
    names = ("kind", "customer_name", "contract_no", "reception_no", "cursor")
    keys: dict[str, QueryValue] = {name: entered.get(name, "") for name in names}
    for name in DAYS:
        try:
            day = read_day(entered.get(name, ""))
        except NotReadable as unreadable:
            errors.append(FieldError(name, str(unreadable)))
        else:
            keys[name] = day.isoformat() if day else ""
    return keys
