"""Succession of slips: accounting goes on where a person has left (D157)."""

from dataclasses import replace
from uuid import UUID

from commuter_service.actions.audit_trail import add_audit_entry
from commuter_service.actions.slip_items import total_yen
from commuter_service.actions.slips import state_of
from commuter_service.models import Employee, Slip
from commuter_service.queries import items_of, slip_for
from commuter_service.request_context import RequestContext
from commuter_service.rules.slip_succession import Departure, NobodyLeft, Successor, chain_with
from commuter_service.slips.departed import departure, people_of, people_who_left
from event_contracts.commuter import SlipMoved
from shared import outbox
from shared.concurrency import check_version

HAND_ON = "hand_on"


async def hand_on_slip(
    ctx: RequestContext, slip_id: UUID, version: int, approver_id: str | None
) -> Slip:
    """Name the approver instead of one who has left, or go on for an applicant who has left.

    Raises NotFound, VersionConflict, NobodyLeft, FormErrors.
    """
    slip = await slip_for(
        ctx.tx, ctx.dealer_id, slip_id, ctx.employee_id, accounting=True, lock=True
    )
    check_version(slip.version, version)
    match departure(slip, await people_who_left(ctx.tx, people_of(slip))):
        case None:
            raise NobodyLeft
        case Departure.APPROVER:
            await _replace_approver(ctx, slip, approver_id)
        case Departure.APPLICANT:
            _go_on_for_applicant(ctx, slip)
    slip.version += 1
    slip.updated_at = ctx.now
    return slip


async def _replace_approver(ctx: RequestContext, slip: Slip, approver_id: str | None) -> None:
    state = state_of(slip)
    known = await ctx.tx.get(Employee, approver_id) if approver_id else None
    named = None
    if known is not None and known.dealer_id == ctx.dealer_id:
        named = Successor(known.employee_id, known.active)
    chain = chain_with(state, named, owner=slip.employee_id, entered_by=slip.entered_by)
    before = {"approver": state.chain[state.step]}
    slip.chain = list(replace(state, chain=chain).chain)
    after = {"approver": chain[state.step], "status": slip.status}
    move_id = add_audit_entry(
        ctx, slip.slip_id, slip.employee_id, HAND_ON, before=before, after=after
    )
    moved = SlipMoved(
        dealer_id=slip.dealer_id,
        slip_id=str(slip.slip_id),
        employee_id=slip.employee_id,
        status="pending",
        total_yen=total_yen(await items_of(ctx.tx, slip.slip_id)),
        step=HAND_ON,
        move_id=str(move_id),
    )
    await outbox.add(ctx.tx, moved, now=ctx.now)


def _go_on_for_applicant(ctx: RequestContext, slip: Slip) -> None:
    slip.entered_by = ctx.employee_id
    after = {"entered_by": ctx.employee_id}
    add_audit_entry(ctx, slip.slip_id, slip.employee_id, HAND_ON, after=after)
