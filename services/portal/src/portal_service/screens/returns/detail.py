"""開く: one application with its route, entries, history and steps (D101, D111-D123)."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from portal_service.api_client import FieldError, FormRefused, Problem, ServiceResponse, client_of
from portal_service.confirmation import Confirmation, confirm
from portal_service.form_data import FormFields, form_fields_of
from portal_service.rendering import render, see_other
from portal_service.screens.dropdowns import staff_to_choose
from portal_service.screens.returns.entry import consequence_note, notices_in
from portal_service.screens.returns.step_buttons import (
    STEPS,
    TFC_STEPS,
    Step,
    first_step,
    offered_steps,
    step_at,
)
from portal_service.service_api import returns
from shared.auth import Principal, Role, require

pages = APIRouter(prefix="/returns/{application_id:key}")

Anybody = Annotated[Principal, require(Role.SALES, Role.MANAGER, Role.HQ, Role.TFC)]
LOST = 409
VERSION_CONFLICT = "VERSION_CONFLICT"
OWN_OTHER_TAB = "別の画面（タブ）で、ご自身がこの申込を更新しています。最新の内容をご確認ください。"
Application = ServiceResponse[returns.ApplicationAnswer]


@pages.get("")
async def show_application(request: Request, application_id: str, who: Anybody) -> Response:
    """契約内容変更受付 車両返却: the opened application."""
    return await opened(request, who, await application_of(request, application_id))


@pages.get("/print")
async def print_entries(request: Request, application_id: str, _who: Anybody) -> Response:
    """入力内容印刷: the PDF (D97)."""
    return await returns.print_entry(client_of(request), application_id)


@pages.post("/dealer-note", dependencies=[require(Role.HQ)])
async def save_dealer_note(request: Request, application_id: str, who: Anybody) -> Response:
    """貴社連絡欄 by the HQ approver (D115)."""
    fields = await form_fields_of(request)
    body: returns.DealerNoteBody = {"dealer_note": fields.text("dealer_note")}
    try:
        await returns.edit_dealer_note(
            client_of(request), application_id, body, version=fields.version
        )
    except FormRefused as problem:
        found = await application_of(request, application_id)
        return await opened(request, who, found, fields=fields, problem=problem)
    return see_other(request, f"/returns/{application_id}", "貴社連絡欄を保存しました。")


async def ask_step(request: Request, application_id: str, who: Anybody) -> Response:
    """The question before a step (承認, 差戻し, 取り下げ, 受付 …)."""
    step = _step(request, who)
    return await _ask(request, step, await application_of(request, application_id))


async def take_step(request: Request, application_id: str, who: Anybody) -> Response:
    """OK: take the step under the version that the person saw."""
    step = _step(request, who)
    fields = await form_fields_of(request)
    body = {name: fields.text(name) for name in step.fields if name in fields.values()}
    return await send_step(request, application_id, step, fields, body)


for address in sorted({step.path for step in (*STEPS, *TFC_STEPS) if not step.form}):
    pages.add_api_route(f"/{address}", ask_step, methods=["GET"])
    pages.add_api_route(f"/{address}", take_step, methods=["POST"])


async def send_step(
    request: Request,
    application_id: str,
    step: Step,
    fields: FormFields,
    body: Mapping[str, str],
) -> Response:
    """Send a step; a refusal shows what changed meanwhile, with the input kept."""
    path = f"/applications/{application_id}/{step.path}"
    try:
        taken: ServiceResponse[returns.StepAnswer] = await client_of(request).send(
            "returns", "POST", path, body, version=fields.version
        )
    except FormRefused as problem:
        found = await application_of(request, application_id)
        return await _ask(request, step, found, fields=fields, problem=problem)
    return step_taken(request, application_id, step, taken.body)


def step_taken(
    request: Request, application_id: str, step: Step, taken: returns.StepAnswer
) -> Response:
    """Back to the application, with a message of what follows from the step."""
    sentences = [step.done, f"ステータスは「{taken['status']['label']}」になりました。"]
    if taken["mail_will_be_sent"]:
        sentences.append("差戻し先へメールを送信します。")
    return see_other(
        request, f"/returns/{application_id}", " ".join([*sentences, *notices_in(taken)])
    )


async def application_of(request: Request, application_id: str) -> Application:
    """The application as this person may see it. Raises Problem (404), ServiceUnavailable."""
    return await returns.open_application(client_of(request), application_id)


async def opened(
    request: Request,
    who: Principal,
    found: Application,
    *,
    fields: FormFields | None = None,
    problem: Problem | None = None,
) -> Response:
    """The screen of an opened application."""
    application = found.body
    note = fields.text("dealer_note") if fields else application["dealer_note"] or ""
    enabled = {action["action"] for action in application["actions"] if action["enabled"]}
    return await render(
        request,
        "returns/application.html",
        status=problem.status if problem else 200,
        application=application,
        version=found.etag,
        steps_offered=offered_steps(who, application["actions"]),
        first_step=first_step(who, application["actions"], remanded=bool(application["remand"])),
        may_overwrite="approve" in enabled,
        may_note="edit_dealer_note" in enabled,
        of_tfc=who.has(Role.TFC),
        values={"dealer_note": note},
        errors=problem.on_form if problem else (),
    )


def changed_since(
    application: returns.ApplicationAnswer, version: str | None
) -> list[returns.HistoryAnswer]:
    """The lines of history that came after the version that a person saw."""
    seen = (version or "").strip('W/"')
    if not seen.isdigit():
        return []
    return [line for line in application["history"] if line["version"] > int(seen)]


def refused_words(
    request: Request, problem: Problem | None, changes: list[returns.HistoryAnswer]
) -> tuple[FieldError, ...]:
    """What to show of a refusal; a version lost to the person's own other tab is called so."""
    if problem is None:
        return ()
    who: Principal = request.state.principal
    people = {line["actor_id"] for line in changes if line["actor_role"] != "service"}
    if problem.code == VERSION_CONFLICT and people == {who.person_id}:
        return (FieldError("", OWN_OTHER_TAB, problem.code),)
    return problem.on_form


