"""承認フロー設定（本部用） and 代理承認者 (D153, part D)."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from portal_service.entries import Entries, entries_of
from portal_service.frame import announce, page
from portal_service.question import Question, ask
from portal_service.screens.masters import name_of, staff_to_choose
from portal_service.upstream import Problem, services_of
from shared.auth import Principal, Role, require

pages = APIRouter()

Approver = Annotated[Principal, require(Role.MANAGER, Role.HQ)]
SETTINGS = {"store_approval", "hq_approval", "store_approver_notice"}


@pages.get("/approval-flow", dependencies=[require(Role.HQ)])
async def show_flow(request: Request) -> Response:
    """Who approves at this dealer, and where headquarters gets its mails."""
    return await _flow(request)


@pages.post("/approval-flow", dependencies=[require(Role.HQ)])
async def save_flow(request: Request) -> Response:
    """Asks, then changes it; applications on their way keep their route (A-31)."""
    entries = await entries_of(request)
    if entries.turned_back:
        return await _flow(request, entries)
    if not entries.confirmed:
        question = Question(
            title="承認フロー設定の確認",
            sentence="承認フローを変更します。手続中の申込には反映されません。よろしいですか。",
            action="/approval-flow",
            kept=entries.kept(),
            crumbs=[("承認フロー設定", "/approval-flow")],
        )
        return await ask(request, question, entries=entries)
    chosen = entries.some("levels")
    body = {
        **{name: name in chosen for name in sorted(SETTINGS)},
        "hq_mails": entries.text("hq_mails").split(),
    }
    try:
        await services_of(request).send(
            "returns", "PUT", "/approval-flow", body, version=entries.version
        )
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        return await _flow(request, entries, problem)
    response = RedirectResponse("/approval-flow", 303)
    announce(request, response, "承認フローを保存しました。")
    return response


@pages.get("/substitutes")
async def show_substitutes(request: Request, who: Approver) -> Response:
    """代理承認者 of today and later."""
    return await _substitutes(request, who)


@pages.post("/substitutes")
async def add_substitute(request: Request, who: Approver) -> Response:
    """Name a substitute; headquarters also for another approver."""
    entries = await entries_of(request)
    body = {
        "approver_id": entries.text("approver_id") or None,
        "substitute_id": entries.text("substitute_id"),
        "from_on": entries.day("from_on"),
        "to_on": entries.day("to_on"),
    }
    try:
        entries.refuse_unreadable()
        await services_of(request).send("returns", "POST", "/substitutes", body)
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        return await _substitutes(request, who, entries, problem)
    response = RedirectResponse("/substitutes", 303)
    announce(request, response, "代理承認者を登録しました。")
    return response


@pages.post("/substitutes/{number}/end")
async def end_substitute(request: Request, number: int, who: Approver) -> Response:
    """Take a substitution back, after a question."""
    entries = await entries_of(request)
    if not entries.confirmed:
        question = Question(
            title="代理の取消し",
            sentence="この代理を取り消します。よろしいですか。",
            action=f"/substitutes/{number}/end",
            back="/substitutes",
            kept=entries.kept(),
            danger=True,
            crumbs=[("代理承認者", "/substitutes")],
        )
        return await ask(request, question, entries=entries)
    try:
        await services_of(request).send(
            "returns", "DELETE", f"/substitutes/{number}", version=entries.version
        )
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        return await _substitutes(request, who, None, problem)
    response = RedirectResponse("/substitutes", 303)
    announce(request, response, "代理を取り消しました。")
    return response


async def _flow(
    request: Request, entries: Entries | None = None, problem: Problem | None = None
) -> Response:
    services = services_of(request)
    found = await services.get("returns", "/approval-flow")
    flow = found.body
    stored = {
        "levels": [name for name in sorted(SETTINGS) if flow[name]],
        "hq_mails": "\n".join(flow["hq_mails"]),
    }
    return await page(
        request,
        "returns/flow.html",
        status=problem.status if problem else 200,
        flow=flow,
        changed_by=await name_of(services, flow["updated_by"]),
        version=found.etag,
        values=entries.values(["levels"]) if entries else stored,
        errors=problem.on_form if problem else (),
    )


async def _substitutes(
    request: Request,
    who: Principal,
    entries: Entries | None = None,
    problem: Problem | None = None,
) -> Response:
    services = services_of(request)
    found = await services.get("returns", "/substitutes")
    return await page(
        request,
        "returns/substitutes.html",
        status=problem.status if problem else 200,
        substitutes=found.body["items"],
        staff=await staff_to_choose(services, dealer=who.dealer or ""),
        for_others=who.has(Role.HQ),
        values=entries.values() if entries else {},
        errors=problem.on_form if problem else (),
    )
