"""訂正, and 訂正の上、承認: the entries of an application written anew (D114, D121, D122)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from portal_service.api_client import Problem, client_of
from portal_service.confirmation import Confirmation, confirm
from portal_service.form_data import FormFields, form_fields_of
from portal_service.rendering import render
from portal_service.screens.returns.detail import application_of, changed_since, step_taken
from portal_service.screens.returns.entry import (
    REFUSED_ON_FORM,
    facts_of_report,
    facts_of_result,
    form_of,
    read_report,
    read_result,
)
from portal_service.screens.returns.steps import APPROVE, CORRECT, Step
from shared.auth import Role, require

pages = APIRouter(
    prefix="/returns/{application_id:key}",
    dependencies=[require(Role.SALES, Role.MANAGER, Role.HQ)],
)

Read = Callable[[FormFields], dict[str, Any]]
Facts = Callable[[Mapping[str, Any], Mapping[str, Any]], list[tuple[str, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionForm:
    """One way to write entries anew; `whole`: contacts too, not ③ alone."""

    step: Step
    path: str
    title: str
    sentence: str
    read: Read
    facts: Facts
    whole: bool


def _overwrite(fields: FormFields) -> dict[str, Any]:
    body: dict[str, Any] = {"overwrite": read_result(fields)}
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
    whole=True,
)
OVERWRITING = CorrectionForm(
    step=APPROVE,
    path="overwriting",
    title="訂正の上、承認",
    sentence="車両返却情報を訂正し、この申込を承認します。",
    read=_overwrite,
    facts=lambda form, body: facts_of_result(form, body["overwrite"]),
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


async def _send(request: Request, rewriting: CorrectionForm, application_id: str) -> Response:
    fields = await form_fields_of(request)
    if fields.went_back:
        return await _form(request, rewriting, application_id, fields)
    body = rewriting.read(fields)
    try:
        fields.refuse_unreadable()
        if not fields.confirmed:
            return await _ask(request, rewriting, application_id, fields, body)
        taken = await client_of(request).send(
            "returns",
            "POST",
            f"/applications/{application_id}/{rewriting.step.path}",
            body,
            version=fields.version,
            idempotency_key=fields.idempotency_key,
        )
    except Problem as problem:
        if problem.status not in REFUSED_ON_FORM:
            raise
        return await _form(request, rewriting, application_id, fields, problem)
    return step_taken(request, application_id, rewriting.step, taken.body)


async def _form(
    request: Request,
    rewriting: CorrectionForm,
    application_id: str,
    fields: FormFields | None = None,
    problem: Problem | None = None,
) -> Response:
    found = await application_of(request, application_id)
    application = found.body
    form = await form_of(request, application["contract_no"])
    form["contact_3_required"] = application["dealer"]["role"]["code"] == "hq"
    return await render(
        request,
        "returns/rewriting.html",
        status=problem.status if problem else 200,
        rewriting=rewriting,
        application=application,
        version=found.etag,
        form=form,
        values=fields.values(["completion_mail"]) if fields else _entered(application),
        errors=problem.on_form if problem else (),
        overtaken_by=changed_since(application, fields.version) if fields else [],
    )


async def _ask(
    request: Request,
    rewriting: CorrectionForm,
    application_id: str,
    fields: FormFields,
    body: Mapping[str, Any],
) -> Response:
    application = (await application_of(request, application_id)).body
    form = await form_of(request, application["contract_no"])
    home = f"/returns/{application_id}"
    question = Confirmation(
        title=f"{rewriting.title} 確認",
        sentence=rewriting.sentence,
        action=f"{home}/{rewriting.path}",
        kept=fields.kept(),
        facts=[("契約番号", application["contract_no"]), *rewriting.facts(form, body)],
        crumbs=[("進捗一覧", "/returns"), ("車両返却", home)],
    )
    return await confirm(request, question, fields=fields)


def _entered(application: Mapping[str, Any]) -> dict[str, Any]:
    entry = application["entry"]
    received_on = entry["received_on"]
    return {
        **entry,
        "kind": entry["kind"]["code"],
        "received_on": received_on.replace("-", "/") if received_on else "",
        "unreturned_reason": (entry["unreturned_reason"] or {}).get("code", ""),
        "completion_mail": ["yes"] if entry["completion_mail"] else [],
        **{name: entry[name] or "" for name in ("contact_1", "contact_2", "contact_3")},
    }
