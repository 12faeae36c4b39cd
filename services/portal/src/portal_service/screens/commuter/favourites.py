"""よく使う経路: the own favourite rides, added to a slip on another day (R132)."""

from fastapi import APIRouter, Request, Response

from portal_service.api_client import FieldError, Problem, client_of
from portal_service.form_data import FormFields, form_fields_of
from portal_service.rendering import render, see_other
from portal_service.screens.commuter.passes import EXPENSES, FORM_STATUSES
from portal_service.screens.commuter.slip_undo import form_of, kept_item
from portal_service.service_api import commuter

pages = APIRouter(prefix="/commuter/slips/{slip_id}/favourites", dependencies=[EXPENSES])


@pages.get("")
async def show_favourites(request: Request, slip_id: str) -> Response:
    """The rides to choose from, and the day."""
    return await _page(request, slip_id)


@pages.post("")
async def add_ride(request: Request, slip_id: str) -> Response:
    """「明細に追加」: the ride, priced for the day."""
    fields, services = await form_fields_of(request), client_of(request)
    day, chosen = fields.day("item_on"), fields.text("favourite")
    kept = (await commuter.list_favourites(services)).body["items"]
    ride = next((one for one in kept if one["favourite_id"] == chosen), None)
    if day is None and not fields.errors:
        fields.errors.append(FieldError("item_on", "日付を入力してください。"))
    if ride is None:
        fields.errors.append(FieldError("favourite", "経路を選択してください。"))
    try:
        fields.refuse_unreadable()
        assert ride is not None
        found = await commuter.show_slip(services, slip_id)
        added: commuter.ItemBody = {
            "item_on": day,
            "purpose": fields.text("purpose"),
            "look_up": {
                "on": day or "",
                "route": ride["route"],
                "medium": ride["medium"],
                "round_trip": ride["round_trip"],
            },
        }
        body = form_of(found.body, [*map(kept_item, found.body["items"]), added])
        await commuter.save_slip(services, slip_id, body, version=fields.version)
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        return await _page(request, slip_id, fields, problem)
    text = f"明細を追加しました（{ride['section']}）。"
    return see_other(request, f"/commuter/slips/{slip_id}#items", text)


@pages.post("/{favourite_id}/delete")
async def delete_favourite(request: Request, slip_id: str, favourite_id: str) -> Response:
    """「削除」 of a ride in the list; items that were made with it stay."""
    await form_fields_of(request)
    await commuter.delete_favourite(client_of(request), favourite_id)
    back = f"/commuter/slips/{slip_id}/favourites"
    return see_other(request, back, "よく使う経路から削除しました。")


async def _page(
    request: Request,
    slip_id: str,
    fields: FormFields | None = None,
    problem: Problem | None = None,
) -> Response:
    services = client_of(request)
    found = await commuter.show_slip(services, slip_id)
    kept = (await commuter.list_favourites(services)).body["items"]
    errors = [
        FieldError(_own_field(one.field), one.message, one.code, one.choices)
        for one in (problem.on_form if problem else ())
    ]
    return await render(
        request,
        "commuter/favourites.html",
        status=problem.status if problem else 200,
        slip=found.body,
        version=found.etag,
        favourites=kept,
        values=fields.values() if fields else {},
        errors=errors,
    )


def _own_field(field: str) -> str:
    """A field of the added item by its name in this form; others concern the whole form."""
    name = field.rpartition(".")[2]
    return name if name in {"item_on", "purpose", "favourite"} else ""