def _step(request: Request, who: Principal) -> Step:
    step = step_at(who, request.url.path.rpartition("/")[2])
    if step is None:
        raise HTTPException(404)
    return step


def list_of(request: Request) -> tuple[str, str]:
    """Name and path of the list from which this person opens applications."""
    who: Principal = request.state.principal
    return ("依頼受付", "/tfc/requests") if who.has(Role.TFC) else ("進捗一覧", "/returns")


async def _ask(
    request: Request,
    step: Step,
    found: Application,
    *,
    fields: FormFields | None = None,
    problem: Problem | None = None,
) -> Response:
    application = found.body
    here = f"/returns/{application['application_id']}"
    question = Confirmation(
        title=step.label,
        sentence=step.sentence,
        action=f"{here}/{step.path}",
        back=here,
        kept=[("version", found.etag or "")],
        facts=[
            ("契約番号", application["contract_no"]),
            ("ご契約者名", application["customer_name"]),
            ("ステータス", application["status"]["label"]),
        ],
        notes=await _consequence(request, application["application_id"], step),
        part=step.part,
        danger=step.kind == "danger",
        crumbs=[list_of(request), ("車両返却", here)],
    )
    services = client_of(request)
    changes = changed_since(application, fields.version) if fields else []
    return await confirm(
        request,
        question,
        fields=fields,
        errors=_errors(problem, step) or refused_words(request, problem, changes),
        status=problem.status if problem else 200,
        application=application,
        overtaken_by=changes,
        staff=await staff_to_choose(services, dealer=application["dealer"]["dealer_id"])
        if step.action == "take_over"
        else [],
    )


async def _consequence(request: Request, application_id: str, step: Step) -> list[str]:
    """Who receives the application and whether a mail goes out, before OK (D96, D120)."""
    if step.action == "take_over":  # both depend on what is entered in the question
        return []
    follows = await returns.show_consequence(client_of(request), application_id, step=step.action)
    return consequence_note(follows.body)


def _errors(problem: Problem | None, step: Step) -> tuple[FieldError, ...]:
    """A refusal without a field, at the first field of the question; nothing where it has none."""
    if problem is None or problem.status == LOST or problem.errors or not step.fields:
        return ()
    return (FieldError(step.fields[0], problem.words, problem.code),)
