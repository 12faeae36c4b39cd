"""定期区間マスタ, 個人設定 > 定期区間, and the editor that both share (R1-R10, R19-R28)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from portal_service.api_client import FieldError, Problem, client_of
from portal_service.confirmation import Confirmation, confirm
from portal_service.form_data import FormFields, FormValues, form_fields_of
from portal_service.formatting import JST
from portal_service.pass_timeline import pass_timeline
from portal_service.rendering import announce, render, see_other
from portal_service.screens.commuter.look_up_refusals import beside_station
from portal_service.screens.commuter.pass_prices import price_values, prices_typed
from portal_service.service_api import commuter
from portal_service.state import state_of
from shared.auth import Role, require
from shared.text_safety import MESSAGE, is_safe_text

EXPENSES = require(Role.EMPLOYEE, Role.EXPENSE_APPROVER, Role.EXPENSE_ADMIN)
FORM_STATUSES = (403, 409, 422)
"""Refusals that are shown on the form, with everything that was typed."""
ONLY_INSIDE = "定期区間に登録できるのは、乗換案内の対象の路線だけです。"

pages = APIRouter(dependencies=[EXPENSES])


@dataclass(frozen=True, slots=True)
class Editor:
    """One use of 定期区間マスタ【編集】: what its button says, and where it leads."""

    title: str
    action: str
    back: tuple[str, str]
    verb: str
    done: str
    pass_id: str | None = None
    version: str | None = None
    of_administrator: bool = False
    employees: Sequence[tuple[str, str]] = ()


MASTER = ("定期区間マスタ", "/commuter/passes")
MINE = ("定期区間", "/commuter/my-passes")
REGISTER = Editor(
    title="定期区間マスタ【編集】",
    action="/commuter/passes/new",
    back=MASTER,
    verb="確定",
    done="定期区間を確定しました。以後の乗換案内で控除されます。",
    of_administrator=True,
)
APPLY = Editor(
    title="定期区間【編集】",
    action="/commuter/my-passes/new",
    back=MINE,
    verb="申請",
    done="定期区間を申請しました。管理者が確定するまで控除されません。管理者へメールでお知らせします。",
)


LONGEST = 100
END_SET = "終了日を設定しました。"
END_APPLIED = "終了日の変更を申請しました。管理者が確定すると有効になります。"


def today_of(request: Request) -> date:
    """The JST day, by the embedded clock where there is one."""
    clock = state_of(request).now
    return (clock() if clock else datetime.now(JST)).astimezone(JST).date()


@pages.get("/commuter/passes")
async def show_master(request: Request) -> Response:
    """定期区間マスタ: employees with their passes or without, and the passes that need care."""
    services = client_of(request)
    typed = {name: request.query_params.get(name, "")[:LONGEST] for name in ("text", "after")}
    health = await commuter.check_health(services)
    errors = [] if is_safe_text(typed["text"]) else [FieldError("text", MESSAGE)]
    found = await commuter.list_employees_with_passes(
        services, text="" if errors else typed["text"], after=typed["after"] or None
    )
    return await render(
        request,
        "commuter/passes.html",
        status=422 if errors else 200,
        found=found.body,
        health=health.body["items"],
        values=typed,
        errors=errors,
    )


@pages.get("/commuter/passes/new")
async def new_pass(request: Request) -> Response:
    """The empty editor of an administrator."""
    editor = await _with_employees(request, REGISTER)
    return await _editor(request, editor, dict(request.query_params))


@pages.post("/commuter/passes/new")
async def edit_new_pass(request: Request) -> Response:
    """乗換案内, 決定, 確定."""
    return await _edited(request, await _with_employees(request, REGISTER))


@pages.get("/commuter/passes/{pass_id}/edit")
async def edit_pass(request: Request, pass_id: str) -> Response:
    """編集 by an administrator."""
    editor, values = await _existing(request, pass_id, of_administrator=True)
    return await _editor(request, editor, values)


@pages.post("/commuter/passes/{pass_id}/edit")
async def save_pass(request: Request, pass_id: str) -> Response:
    """The same, sent."""
    editor, _ = await _existing(request, pass_id, of_administrator=True)
    return await _edited(request, editor)


@pages.get("/commuter/my-passes")
async def show_mine(request: Request) -> Response:
    """個人設定 > 定期区間: the own passes in a table and as a picture (R63)."""
    found = await commuter.list_my_passes(client_of(request))
    passes, today = found.body["items"], today_of(request)
    return await render(
        request,
        "commuter/my_passes.html",
        passes=passes,
        apply=found.body["apply"],
        timeline=pass_timeline(passes, today),
    )


@pages.get("/commuter/my-passes/new")
async def new_own_pass(request: Request) -> Response:
    """The empty editor of an applicant."""
    return await _editor(request, APPLY, {})


@pages.post("/commuter/my-passes/new")
async def edit_new_own_pass(request: Request) -> Response:
    """乗換案内, 決定, 申請."""
    return await _edited(request, APPLY)


@pages.get("/commuter/my-passes/{pass_id}/edit")
async def edit_own_pass(request: Request, pass_id: str) -> Response:
    """編集 of an own pass."""
    editor, values = await _existing(request, pass_id, of_administrator=False)
    return await _editor(request, editor, values)


@pages.post("/commuter/my-passes/{pass_id}/edit")
async def save_own_pass(request: Request, pass_id: str) -> Response:
    """The same, sent."""
    editor, _ = await _existing(request, pass_id, of_administrator=False)
    return await _edited(request, editor)


@pages.post("/commuter/my-passes/{pass_id}/end")
async def end_own_pass(request: Request, pass_id: str) -> Response:
    """The proposed end date of an own pass, by one click (R8)."""
    fields = await form_fields_of(request)
    body: commuter.EndBody = {"ends_on": fields.text("ends_on")}
    services = client_of(request)
    await commuter.apply_for_pass_end(services, pass_id, body, version=fields.version)
    return see_other(request, MINE[1], END_APPLIED)


@pages.post("/commuter/my-passes/{pass_id}/withdrawal")
async def withdraw(request: Request, pass_id: str) -> Response:
    """取下げ of an application, after a question."""
    fields = await form_fields_of(request)
    if not fields.confirmed:
        question = Confirmation(
            title="申請の取下げ",
            sentence="この定期区間の申請を取り下げます。よろしいですか。",
            action=f"/commuter/my-passes/{pass_id}/withdrawal",
            back=MINE[1],
            kept=fields.kept(),
            danger=True,
            crumbs=[MINE],
        )
        return await confirm(request, question, fields=fields)
    services = client_of(request)
    await commuter.withdraw_application(services, pass_id, version=fields.version)
    response = RedirectResponse(MINE[1], 303)
    announce(request, response, "申請を取り下げました。")
    return response


async def _with_employees(request: Request, editor: Editor) -> Editor:
    found = await commuter.list_employees(client_of(request))
    people = [(one["employee_id"], one["name"]) for one in found.body["items"]]
    return replace(editor, employees=people)


async def _existing(
    request: Request, pass_id: str, *, of_administrator: bool
) -> tuple[Editor, FormValues]:
    """The editor of a pass that exists, and what it holds now."""
    found = await commuter.show_pass(client_of(request), pass_id)
    one = found.body
    kind, base = (REGISTER, "passes") if of_administrator else (APPLY, "my-passes")
    start, end = one["section"].split("―")
    values: FormValues = {
        **price_values(one),
        "start": start,
        "end": end,
        "route": one["route"],
        "route_words": " ".join(one["route_words"]),
        "starts_on": (one["starts_on"] or "").replace("-", "/"),
        "ends_on": (one["ends_on"] or "").replace("-", "/"),
        "employee_id": one["employee_id"],
        "employee_name": one["employee_name"],
    }
    editor = replace(
        kind,
        action=f"/commuter/{base}/{pass_id}/edit",
        pass_id=pass_id,
        version=found.etag,
    )
    return editor, values


async def _edited(request: Request, editor: Editor) -> Response:
    """What follows from the button that was pressed."""
    fields = await form_fields_of(request)
    values = fields.values()
    starts_on, ends_on = fields.day("starts_on"), fields.day("ends_on")
    prices = prices_typed(fields)
    pressed = fields.text("do") or "look_up"  # a name chosen beside a station field
    try:
        fields.refuse_unreadable()
        if pressed == "look_up":
            values["route"] = ""
            found = await _looked_up(request, fields)
            return await _editor(request, editor, values, candidates=found)
        if pressed == "decide":
            values["route"] = fields.text("candidate")
            if not values["route"]:
                raise Problem(422, "", "利用する経路を選択してください。", "")
        body: commuter.PassBody = {
            "route": str(values.get("route", "")),
            "starts_on": starts_on,
            "ends_on": ends_on,
            **prices,
        }
        if pressed.startswith("end:"):
            values["ended"] = await _end_other(request, editor, pressed)
        if pressed == "decide" or pressed.startswith("end:"):
            met = await _met(request, fields, body)
            values["route_words"] = " ".join(met["route_words"])
            return await _editor(request, editor, values, met=met)
        return await _sent(request, editor, fields, body)
    except Problem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        beside = beside_station(problem, values, ONLY_INSIDE)
        return await _editor(request, editor, values, problem=beside)


async def _end_other(request: Request, editor: Editor, pressed: str) -> str:
    """「古い定期区間の終了日を…にする」 in the editor of a new one, and what to say of it."""
    pass_id, version, ends_on = (*pressed.split(":"), "", "", "")[1:4]
    body: commuter.EndBody = {"ends_on": ends_on}
    end = commuter.end_pass if editor.of_administrator else commuter.apply_for_pass_end
    await end(client_of(request), pass_id, body, version=f'"{version}"')
    return END_SET if editor.of_administrator else END_APPLIED


async def _looked_up(request: Request, fields: FormFields) -> Sequence[commuter.CandidateRoute]:
    typed: commuter.RouteSearchBody = {
        "start": fields.text("start"),
        "end": fields.text("end"),
        "via": [fields.text("via")] if fields.text("via") else [],
        "on": today_of(request).isoformat(),
        "order": "time",
        "for_pass": True,
    }
    return (await commuter.look_up_routes(client_of(request), typed)).body["items"]


async def _met(
    request: Request, fields: FormFields, body: commuter.PassBody
) -> commuter.CheckedPass:
    draft: commuter.DraftPass = {**body, "employee_id": fields.text("employee_id")}
    return (await commuter.check_pass(client_of(request), draft)).body


async def _sent(
    request: Request, editor: Editor, fields: FormFields, body: commuter.PassBody
) -> Response:
    services, key, version = client_of(request), fields.idempotency_key, fields.version
    if editor.pass_id is None and editor.of_administrator:
        registration: commuter.Registration = {**body, "employee_id": fields.text("employee_id")}
        await commuter.register_pass(services, registration, idempotency_key=key)
    elif editor.pass_id is None:
        await commuter.apply_for_pass(services, body, idempotency_key=key)
    elif editor.of_administrator:
        await commuter.rewrite_pass(services, editor.pass_id, body, version=version)
    else:
        await commuter.apply_for_pass_again(services, editor.pass_id, body, version=version)
    response = RedirectResponse(editor.back[1], 303)
    announce(request, response, editor.done)
    return response


async def _editor(  # noqa: PLR0913 - the stages of one form
    request: Request,
    editor: Editor,
    values: Mapping[str, object],
    *,
    candidates: Sequence[commuter.CandidateRoute] = (),
    met: commuter.CheckedPass | None = None,
    problem: Problem | None = None,
) -> Response:
    errors: Sequence[FieldError] = problem.on_form if problem else ()
    return await render(
        request,
        "commuter/pass_form.html",
        status=problem.status if problem else 200,
        editor=editor,
        values=values,
        candidates=candidates,
        met=met,
        errors=errors,
        version=editor.version,
    )
