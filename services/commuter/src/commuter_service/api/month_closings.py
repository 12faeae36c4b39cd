"""月次締め: months, their closing and reopening, and asking for what is missing (R93-R96)."""

from datetime import date, datetime

from fastapi import APIRouter, Response
from pydantic import BaseModel

from commuter_service import queries
from commuter_service.actions import month_closings as actions
from commuter_service.api.dependencies import ACCOUNTING, Body, Ctx, Text, Version
from commuter_service.api.slip_desk import DeskTab, MonthInPath, first_of
from commuter_service.models import MonthClosing
from commuter_service.passes.schemas import TrailLine, audit_json
from commuter_service.request_context import RequestContext
from commuter_service.rules.company_setting import RightMissing
from commuter_service.rules.month_closing import (
    MonthNotOver,
    MonthStateUnchanged,
    ReopeningReasonMissing,
    last_day_of,
    month_of,
)
from commuter_service.slips.closing import (
    closing_of,
    closings_since,
    sums_of_month,
    unsubmitted_by_owner,
)
from shared.http import etag
from shared.refusals import refuses

router = APIRouter(dependencies=[ACCOUNTING])
MONTHS_SHOWN = 13
WORDS = {
    "close_month": "締め",
    "reopen_month": "締めの解除",
    "request_submissions": "提出の依頼",
}


class MonthLine(BaseModel):
    """A month: closed or open, since when and by whom."""

    month: str
    version: int
    closed: bool
    over: bool
    changed_at: datetime | None
    changed_by_name: str | None
    reason: str | None


class Months(BaseModel):
    """The present month and those before, the latest first."""

    items: list[MonthLine]


class UnsubmittedLine(BaseModel):
    """An employee who has not submitted slips of the month."""

    employee_id: str
    employee_name: str
    store_code: str | None
    slips: int


class MonthAnswer(MonthLine):
    """A month with what stands in the way of closing it, and its trail."""

    unsubmitted: list[UnsubmittedLine]
    submitted: list[DeskTab]
    trail: list[TrailLine]


class ReopenBody(Body):
    """Why the month is reopened."""

    reason: Text = ""


class Requested(BaseModel):
    """How many employees were asked to submit."""

    employees: int


@router.get("/month-closings")
async def list_months(ctx: Ctx) -> Months:
    """The last months."""
    months = [month_of(ctx.today)]
    while len(months) < MONTHS_SHOWN:
        months.append(month_of(date.fromordinal(months[-1].toordinal() - 1)))
    known = await closings_since(ctx.tx, ctx.dealer_id, months[-1])
    return Months(
        items=[
            _line(ctx, known.get(month) or await closing_of(ctx.tx, ctx.dealer_id, month))
            for month in months
        ]
    )


@router.get("/month-closings/{month:key}")
async def show_month(month: MonthInPath, ctx: Ctx, response: Response) -> MonthAnswer:
    """A month: who has not submitted, what waits, and what was done."""
    return await _answered(ctx, await closing_of(ctx.tx, ctx.dealer_id, first_of(month)), response)


@router.post("/month-closings/{month:key}/closing")
@refuses(RightMissing, MonthNotOver, MonthStateUnchanged)
async def close_month(
    month: MonthInPath, version: Version, ctx: Ctx, response: Response
) -> MonthAnswer:
    """締め (R93)."""
    return await _answered(ctx, await actions.close_month(ctx, first_of(month), version), response)


@router.post("/month-closings/{month:key}/reopening")
@refuses(RightMissing, MonthStateUnchanged, ReopeningReasonMissing)
async def reopen_month(
    month: MonthInPath, body: ReopenBody, version: Version, ctx: Ctx, response: Response
) -> MonthAnswer:
    """締めの解除, with a reason (R95)."""
    done = await actions.reopen_month(ctx, first_of(month), version, body.reason)
    return await _answered(ctx, done, response)


@router.post("/month-closings/{month:key}/submission-requests")
@refuses(RightMissing, actions.NothingToRequest)
async def request_submissions(month: MonthInPath, ctx: Ctx) -> Requested:
    """提出の依頼 to everybody with unsubmitted slips of the month (R96)."""
    return Requested(employees=await actions.request_submissions(ctx, first_of(month)))


async def _answered(ctx: RequestContext, kept: MonthClosing, response: Response) -> MonthAnswer:
    await ctx.tx.flush()
    response.headers.update(etag(kept.version))
    sums = await sums_of_month(ctx.tx, ctx.dealer_id, kept.month)
    owners = await unsubmitted_by_owner(ctx.tx, ctx.dealer_id, kept.month)
    subject = actions.month_subject(ctx.dealer_id, kept.month)
    return MonthAnswer(
        **dict(_line(ctx, kept)),
        unsubmitted=[
            UnsubmittedLine(
                employee_id=one.employee_id,
                employee_name=one.name,
                store_code=one.store_code,
                slips=one.slips,
            )
            for one in owners
        ],
        submitted=[
            DeskTab(
                status=status,
                status_japanese=status.label_ja,
                count=one.count,
                total_yen=one.total_yen,
            )
            for status, one in sorted(sums.items())
        ],
        trail=audit_json(await queries.audit_entries_of(ctx.tx, subject), WORDS),
    )


def _line(ctx: RequestContext, kept: MonthClosing) -> MonthLine:
    touched = kept.version > 0
    return MonthLine(
        month=f"{kept.month:%Y-%m}",
        version=kept.version,
        closed=kept.closed,
        over=ctx.today > last_day_of(kept.month),
        changed_at=kept.changed_at if touched else None,
        changed_by_name=kept.changed_by_name if touched else None,
        reason=kept.reason,
    )
