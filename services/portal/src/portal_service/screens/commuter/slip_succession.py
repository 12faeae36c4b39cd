"""退職者の精算書の引継ぎ: accounting names another approver, or goes on itself (D157)."""

from fastapi import APIRouter, Request, Response

from portal_service.api_client import FORM_STATUSES, Problem, client_of
from portal_service.form_data import form_fields_of
from portal_service.rendering import see_other
from portal_service.screens.commuter.slips import HOME, slip_screen
from portal_service.service_api import commuter
from shared.auth import Role, require

pages = APIRouter(prefix="/commuter/slips", dependencies=[require(Role.EXPENSE_ADMIN)])


@pages.post("/{slip_id}/succession")
async def hand_on(request: Request, slip_id: str) -> Response:
    """「引き継ぐ」 on the page of a slip."""
    fields = await form_fields_of(request)
    body: commuter.SuccessionBody = {}
    if approver := fields.text("approver_id"):
        body["approver_id"] = approver
    try:
        await commuter.hand_on(client_of(request), slip_id, body, version=fields.version)
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        return await slip_screen(request, slip_id, None, problem)
    return see_other(request, f"{HOME[1]}/{slip_id}", "精算書を引き継ぎました。")
