"""総合振込: what waits, the files that were made, and the company's account (R104-R106)."""

from fastapi import APIRouter, Request, Response

from portal_service import formatting
from portal_service.api_client import FieldError, Problem, client_of
from portal_service.confirmation import Confirmation, confirm
from portal_service.form_data import FormFields, form_fields_of
from portal_service.rendering import render, see_other
from portal_service.screens.commuter.desk import ACCOUNTING
from portal_service.screens.commuter.passes import FORM_STATUSES
from portal_service.service_api import commuter

pages = APIRouter(prefix="/commuter/transfers", dependencies=[ACCOUNTING])

HOME = ("総合振込", "/commuter/transfers")
SETTINGS = f"{HOME[1]}/settings"


@pages.get("")
async def show_transfers(request: Request) -> Response:
    """What a transfer would take now, and the transfers."""
    return await _transfers(request)


@pages.post("")
async def make_transfer(request: Request) -> Response:
    """「振込データを作る」."""
    fields = await form_fields_of(request)
    try:
        body: commuter.TransferBody = {"pay_on": fields.day("pay_on")}
        fields.refuse_unreadable()
        made = await commuter.make_transfer(
            client_of(request), body, idempotency_key=fields.idempotency_key
        )
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        return await _transfers(request, fields, problem)
    people, yen = formatting.count(made.body["payments"], "名"), made.body["total_yen"]
    words = f"振込データ{made.body['number']}を作りました（{people}、{formatting.yen(yen)}）。"
    return see_other(request, f"{HOME[1]}#made", words)


@pages.get("/settings")
async def show_settings(request: Request) -> Response:
    """Whether the company pays by transfer, and from where."""
    return await _settings(request)


@pages.post("/settings")
async def save_settings(request: Request) -> Response:
    """「保存」."""
    fields = await form_fields_of(request)
    body: commuter.PayerBody = {
        "enabled": fields.flag("enabled"),
        "client_code": fields.text("client_code"),
        "client": fields.text("client"),
        "bank_code": fields.text("bank_code"),
        "bank": fields.text("bank"),
        "branch_code": fields.text("branch_code"),
        "branch": fields.text("branch"),
        "account_type": fields.text("account_type"),
        "number": fields.text("number"),
    }
    try:
        await commuter.change_transfer_setting(client_of(request), body, version=fields.version)
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        return await _settings(request, fields, problem)
    return see_other(request, HOME[1], "総合振込の設定を保存しました。")


@pages.get("/{transfer_id}/zengin.txt")
async def download_transfer(request: Request, transfer_id: str) -> Response:
    """The file."""
    return await commuter.download_transfer(client_of(request), transfer_id)


@pages.get("/{transfer_id}/cancellation")
async def ask_cancellation(request: Request, transfer_id: str) -> Response:
    """Whether the transfer is to be taken back, and why."""
    return await _ask(request, transfer_id)


@pages.post("/{transfer_id}/cancellation")
async def cancel_transfer(request: Request, transfer_id: str) -> Response:
    """Take it back: its slips stand in the next one."""
    fields = await form_fields_of(request)
    body: commuter.CancelTransferBody = {"reason": fields.text("comment")}
    try:
        await commuter.cancel_transfer(client_of(request), transfer_id, body)
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        return await _ask(request, transfer_id, fields, problem)
    words = "振込データを取り消しました。含まれていた精算書は、次の振込データに入ります。"
    return see_other(request, f"{HOME[1]}#made", words)


async def _transfers(
    request: Request, fields: FormFields | None = None, problem: Problem | None = None
) -> Response:
    found = (await commuter.list_transfers(client_of(request))).body
    ready = [one for one in found["waiting"] if one["account"]]
    return await render(
        request,
        "commuter/transfers.html",
        status=problem.status if problem else 200,
        found=found,
        ready=ready,
        missing=[one for one in found["waiting"] if not one["account"]],
        total_yen=sum(one["yen"] for one in ready),
        values=fields.values() if fields else {},
        errors=problem.on_form if problem else (),
    )


async def _settings(
    request: Request, fields: FormFields | None = None, problem: Problem | None = None
) -> Response:
    found = await commuter.show_transfer_setting(client_of(request))
    kept: dict[str, object] = dict(found.body)
    values: dict[str, object] = dict(fields.values()) if fields else kept
    return await render(
        request,
        "commuter/transfer_settings.html",
        status=problem.status if problem else 200,
        enabled=fields.flag("enabled") if fields else found.body["enabled"],
        version=found.etag,
        values=values,
        errors=problem.on_form if problem else (),
    )


async def _ask(
    request: Request,
    transfer_id: str,
    fields: FormFields | None = None,
    problem: Problem | None = None,
) -> Response:
    question = Confirmation(
        title="振込データの取り消し",
        sentence=(
            "この振込データを取り消します。銀行に送ったあとでは、銀行での取り消しも必要です。"
        ),
        action=f"{HOME[1]}/{transfer_id}/cancellation",
        back=HOME[1],
        part="commuter/_ask_comment.html",
        danger=True,
        crumbs=[HOME],
    )
    errors = [FieldError("comment", one.message) for one in problem.on_form] if problem else []
    status = problem.status if problem else 200
    return await confirm(request, question, fields=fields, errors=errors, status=status)
