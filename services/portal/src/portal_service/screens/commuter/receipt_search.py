"""領収書の検索: receipts of submitted slips by date, amount and payee, and their files (R102)."""

from fastapi import APIRouter, Request, Response

from portal_service import formatting
from portal_service.api_client import FieldError, QueryValue, client_of
from portal_service.rendering import render
from portal_service.screens.commuter.desk import ACCOUNTING
from portal_service.screens.commuter.passes import EXPENSES
from portal_service.service_api import commuter

pages = APIRouter(prefix="/commuter/receipts")

FIELDS = ("first", "last", "least_yen", "most_yen", "payee")


@pages.get("", dependencies=[ACCOUNTING])
async def search_receipts(request: Request) -> Response:
    """The receipts, the latest upload first, with what they were searched by."""
    typed = {name: request.query_params.get(name, "").strip() for name in FIELDS}
    wanted: dict[str, QueryValue] = {"payee": typed["payee"]}
    errors = []
    for name in ("first", "last"):
        try:
            day = formatting.read_day(typed[name])
            wanted[name] = day.isoformat() if day else None
        except formatting.NotReadable as unreadable:
            errors.append(FieldError(name, str(unreadable)))
    for name in ("least_yen", "most_yen"):
        try:
            wanted[name] = formatting.read_yen(typed[name])
        except formatting.NotReadable as unreadable:
            errors.append(FieldError(name, str(unreadable)))
    found: commuter.FoundReceipts = {"items": [], "before": None}
    if not errors:
        before = request.query_params.get("before", "")
        found = (await commuter.find_receipts(client_of(request), **wanted, before=before)).body
    return await render(
        request,
        "commuter/receipt_search.html",
        status=422 if errors else 200,
        found=found,
        values=typed,
        errors=errors,
    )


@pages.get("/{receipt_id}/{number}", dependencies=[EXPENSES])
async def download_receipt(request: Request, receipt_id: str, number: int) -> Response:
    """The file, as the service hands it out: a picture, or a download."""
    return await commuter.download_receipt(client_of(request), receipt_id, number)
