"""手入力 instead of 乗換案内: an item takes over what was typed into the look-up (R41)."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from portal_service.api_client import client_of
from portal_service.form_data import FormFields, form_fields_of
from portal_service.rendering import announce
from portal_service.screens.commuter.passes import EXPENSES
from portal_service.service_api import commuter

pages = APIRouter(prefix="/commuter/slips/{slip_id}/items/{item_id}", dependencies=[EXPENSES])

STATIONS = ("start", "via", "via_2", "via_3", "end")


@pages.post("/by-hand")
async def enter_by_hand(request: Request, slip_id: str, item_id: str) -> Response:
    """「金額を手入力する」: the item keeps section and day; the amount is typed on the slip."""
    fields, services = await form_fields_of(request), client_of(request)
    slip = (await commuter.show_slip(services, slip_id)).body
    if item_id not in [one["item_id"] for one in slip["items"]]:
        raise HTTPException(404)
    body: commuter.SlipBody = {
        "title": slip["title"],
        "purpose": slip["purpose"],
        "trip_from": slip["trip_from"],
        "trip_to": slip["trip_to"],
        "items": [
            _by_hand(one, fields) if one["item_id"] == item_id else _kept(one)
            for one in slip["items"]
        ],
    }
    await commuter.save_slip(services, slip_id, body, version=fields.version)
    response = RedirectResponse(f"/commuter/slips/{slip_id}#item-{item_id}", 303)
    announce(request, response, "手入力の明細にしました。金額を入力してください。", kind="note")
    return response


def _kept(item: commuter.SlipItemAnswer) -> commuter.ItemBody:
    """An item as a form sends it that leaves it as it is."""
    body: commuter.ItemBody = {
        "item_id": item["item_id"],
        "item_on": item["item_on"],
        "purpose": item["purpose"],
        "receipt": item["receipt"],
    }
    if item["source"] == "typed":
        body |= {"words": item["words"], "amount_yen": item["amount_yen"]}
    return body


def _by_hand(item: commuter.SlipItemAnswer, fields: FormFields) -> commuter.ItemBody:
    section = "―".join(name for station in STATIONS if (name := fields.text(station)))
    return_trip = "（往復）" if fields.text("round_trip") == "yes" else ""
    body = _kept(item) | {"words": section + return_trip}
    if day := fields.day("on"):
        body["item_on"] = day
    return body
