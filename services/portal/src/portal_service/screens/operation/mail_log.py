"""メール台帳: which mails were sent, which not and why, and one sent again (D145-D155)."""

from fastapi import APIRouter, Request, Response

from portal_service.api_client import (
    FieldError,
    FormRefused,
    Problem,
    QueryValue,
    ServiceResponse,
    client_of,
    or_missing,
)
from portal_service.confirmation import Confirmation, confirm
from portal_service.form_data import form_fields_of
from portal_service.formatting import NotReadable, read_day
from portal_service.rendering import render, see_other
from portal_service.service_api import notifier
from shared.auth import Role, require

pages = APIRouter(
    prefix="/operation/mails", dependencies=[require(Role.OPERATOR, Role.TFC, Role.HQ)]
)

STATES = (
    ("scheduled", "送信待ち"),
    ("sending", "送信中"),
    ("sent", "送信済み"),
    ("suppressed", "送信対象外"),
    ("failed", "送信失敗"),
    ("unknown", "送信結果不明"),
)
STEPS = {
    **dict(STATES),
    "put_off": "送信できず、時間をおいて送り直します",
    "lost": "送信の途中で処理が中断しました",
    "resend": "もう一度送信するよう指示",
}
"""What the history of a mail names."""
COLOURS = {"failed": "red", "unknown": "yellow", "scheduled": "blue", "sending": "blue"}
Mail = ServiceResponse[notifier.WholeMail]
DAYS = ("planned_from", "planned_to")


@pages.get("")
async def show_mails(request: Request) -> Response:
    """The newest first, by state, contract and day."""
    entered = dict(request.query_params)
    query: dict[str, QueryValue] = {
        key: entered.get(key, "") for key in ("state", "contract_no", "after")
    }
    errors: list[FieldError] = []
    for name in DAYS:
        try:
            day = read_day(entered.get(name, ""))
        except NotReadable as unreadable:
            errors.append(FieldError(name, str(unreadable)))
        else:
            query[name] = day.isoformat() if day else ""
    found = None
    if not errors:
        found = await or_missing(notifier.search_mails(client_of(request), **query))
    here = {key: value for key, value in entered.items() if value and key != "after"}
    return await render(
        request,
        "mails/list.html",
        values=entered,
        errors=errors,
        found=found,
        states=STATES,
        colours=COLOURS,
        here=here,
    )


@pages.get("/{mail_id}")
async def show_mail(request: Request, mail_id: str) -> Response:
    """One mail as it was sent, with what happened to it."""
    return await _mail(request, await _found(request, mail_id))


@pages.get("/{mail_id}/resend", dependencies=[require(Role.OPERATOR, Role.TFC)])
async def ask_resend(request: Request, mail_id: str) -> Response:
    """The question before a mail goes out again."""
    found = await _found(request, mail_id)
    here = f"/operation/mails/{mail_id}"
    question = Confirmation(
        title="メールの再送",
        sentence=f"「{found.body['mail_kind_japanese']}」を {found.body['address']} へ"
        "もう一度送信します。よろしいですか。",
        action=f"{here}/resend",
        back=here,
        kept=[("version", found.etag or "")],
        crumbs=[("メール台帳", "/operation/mails")],
    )
    return await confirm(request, question)


@pages.post("/{mail_id}/resend", dependencies=[require(Role.OPERATOR, Role.TFC)])
async def resend_mail(request: Request, mail_id: str) -> Response:
    """OK: have it sent again."""
    fields = await form_fields_of(request)
    try:
        await notifier.resend_mail(client_of(request), mail_id, version=fields.version)
    except FormRefused as problem:
        return await _mail(request, await _found(request, mail_id), problem)
    return see_other(request, f"/operation/mails/{mail_id}", "メールをもう一度送信します。")


async def _found(request: Request, mail_id: str) -> Mail:
    return await notifier.read_mail(client_of(request), mail_id)


async def _mail(request: Request, found: Mail, problem: Problem | None = None) -> Response:
    return await render(
        request,
        "mails/one.html",
        status=problem.status if problem else 200,
        mail=found.body,
        steps=STEPS,
        colours=COLOURS,
        errors=problem.on_form if problem else (),
    )
