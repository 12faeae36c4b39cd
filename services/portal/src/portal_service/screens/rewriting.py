"""訂正, and 訂正の上、承認: the entries of an application written anew (D114, D121, D122)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from portal_service.entries import Entries, entries_of
from portal_service.frame import page
from portal_service.question import Question, ask
from portal_service.screens.application import application_of, changed_since, step_taken
from portal_service.screens.return_entry import (
    REFUSED_ON_FORM,
    facts_of_report,
    facts_of_result,
    form_of,
    read_report,
    read_result,
)
from portal_service.screens.return_steps import APPROVE, CORRECT, Step
from portal_service.upstream import Problem, services_of
from shared.auth import Role, require

pages = APIRouter(
    prefix="/returns/{application_id}",
    dependencies=[require(Role.SALES, Role.MANAGER, Role.HQ)],
)

Read = Callable[[Entries], dict[str, Any]]
Facts = Callable[[Mapping[str, Any], Mapping[str, Any]], list[tuple[str, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewriting:
    """One way to write entries anew; `whole`: contacts too, not ③ alone."""

    step: Step
    path: str
    title: str
    sentence: str
    read: Read
    facts: Facts
    whole: bool


def _overwrite(entries: Entries) -> dict[str, Any]:
    body: dict[str, Any] = {"overwrite": read_result(entries)}
    if "contact_3" in entries.values():
        body["contact_3"] = entries.text("contact_3")
    return body


CORRECTION = Rewriting(
    step=CORRECT,
    path="correction",
    title="車両返却 訂正",
    sentence=CORRECT.sentence,
    read=read_report,
    facts=facts_of_report,
    whole=True,
)
OVERWRITING = Rewriting(
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


async def _send(request: Request, rewriting: Rewriting, application_id: str) -> Response:
    entries = await entries_of(request)
    if entries.turned_back:
        return await _form(request, rewriting, application_id, entries)
    body = rewriting.read(entries)
    try:
        entries.refuse_unreadable()
        if not entries.confirmed:
            return await _ask(request, rewriting, application_id, entries, body)
        taken = await services_of(request).send(
            "returns",
            "POST",
            f"/applications/{application_id}/{rewriting.step.path}",
            body,
            version=entries.version,
            once=entries.once,
        )
    except Problem as problem:
        if problem.status not in REFUSED_ON_FORM:
            raise
        return await _form(request, rewriting, application_id, entries, problem)
    return step_taken(request, application_id, rewriting.step, taken.body)


async def _form(
    request: Request,
    rewriting: Rewriting,
    application_id: str,
    entries: Entries | None = None,
    problem: Problem | None = None,
) -> Response:
    found = await application_of(request, application_id)
    application = found.body
    form = await form_of(request, application["contract_no"])
    form["contact_3_required"] = application["dealer"]["role"]["code"] == "hq"
    return await page(
        request,
        "returns/rewriting.html",
        status=problem.status if problem else 200,
        rewriting=rewriting,
        application=application,
        version=found.etag,
        form=form,
        values=entries.values(["completion_mail"]) if entries else _entered(application),
        errors=problem.on_form if problem else (),
        overtaken_by=changed_since(application, entries.version) if entries else [],
    )


async def _ask(
    request: Request,
    rewriting: Rewriting,
    application_id: str,
    entries: Entries,
    body: Mapping[str, Any],
) -> Response:
    application = (await application_of(request, application_id)).body
    form = await form_of(request, application["contract_no"])
    home = f"/returns/{application_id}"
    question = Question(
        title=f"{rewriting.title} 確認",
        sentence=rewriting.sentence,
        action=f"{home}/{rewriting.path}",
        kept=entries.kept(),
        facts=[("契約番号", application["contract_no"]), *rewriting.facts(form, body)],
        crumbs=[("進捗一覧", "/returns"), ("車両返却", home)],
    )
    return await ask(request, question, entries=entries)


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
