"""定期区間の確認: confirming from the list and from the view, or sending back (R9, R25-R28)."""

from collections.abc import Coroutine

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from portal_service.api_client import FieldError, Problem, ServiceResponse, client_of
from portal_service.confirmation import Confirmation, confirm
from portal_service.form_data import FormFields, form_fields_of
from portal_service.rendering import announce, render
from portal_service.screens.commuter.pass_refunds import asked_refund
from portal_service.screens.commuter.passes import EXPENSES, FORM_STATUSES
from portal_service.service_api import commuter

pages = APIRouter(prefix="/commuter", dependencies=[EXPENSES])

LIST = ("定期区間の確認", "/commuter/confirmations")
NO_REASON = "REASON_MISSING"
"""The service's refusal of a rejection without a reason."""


@pages.get("/confirmations")
async def show_applications(request: Request) -> Response:
    """What employees have applied for."""
    return await _list(request)


@pages.post("/confirmations")
async def confirm_ticked(request: Request) -> Response:
    """「確定」 of the ticked ones, after a question: all of them or none."""
    fields = await form_fields_of(request)
    chosen = fields.getlist("pass")
    if not chosen:
        error = FieldError("", "確定する定期区間を選択してください。")
        return await _list(request, error=error)
    if not fields.confirmed:
        question = Confirmation(
            title="定期区間の確定",
            sentence=f"選択した{len(chosen)}件の定期区間を確定します。よろしいですか。",
            action=LIST[1],
            back=LIST[1],
            kept=fields.kept(),
            notes=[NO_END],
            crumbs=[LIST],
        )
        return await confirm(request, question, fields=fields)
    passes: list[commuter.OneOfMany] = [
        {"pass_id": one, "version": version} for one, version in fields.picked("pass")
    ]
    try:
        await commuter.confirm_passes(client_of(request), {"passes": passes})
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        return await _list(request, error=problem.on_form[0])
    response = RedirectResponse(LIST[1], 303)
    announce(request, response, f"{len(passes)}件を確定しました。{MAILED}")
    return response


NO_END = (
    "新しい定期区間を登録する場合は、古い定期区間の「期間」項目に「終了日」を入れる必要があります。"
    "終了日を入れない場合、新旧の定期区間両方で定期区間控除が行われてしまいます。"
)
MAILED = "申請者へメールでお知らせします。"


@pages.get("/passes/{pass_id:key}")
async def show_pass(request: Request, pass_id: str) -> Response:
    """閲覧: one pass with what it meets, and its trail."""
    return await _one(request, pass_id)


@pages.post("/passes/{pass_id}/confirmation")
async def confirm_pass(request: Request, pass_id: str) -> Response:
    """「確定」 on the view; 終了日 may be set with it."""
    fields = await form_fields_of(request)
    body: commuter.ConfirmBody = {"ends_on": fields.day("ends_on")}
    services = client_of(request)
    sent = commuter.confirm_pass(services, pass_id, body, version=fields.version)
    return await _sent(request, pass_id, fields, sent, f"確定しました。{MAILED}")


@pages.post("/passes/{pass_id}/rejection")
async def reject(request: Request, pass_id: str) -> Response:
    """「差戻し」 with its reason."""
    fields = await form_fields_of(request)
    body: commuter.ReasonBody = {"reason": fields.text("reason")}
    services = client_of(request)
    sent = commuter.reject_application(services, pass_id, body, version=fields.version)
    return await _sent(request, pass_id, fields, sent, f"差し戻しました。{MAILED}")


@pages.post("/passes/{pass_id}/end")
async def end(request: Request, pass_id: str) -> Response:
    """The proposed 終了日 of an overlapping pass, by one click; `then` is the view to go to."""
    fields = await form_fields_of(request)
    body: commuter.EndBody = {"ends_on": fields.day("ends_on")}
    sent = commuter.end_pass(client_of(request), pass_id, body, version=fields.version)
    then = fields.text("then") or pass_id
    return await _sent(request, then, fields, sent, "終了日を設定しました。")


async def _sent(
    request: Request,
    pass_id: str,
    fields: FormFields,
    sending: Coroutine[None, None, ServiceResponse[commuter.PassDetail]],
    done: str,
) -> Response:
    """Send a step unless the form cannot be read; then show the pass `pass_id`."""
    try:
        if fields.errors:
            sending.close()
        fields.refuse_unreadable()
        await sending
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        return await _one(request, pass_id, fields, problem)
    response = RedirectResponse(f"/commuter/passes/{pass_id}", 303)
    announce(request, response, done)
    return response


async def _list(request: Request, error: FieldError | None = None) -> Response:
    found = await commuter.list_passes(client_of(request), status="applied")
    return await render(
        request,
        "commuter/confirmations.html",
        status=422 if error else 200,
        passes=found.body["items"],
        no_end=NO_END,
        errors=[error] if error else (),
    )


async def _one(
    request: Request,
    pass_id: str,
    fields: FormFields | None = None,
    problem: Problem | None = None,
) -> Response:
    found = await commuter.show_pass(client_of(request), pass_id)
    refund = await asked_refund(request, pass_id)
    errors = problem.on_form if problem else refund.errors
    if problem and problem.code == NO_REASON:
        errors = tuple(FieldError("reason", one.message) for one in errors)
    return await render(
        request,
        "commuter/pass.html",
        status=problem.status if problem else 422 if refund.errors else 200,
        one=found.body,
        version=found.etag,
        no_end=NO_END,
        refund=refund.found,
        values=fields.values() if fields else refund.values,
        errors=errors,
    )
