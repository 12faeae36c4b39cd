"""顧客情報の消去: operators erase a customer on request, or when the retention period is over."""

from fastapi import APIRouter, Request, Response

from portal_service.api_client import FieldError, FormRefused, Problem, client_of, or_missing
from portal_service.confirmation import Confirmation, confirm
from portal_service.form_data import FormFields, form_fields_of
from portal_service.rendering import render, see_other
from portal_service.service_api import contracts
from shared.auth import Role, require

HOME = "/operation/erasures"
pages = APIRouter(prefix=HOME, dependencies=[require(Role.OPERATOR)])

TITLE = "顧客情報の消去"
REFUSED = (404, 409, 422)


@pages.get("")
async def show_erasures(request: Request) -> Response:
    """What is due, what was done, and the form."""
    return await _erasures(request)


@pages.post("")
async def erase(request: Request) -> Response:
    """Ask, then forget the customer of one contract."""
    fields = await form_fields_of(request)
    if fields.went_back:
        return await _erasures(request, fields)
    body: contracts.ErasureOrder = {
        "contract_no": fields.text("contract_no"),
        "reason": fields.text("reason"),
    }
    if not fields.confirmed:
        return await _ask(request, fields, body)
    request.state.access_about = ("contract", body["contract_no"])
    try:
        await contracts.erase_customer_of(client_of(request), body)
    except Problem as problem:
        if problem.status not in REFUSED:
            raise
        if problem.status == 404:  # noqa: PLR2004
            problem.errors = (FieldError("contract_no", problem.words, problem.code),)
        return await _erasures(request, fields, problem)
    return see_other(request, HOME, f"契約 {body['contract_no']} の顧客情報を消去しました。")


async def _ask(request: Request, fields: FormFields, body: contracts.ErasureOrder) -> Response:
    """Ask, once nothing is wrong with the contract or the reason."""
    try:
        await contracts.check_erasure_of(client_of(request), body)
    except FormRefused as refused:
        return await _erasures(request, fields, refused)
    question = Confirmation(
        title=TITLE,
        sentence="この契約の顧客の氏名・住所・電話番号と、メモなどの文章を消去します。"
        "元には戻せません。",
        action=HOME,
        yes="消去する",
        kept=fields.kept(),
        facts=[("契約番号", body["contract_no"]), ("理由", body["reason"])],
        notes=["契約の内容、手続の履歴、操作の記録は残ります。"],
        danger=True,
        crumbs=[(TITLE, HOME)],
    )
    return await confirm(request, question, fields=fields)


async def _erasures(
    request: Request, fields: FormFields | None = None, problem: Problem | None = None
) -> Response:
    services = client_of(request)
    due = await or_missing(contracts.list_due_erasures(services))
    done = await or_missing(contracts.list_erasures(services))
    return await render(
        request,
        "operation/erasures.html",
        status=422 if problem else 200,
        values=fields.values() if fields else dict(request.query_params),
        errors=problem.on_form if problem else (),
        due=due,
        done=done,
    )
