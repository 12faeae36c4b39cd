"""訂正, and 訂正の上、承認: correction of an application's entries (D114, D121, D122)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from fastapi import APIRouter, Request, Response

from portal_service.api_client import FormRefused, Problem, ServiceResponse, client_of
from portal_service.confirmation import Confirmation, confirm
from portal_service.form_data import FormFields, form_fields_of
from portal_service.rendering import render
from portal_service.screens.returns.detail import (
    application_of,
    changed_since,
    refused_words,
    step_taken,
)
from portal_service.screens.returns.entry import (
    consequence_note,
    facts_of_report,
    facts_of_result,
    form_of,
    no_mail_note,
    read_report,
    read_result,
)
from portal_service.screens.returns.step_buttons import APPROVE, CORRECT, Step
from portal_service.service_api import returns
from shared.auth import Role, require

pages = APIRouter(
    prefix="/returns/{application_id:key}",
    dependencies=[require(Role.SALES, Role.MANAGER, Role.HQ)],
)

Body = TypeVar("Body")
Application = returns.ApplicationAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionForm(Generic[Body]):
    """One way to correct entries; `whole`: contacts too, not ③ alone."""

    step: Step
    path: str
    title: str
    sentence: str
    read: Callable[[FormFields], Body]
    facts: Callable[[returns.EntryAnswer], list[tuple[str, str]]]
    notes: Callable[[returns.EntryAnswer], list[str]]
    check: Callable[..., Awaitable[ServiceResponse[returns.CheckedStepAnswer]]]
    send: Callable[..., Awaitable[ServiceResponse[returns.StepAnswer]]]
    whole: bool


def _overwrite(fields: FormFields) -> returns.ApprovalBody:
    body: returns.ApprovalBody = {"overwrite": read_result(fields)}
    if "contact_3" in fields.values():
        body["contact_3"] = fields.text("contact_3")
    return body


CORRECTION = CorrectionForm(
    step=CORRECT,
    path="correction",
    title="車両返却 訂正",
    sentence=CORRECT.sentence,
    read=read_report,
    facts=facts_of_report,
    notes=lambda entry: no_mail_note(entry["contact_3"]),
    check=returns.check_correction,
    send=returns.correct_application,
    whole=True,
)
OVERWRITING = CorrectionForm(
    step=APPROVE,
    path="overwriting",
    title="訂正の上、承認",
    sentence="車両返却情報を訂正し、この申込を承認します。",
    read=_overwrite,
    facts=facts_of_result,
    notes=lambda _: [],
    check=returns.check_approval,
    send=returns.approve_application,
    whole=False,
)


@pages.get("/correction")
async def show_correction(request: Request, application_id: str) -> Response:
    """訂正: the form again, filled with what was sent."""
    return await _form(request, CORRECTION, application_id)


@pages.post("/correction")
async def send_correction(request: Request, application_id: str) -> Response:
    """「確認」 asks, 「OK」 sends; approvals begin again."""
    return await _send(request, CORRECTION, application_id)


@pages.get("/overwriting", dependencies=[require(Role.MANAGER, Role.HQ)])
async def show_overwriting(request: Request, application_id: str) -> Response:
    """③車両返却情報 as an approver may overwrite it."""
    return await _form(request, OVERWRITING, application_id)


@pages.post("/overwriting", dependencies=[require(Role.MANAGER, Role.HQ)])
async def send_overwriting(request: Request, application_id: str) -> Response:
    """「確認」 asks, 「OK」 overwrites and approves in one step."""
    return await _send(request, OVERWRITING, application_id)


async def _send(request: Request, rewriting: CorrectionForm[Body], application_id: str) -> Response:
    fields = await form_fields_of(request)
    if fields.went_back:
        return await _form(request, rewriting, application_id, fields)
    body = rewriting.read(fields)
    try:
        fields.refuse_unreadable()
        services = client_of(request)
        if not fields.confirmed:
            checked = await rewriting.check(services, application_id, body, version=fields.version)
            return await _ask(request, rewriting, application_id, fields, checked.body)
        taken = await rewriting.send(services, application_id, body, version=fields.version)
    except FormRefused as problem:
        return await _form(request, rewriting, application_id, fields, problem)
    return step_taken(request, application_id, rewriting.step, taken.body)


async def _form(
    request: Request,
    rewriting: CorrectionForm[Body],
    application_id: str,
    fields: FormFields | None = None,
    problem: Problem | None = None,
) -> Response:
    found = await application_of(request, application_id)
    application = found.body
    form = await form_of(request, application["contract_no"])
    form["contact_3_required"] = application["dealer"]["role"]["code"] == "hq"
    changes = changed_since(application, fields.version) if fields else []
    return await render(
        request,
        "returns/rewriting.html",
        status=problem.status if problem else 200,
        rewriting=rewriting,
        application=application,
        version=found.etag,
        form=form,
        values=fields.values(["completion_mail"]) if fields else _entered(application),
        errors=refused_words(request, problem, changes),
        overtaken_by=changes,
    )


async def _ask(
    request: Request,
    rewriting: CorrectionForm[Body],
    application_id: str,
    fields: FormFields,
    checked: returns.CheckedStepAnswer,
) -> Response:
    application = (await application_of(request, application_id)).body
    home = f"/returns/{application_id}"
    question = Confirmation(
        title=f"{rewriting.title} 確認",
        sentence=f"{rewriting.sentence}よろしいですか。",
        notes=[
            f"送信後のステータスは「{checked['next_status']['label']}」です。",
            *consequence_note(checked["consequence"]),
            *rewriting.notes(checked["entry"]),
        ],
        doubts=checked["doubts"],
        action=f"{home}/{rewriting.path}",
        kept=fields.kept(),
        facts=[
            ("契約番号", application["contract_no"]),
            ("ご契約者名", application["customer_name"]),
            *rewriting.facts(checked["entry"]),
        ],
        crumbs=[("進捗一覧", "/returns"), ("車両返却", home)],
    )
    return await confirm(request, question, fields=fields)


def _entered(application: Application) -> dict[str, object]:
    entry = application["entry"]
    received_on, reason = entry["received_on"], entry["unreturned_reason"]
    return {
        **entry,
        "kind": entry["kind"]["code"],
        "received_on": received_on.replace("-", "/") if received_on else "",
        "unreturned_reason": reason["code"] if reason else "",
        "completion_mail": ["yes"] if entry["completion_mail"] else [],
        "contact_1": entry["contact_1"] or "",
        "contact_2": entry["contact_2"] or "",
        "contact_3": entry["contact_3"] or "",
    }
