"""Work of a person among slips and passes, each count by the conditions of the list behind it."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from commuter_service import queries
from commuter_service.models import AuditEntry, Slip
from commuter_service.queries import Conditions
from commuter_service.request_context import RequestContext
from commuter_service.rules.slip_approval import SlipStatus, SlipStep
from commuter_service.slips.departed import slips_of_leavers
from shared.pending_work import REMANDS_SHOWN, RemandedWork, Work, WorkCount

Counted = tuple[str, str, dict[str, str | list[str]], Conditions]
"""Key, label, filter of the list, and the conditions that both have in common."""


async def work_of(ctx: RequestContext) -> Work:
    """All the counts of the person who acts, and the newest remands with their reasons."""
    counts = [
        WorkCount(
            key=key,
            label=label,
            count=await queries.count_where(ctx.tx, wanted),
            waits=True,
            filter=named,
        )
        for key, label, named, wanted in _counted(ctx)
    ]
    if ctx.employee_id not in ctx.setting.approvers:  # who was one may still have slips
        counts = [one for one in counts if one.count or one.key != "slips_to_approve"]
    counts = [one for one in counts if one.count or one.key != "slips_of_leavers"]
    some = any(one.key == "slips_remanded" and one.count for one in counts)
    return Work(counts=counts, remanded=await _remanded(ctx) if some else [])


def _counted(ctx: RequestContext) -> Iterator[Counted]:
    me, dealer = ctx.employee_id, ctx.dealer_id
    wanted = queries.slips_to_approve(me, dealer)
    yield "slips_to_approve", "承認待ちの精算書", {"show": "to_approve"}, wanted
    mine = queries.own_slips(me, dealer, SlipStatus.REMANDED)
    yield "slips_remanded", "差戻しされた精算書", {"show": "remanded"}, mine
    if ctx.has_pass_master:
        waiting = queries.passes_of_company(dealer, status="applied")
        yield "passes", "確認待ちの定期区間", {}, waiting
    if ctx.accounting:
        approved = queries.slips_of_company(dealer, SlipStatus.APPROVED)
        left = slips_of_leavers(dealer)
        yield "slips_of_leavers", "退職者がいて進まない精算書", {"show": "of_leavers"}, left
        yield "slips_to_settle", "精算待ちの精算書", {"show": "to_settle"}, approved


async def _remanded(ctx: RequestContext) -> list[RemandedWork]:
    mine = queries.own_slips(ctx.employee_id, ctx.dealer_id, SlipStatus.REMANDED)
    slips = await queries.slips_where(ctx.tx, mine, limit=REMANDS_SHOWN)
    remands = select(AuditEntry).where(
        AuditEntry.subject_id.in_([slip.slip_id for slip in slips]),
        AuditEntry.action == SlipStep.REMAND,
    )
    found = (await ctx.tx.execute(remands.order_by(AuditEntry.trail_id))).scalars()
    newest: dict[Any, AuditEntry] = {line.subject_id: line for line in found}
    return [_shown(slip, newest.get(slip.slip_id)) for slip in slips]


def _shown(slip: Slip, line: AuditEntry | None) -> RemandedWork:
    return RemandedWork(
        subject_id=str(slip.slip_id),
        title=slip.title or "（件名なし）",
        note=queries.kind_of(slip).value,
        comment=line.said if line else None,
        by=line.actor_name if line else None,
        at=line.at if line else None,
    )
