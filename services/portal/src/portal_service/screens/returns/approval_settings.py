"""承認フロー設定（本部用） and 代理承認者 (D153, part D)."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from portal_service.api_client import FormRefused, Problem, client_of
from portal_service.confirmation import Confirmation, confirm
from portal_service.form_data import FormFields, form_fields_of
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
    """Asks, then changes it; applications on their way keep their route (A-31)."""
    fields = await form_fields_of(request)
    if fields.went_back:
        return await _flow(request, fields)
    if not fields.confirmed:
        question = Confirmation(
            title="承認フロー設定の確認",
            sentence="承認フローを変更します。手続中の申込には反映されません。よろしいですか。",
            action="/approval-flow",
            kept=fields.kept(),
            crumbs=[("承認フロー設定", "/approval-flow")],
        )
        return await confirm(request, question, fields=fields)
    chosen = fields.getlist("levels")
    body: returns.FlowBody = {
        "store_approval": "store_approval" in chosen,
        "hq_approval": "hq_approval" in chosen,
        "store_approver_notice": "store_approver_notice" in chosen,
        "hq_mails": fields.text("hq_mails").split(),
    }
    try:
        await returns.put_approval_flow(client_of(request), body, version=fields.version)
    except FormRefused as problem:
        return await _flow(request, fields, problem)
    return see_other(request, "/approval-flow", "承認フローを保存しました。")


@pages.get("/substitutes")
async def show_substitutes(request: Request, who: Approver) -> Response:
    """代理承認者 of today and later."""
    return await _substitutes(request, who)


@pages.post("/substitutes")
async def add_substitute(request: Request, who: Approver) -> Response:
    """Name a substitute; headquarters also for another approver."""
    fields = await form_fields_of(request)
    body: returns.SubstituteBody = {
        "approver_id": fields.text("approver_id") or None,
        "substitute_id": fields.text("substitute_id"),
        "from_on": fields.day("from_on"),
        "to_on": fields.day("to_on"),
    }
    try:
        fields.refuse_unreadable()
        await returns.add_substitute(client_of(request), body)
    except FormRefused as problem:
        return await _substitutes(request, who, fields, problem)
    return see_other(request, "/substitutes", "代理承認者を登録しました。")


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
