"""月次締め: months, what stands in the way of closing one, closing, and reopening (R93-R96)."""

from fastapi import APIRouter, Request, Response

from portal_service import formatting
from portal_service.api_client import Problem, client_of
from portal_service.confirmation import Confirmation, confirm
from portal_service.form_data import form_fields_of
from portal_service.rendering import render, see_other
from portal_service.screens.commuter.desk import ACCOUNTING
from portal_service.screens.commuter.passes import FORM_STATUSES
from portal_service.service_api import commuter

pages = APIRouter(prefix="/commuter/months", dependencies=[ACCOUNTING])

MONTHS = ("月次締め", "/commuter/months")
NOTE = (
    "締めた月の日付の明細は、申請も承認もできなくなります。承認済みの精算書の精算は続けられます。"
)


@pages.get("")
async def show_months(request: Request) -> Response:
    """The present month and those before."""
    found = await commuter.list_months(client_of(request))
    return await render(request, "commuter/months.html", months=found.body["items"])


@pages.get("/{month}")
async def show_month(request: Request, month: str) -> Response:
    """One month: who has not submitted, what waits, and what was done."""
    return await _month(request, month)


@pages.post("/{month}/closing")
async def close_month(request: Request, month: str) -> Response:
    """締め, after a question that says what is still missing."""
    fields, services = await form_fields_of(request), client_of(request)
    if not fields.confirmed:
        found = (await commuter.show_month(services, month)).body
        missing = sum(one["slips"] for one in found["unsubmitted"])
        waiting = sum(one["count"] for one in found["submitted"] if one["status"] == "pending")
        question = Confirmation(
            title=f"{formatting.month(month)}の締め",
            sentence=f"{formatting.month(month)}を締めます。よろしいですか。",
            action=f"{MONTHS[1]}/{month}/closing",
            back=f"{MONTHS[1]}/{month}",
            kept=fields.kept(),
            facts=[
                ("未提出", formatting.count(missing)),
                ("承認待ち", formatting.count(waiting)),
            ],
            notes=[NOTE],
            crumbs=[MONTHS],
        )
        return await confirm(request, question, fields=fields)
    try:
        await commuter.close_month(services, month, version=fields.version)
    except Problem as problem:
        return await _refused(request, month, problem)
    return see_other(request, f"{MONTHS[1]}/{month}", f"{formatting.month(month)}を締めました。")


@pages.post("/{month}/reopening")
async def reopen_month(request: Request, month: str) -> Response:
    """締めの解除, with its reason."""
    fields, services = await form_fields_of(request), client_of(request)
    body: commuter.ReopenBody = {"reason": fields.text("reason")}
    try:
        await commuter.reopen_month(services, month, body, version=fields.version)
    except Problem as problem:
        return await _refused(request, month, problem, reason=fields.text("reason"))
    return see_other(
        request, f"{MONTHS[1]}/{month}", f"{formatting.month(month)}の締めを解除しました。"
    )


@pages.post("/{month}/submission-requests")
async def request_submissions(request: Request, month: str) -> Response:
    """提出の依頼 to everybody with unsubmitted slips."""
    await form_fields_of(request)
    try:
        asked = await commuter.request_submissions(client_of(request), month)
    except Problem as problem:
        return await _refused(request, month, problem)
    words = f"{formatting.count(asked.body['employees'], '名')}に提出を依頼しました。"
    return see_other(request, f"{MONTHS[1]}/{month}", words)


async def _refused(request: Request, month: str, problem: Problem, reason: str = "") -> Response:
    if problem.status not in FORM_STATUSES:
        raise problem
    return await _month(request, month, problem, reason)


async def _month(
    request: Request, month: str, problem: Problem | None = None, reason: str = ""
) -> Response:
    found = await commuter.show_month(client_of(request), month)
    return await render(
        request,
        "commuter/month.html",
        status=problem.status if problem else 200,
        one=found.body,
        version=found.etag,
        values={"reason": reason},
        errors=problem.on_form if problem else (),
    )
