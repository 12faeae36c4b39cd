"""手続待ち・一括承認: what waits for this person; approvers approve many at once (part D)."""

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response

from portal_service.api_client import FieldError, ServiceUnavailable, client_of, or_missing
from portal_service.confirmation import Confirmation, confirm
from portal_service.form_data import form_fields_of
from portal_service.rendering import render
from portal_service.screens.returns.progress_list import STATUSES
from portal_service.service_api import returns
from shared.auth import Role, require

pages = APIRouter(
    prefix="/returns/approvals", dependencies=[require(Role.SALES, Role.MANAGER, Role.HQ)]
)

AT_ONCE = 100
"""As many as the service takes in one request."""


@pages.get("")
async def show_waiting(request: Request) -> Response:
    """あなたの手続待ち: the own work list, as an approver or as a substitute."""
    return await _screen(request)


@pages.post("")
async def approve_together(request: Request) -> Response:
    """「承認」: asks, then tells for each what became of it."""
    fields = await form_fields_of(request)
    chosen = fields.getlist("application")
    if fields.went_back:
        return await _screen(request, chosen=chosen)
    if not chosen:
        return await _screen(request, error="承認する申込を選択してください。")
    if len(chosen) > AT_ONCE:
        error = f"まとめて承認できるのは{AT_ONCE}件までです。"
        return await _screen(request, chosen=chosen, error=error)
    if not fields.confirmed:
        question = Confirmation(
            title="一括承認の確認",
            sentence=f"選択した{len(chosen)}件の申込を承認します。よろしいですか。",
            action="/returns/approvals",
            kept=fields.kept(),
            crumbs=[("進捗一覧", "/returns"), ("手続待ち・一括承認", "/returns/approvals")],
        )
        return await confirm(request, question, fields=fields)
    items: list[returns.BulkItem] = [
        {"application_id": one, "version": version} for one, version in fields.picked("application")
    ]
    done = await returns.approve_applications(client_of(request), {"items": items})
    return await _screen(request, results=done.body["results"], approved=done.body["approved"])


async def _screen(
    request: Request,
    *,
    error: str = "",
    chosen: Sequence[str] = (),
    results: list[returns.BulkResult] | None = None,
    approved: int = 0,
) -> Response:
    statuses = request.query_params.getlist("status")
    found = await or_missing(returns.list_own_work(client_of(request), status=statuses))
    approver = isinstance(found, ServiceUnavailable) or found.body["approver"]
    return await render(
        request,
        "returns/approvals.html",
        status=422 if error else 200,
        found=found,
        approver=approver,
        at_once=AT_ONCE,
        here={"status": statuses},
        chosen_statuses=[words for code, words in STATUSES if code in statuses],
        results=results,
        approved=approved,
        chosen=chosen,
        errors=[FieldError("", error)] if error else (),
    )
