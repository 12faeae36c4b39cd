"""月次締め: closing a month, reopening it, and asking for what is not submitted (R93-R96)."""

from collections.abc import Iterable
from datetime import date
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import func, select

from commuter_service.actions.audit_trail import add_audit_entry
from commuter_service.models import MonthClosing, SlipItem
from commuter_service.request_context import RequestContext
from commuter_service.rules.company_setting import RightMissing
from commuter_service.rules.month_closing import (
    check_closing,
    check_month,
    check_reopening,
)
from commuter_service.rules.slip_approval import SlipStatus, SlipStep
from commuter_service.slips.closing import closed_months, closing_of, unsubmitted_by_owner
from event_contracts.commuter import SubmissionRequested
from shared import outbox
from shared.concurrency import check_version
from shared.errors import Kind, Refusal


class NothingToRequest(Refusal):
    """Everything of the month is submitted."""

    code = "NOTHING_TO_REQUEST"
    kind = Kind.CONFLICT
    message = "未提出の精算書はありません"


def month_subject(dealer_id: str, month: date) -> UUID:
    """What the trail calls a month of a company."""
    return uuid5(NAMESPACE_URL, f"urn:madoguchi:month:{dealer_id}:{month.isoformat()}")


async def close_month(ctx: RequestContext, month: date, version: int) -> MonthClosing:
    """締め. Raises MonthNotOver, MonthStateUnchanged, VersionConflict."""
    kept = await _locked(ctx, month, version)
    check_closing(month, closed=kept.closed, today=ctx.today)
    return _changed(ctx, kept, closed=True, reason=None)


async def reopen_month(ctx: RequestContext, month: date, version: int, reason: str) -> MonthClosing:
    """締めの解除, with a reason. Raises MonthStateUnchanged, VersionConflict."""
    kept = await _locked(ctx, month, version)
    check_reopening(month, reason, closed=kept.closed)
    return _changed(ctx, kept, closed=False, reason=reason.strip())


async def request_submissions(ctx: RequestContext, month: date) -> int:
    """Ask the owners of slips that are not submitted; returns how many are asked (R96)."""
    _need_accounting(ctx)
    owners = await unsubmitted_by_owner(ctx.tx, ctx.dealer_id, month)
    if not owners:
        raise NothingToRequest
    events = [
        SubmissionRequested(
            dealer_id=ctx.dealer_id,
            month=f"{month:%Y-%m}",
            employee_id=one.employee_id,
            slips=one.slips,
        )
        for one in owners
    ]
    await outbox.add_many(ctx.tx, events, now=ctx.now)
    asked = {"owners": [one.employee_id for one in owners]}
    subject = month_subject(ctx.dealer_id, month)
    add_audit_entry(ctx, subject, ctx.employee_id, "request_submissions", after=asked)
    return len(owners)


async def check_months(
    ctx: RequestContext,
    step: SlipStep,
    status: SlipStatus,
    *items: Iterable[SlipItem | date | None],
) -> None:
    """Refuse a step that would change a closed month. Raises MonthClosed.

    Closing takes the same lock alone: it waits for steps that have begun, and they for it.
    """
    days = {one.item_on if isinstance(one, SlipItem) else one for some in items for one in some}
    await ctx.tx.execute(select(func.pg_advisory_xact_lock_shared(_lock_key(ctx.dealer_id))))
    check_month(step, status, days, await closed_months(ctx.tx, ctx.dealer_id, days))


async def _locked(ctx: RequestContext, month: date, version: int) -> MonthClosing:
    _need_accounting(ctx)
    await ctx.tx.execute(select(func.pg_advisory_xact_lock(_lock_key(ctx.dealer_id))))
    kept = await closing_of(ctx.tx, ctx.dealer_id, month)
    check_version(kept.version, version)
    return kept


def _changed(
    ctx: RequestContext, kept: MonthClosing, *, closed: bool, reason: str | None
) -> MonthClosing:
    kept.version += 1
    kept.closed, kept.reason = closed, reason
    kept.changed_at, kept.changed_by, kept.changed_by_name = ctx.now, ctx.employee_id, ctx.name
    ctx.tx.add(kept)
    add_audit_entry(
        ctx,
        month_subject(kept.dealer_id, kept.month),
        ctx.employee_id,
        "close_month" if closed else "reopen_month",
        said=reason,
    )
    return kept


def _lock_key(dealer_id: str) -> object:
    return func.hashtextextended(f"month_closing:{dealer_id}", 0)


def _need_accounting(ctx: RequestContext) -> None:
    if not ctx.accounting:
        raise RightMissing("経理の権限がありません")
