"""個人設定 > メール通知: which mails about slips the signed-in person wants."""

from fastapi import APIRouter, Request, Response

from portal_service.api_client import Problem, client_of
from portal_service.form_data import form_fields_of
from portal_service.rendering import render, see_other
from portal_service.screens.commuter.passes import EXPENSES, FORM_STATUSES
from portal_service.service_api import commuter

HERE = "/commuter/my-mails"
pages = APIRouter(prefix=HERE, dependencies=[EXPENSES])


@pages.get("")
async def show_preference(request: Request) -> Response:
    """The boxes as they are ticked now."""
    return await _page(request)


@pages.post("")
async def save_preference(request: Request) -> Response:
    """「保存」."""
    fields = await form_fields_of(request)
    wanted = fields.getlist("wanted")
    body: commuter.MailPreferenceBody = {"wanted": wanted}
    try:
        await commuter.change_mail_preference(client_of(request), body, version=fields.version)
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        return await _page(request, problem, wanted)
    return see_other(request, HERE, "メール通知の設定を保存しました。")


async def _page(
    request: Request, problem: Problem | None = None, wanted: list[str] | None = None
) -> Response:
    found = await commuter.show_mail_preference(client_of(request))
    mails = found.body["mails"]
    kept = [one["key"] for one in mails if one["wanted"]]
    return await render(
        request,
        "commuter/my_mails.html",
        status=problem.status if problem else 200,
        address=found.body["address"],
        for_applicant=[(m["key"], m["label"]) for m in mails if not m["for_approvers"]],
        for_approver=[(m["key"], m["label"]) for m in mails if m["for_approvers"]],
        chosen=kept if wanted is None else wanted,
        version=found.etag,
        values={},
        errors=problem.on_form if problem else (),
    )
