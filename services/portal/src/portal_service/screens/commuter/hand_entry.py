"""手入力 instead of 乗換案内: an item takes over what was typed into the look-up."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from portal_service.api_client import client_of
from portal_service.form_data import FormFields, form_fields_of
from portal_service.rendering import announce
from portal_service.screens.commuter.look_up_refusals import FIELDS
from portal_service.screens.commuter.passes import EXPENSES
from portal_service.screens.commuter.slip_undo import form_of, kept_item, memento
from portal_service.service_api import commuter

pages = APIRouter(prefix="/commuter/slips/{slip_id}/items/{item_id}", dependencies=[EXPENSES])


@pages.post("/by-hand")
async def enter_by_hand(request: Request, slip_id: str, item_id: str) -> Response:
    """「金額を手入力する」: the item keeps section and day; the amount is typed on the slip."""
    fields, services = await form_fields_of(request), client_of(request)
    slip = (await commuter.show_slip(services, slip_id)).body
    if item_id not in [one["item_id"] for one in slip["items"]]:
        raise HTTPException(404)
    items = [
        _by_hand(one, fields) if one["item_id"] == item_id else kept_item(one)
        for one in slip["items"]
    ]
    await commuter.save_slip(services, slip_id, form_of(slip, items), version=fields.version)
    where = f"/commuter/slips/{slip_id}"
    response = RedirectResponse(f"{where}#item-{item_id}", 303)
    words = "手入力の明細に変更しました。金額を入力してください。"
    announce(request, response, words, kind="note", undo=(f"{where}/undo", memento(slip, item_id)))
    return response


def _by_hand(item: commuter.SlipItemAnswer, fields: FormFields) -> commuter.ItemBody:
    section = "―".join(name for station in FIELDS if (name := fields.text(station)))
    return_trip = "（往復）" if fields.text("round_trip") == "yes" else ""
    body = kept_item(item)
    body |= {"words": section + return_trip, "amount_yen": None, "by_hand": True}
    if day := fields.day("on"):
        body["item_on"] = day
    return body
