"""承認フロー設定（本部用） and 代理承認者 (D153, part D)."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from portal_service.api_client import (
    FieldError,
    FormRefused,
    Problem,
    ServiceClient,
    client_of,
)
from portal_service.confirmation import Confirmation, confirm
from portal_service.form_data import FormFields, form_fields_of
from portal_service.formatting import day
from portal_service.rendering import render, see_other
from portal_service.screens.dropdowns import name_of, staff_to_choose
from portal_service.service_api import returns
from shared.auth import Principal, Role, require

pages = APIRouter()

Approver = Annotated[Principal, require(Role.MANAGER, Role.HQ)]


@pages.get("/approval-flow", dependencies=[require(Role.HQ)])
async def show_flow(request: Request) -> Response:
    """Who approves at this dealer, and where headquarters gets its mails."""
    return await _flow(request)


@pages.post("/approval-flow", dependencies=[require(Role.HQ)])
async def save_flow(request: Request) -> Response:
    """「確認」 checks and asks, 「OK」 saves; applications on their way keep their route (A-31)."""
    fields = await form_fields_of(request)
    if fields.went_back:
        return await _flow(request, fields)
    chosen = fields.getlist("levels")
    body: returns.FlowBody = {
        "store_approval": "store_approval" in chosen,
        "hq_approval": "hq_approval" in chosen,
        "store_approver_notice": "store_approver_notice" in chosen,
        "hq_mails": fields.text("hq_mails").splitlines(),
    }
    services = client_of(request)
    try:
        if not fields.confirmed:
            checked = await returns.check_flow(services, body, version=fields.version)
            return await confirm(request, _flow_question(fields, checked.body), fields=fields)
        await returns.put_approval_flow(services, body, version=fields.version)
    except FormRefused as problem:
        problem.errors = tuple(_of_the_line(error) for error in problem.errors)
        return await _flow(request, fields, problem)
    return see_other(request, "/approval-flow", "承認フローを保存しました。")


def _of_the_line(error: FieldError) -> FieldError:
    """An error of one line (hq_mails.0), beside the field that holds all of them."""
    field, _, line = error.field.partition(".")
    if field != "hq_mails" or not line.isdecimal():
        return error
    return FieldError(field, f"{int(line) + 1}行目：{error.message}", error.code)


def _flow_question(fields: FormFields, flow: returns.FlowBody) -> Confirmation:
    mails = flow.get("hq_mails", [])
    notes = ["手続中の申込には反映されません。"]
    if flow["hq_approval"] and not mails:
        notes.append("本部承認者のメールアドレスが空欄のため、承認依頼メールは送信されません。")
    return Confirmation(
        title="承認フロー設定の確認",
        sentence="承認フローを変更します。よろしいですか。",
        action="/approval-flow",
        kept=fields.kept(),
        facts=[
            ("店長の承認", "あり" if flow["store_approval"] else "なし"),
            ("本部担当者の承認", "あり" if flow["hq_approval"] else "なし"),
            ("店舗承認者への通知", "する" if flow.get("store_approver_notice") else "しない"),
            ("本部承認者のメールアドレス", "、".join(mails)),
        ],
        notes=notes,
        crumbs=[("承認フロー設定", "/approval-flow")],
    )


@pages.get("/substitutes")
async def show_substitutes(request: Request, who: Approver) -> Response:
    """代理承認者 of today and later."""
    return await _substitutes(request, who)


@pages.post("/substitutes")
async def add_substitute(request: Request, who: Approver) -> Response:
    """「確認」 checks and asks, 「OK」 registers; headquarters also for another approver."""
    fields = await form_fields_of(request)
    if fields.went_back:
        return await _substitutes(request, who, fields)
    body: returns.SubstituteBody = {
        "approver_id": fields.text("approver_id") or None,
        "substitute_id": fields.text("substitute_id") or None,
        "from_on": fields.day("from_on"),
        "to_on": fields.day("to_on"),
    }
    services = client_of(request)
    try:
        if not fields.confirmed:
            checked = await _check_substitute(services, fields, body)
            return await confirm(request, _substitute_question(fields, checked), fields=fields)
        await returns.add_substitute(services, body)
    except FormRefused as problem:
        return await _substitutes(request, who, fields, problem)
    return see_other(request, "/substitutes", "代理承認者を登録しました。")


async def _check_substitute(
    services: ServiceClient, fields: FormFields, body: returns.SubstituteBody
) -> returns.SubstitutionAnswer:
    """The substitution with its names; raises FormRefused with unreadable days among the errors."""
    try:
        checked = await returns.check_substitute(services, body)
    except FormRefused as problem:
        unreadable = {error.field for error in fields.errors}
        others = [error for error in problem.errors if error.field not in unreadable]
        if not problem.errors:
            others = [FieldError("substitute_id", problem.words, problem.code)]
        errors = (*others, *fields.errors)
        raise FormRefused(problem.status, problem.code, "", problem.detail, errors) from problem
    fields.refuse_unreadable()
    return checked.body


def _substitute_question(fields: FormFields, found: returns.SubstitutionAnswer) -> Confirmation:
    return Confirmation(
        title="代理承認者の確認",
        sentence="この内容で代理承認者を登録します。よろしいですか。",
        action="/substitutes",
        kept=fields.kept(),
        facts=[
            ("承認者", found["approver_name"]),
            ("代理承認者", found["substitute_name"]),
            ("期間", f"{day(found['from_on'])} ～ {day(found['to_on'])}"),
        ],
        notes=["代理承認者へは、メールは送信されません。ご本人へご連絡ください。"],
        crumbs=[("代理承認者", "/substitutes")],
    )


@pages.post("/substitutes/{number}/end")
async def end_substitute(request: Request, number: int, who: Approver) -> Response:
    """Take a substitution back, after a question."""
    fields = await form_fields_of(request)
    if not fields.confirmed:
        question = Confirmation(
            title="代理の取消し",
            sentence="この代理を取り消します。よろしいですか。",
            action=f"/substitutes/{number}/end",
            back="/substitutes",
            kept=fields.kept(),
            danger=True,
            crumbs=[("代理承認者", "/substitutes")],
        )
        return await confirm(request, question, fields=fields)
    try:
        await returns.remove_substitute(client_of(request), number, version=fields.version)
    except FormRefused as problem:
        return await _substitutes(request, who, None, problem)
    return see_other(request, "/substitutes", "代理を取り消しました。")


async def _flow(
    request: Request, fields: FormFields | None = None, problem: Problem | None = None
) -> Response:
    services = client_of(request)
    found = await returns.get_approval_flow(services)
    flow = found.body
    stored = {
        "levels": [name for name, chosen in flow.items() if chosen is True],
        "hq_mails": "\n".join(flow["hq_mails"]),
    }
    return await render(
        request,
        "returns/flow.html",
        status=problem.status if problem else 200,
        flow=flow,
        changed_by=await name_of(services, flow["updated_by"]),
        version=found.etag,
        values=fields.values(["levels"]) if fields else stored,
        errors=problem.on_form if problem else (),
    )


async def _substitutes(
    request: Request,
    who: Principal,
    fields: FormFields | None = None,
    problem: Problem | None = None,
) -> Response:
    services = client_of(request)
    found = await returns.list_substitutes(services)
    return await render(
        request,
        "returns/substitutes.html",
        status=problem.status if problem else 200,
        substitutes=found.body["items"],
        staff=await staff_to_choose(services, dealer=who.dealer or ""),
        for_others=who.has(Role.HQ),
        values=fields.values() if fields else {},
        errors=problem.on_form if problem else (),
    )
