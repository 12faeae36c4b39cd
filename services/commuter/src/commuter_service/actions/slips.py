"""Slips saved, submitted, approved, sent back and copied (R22, R23, R42, R54-R60)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import delete

from commuter_service.actions.audit_trail import add_audit_entry
from commuter_service.actions.month_closings import check_months
from commuter_service.actions.new_slip import delegated_slip, new_slip
from commuter_service.actions.receipts_of_items import (
    hand_in_receipts,
    keep_receipts_of,
    restorable_items,
)
from commuter_service.actions.slip_items import (
    Decision,
    IcCardRow,
    ItemInput,
    SlipKindHoldsNoRides,
    apply_candidate,
    copy_of,
    facts_of,
    ic_card_item,
    items_from_input,
    total_yen,
)
from commuter_service.actions.slip_submission import check_submission
from commuter_service.exports.transfer_queries import is_transferred
from commuter_service.models import Slip, SlipItem
from commuter_service.passes.employee_passes import (
    EmployeePasses,
    passes_of_employee,
    with_quoted_fares,
)
from commuter_service.queries import has_unconfirmed_pass, items_of, kind_of, passes_of, slip_for
from commuter_service.request_context import RequestContext
from commuter_service.rules.route_search_policy import (
    Media,
    check_look_up,
)
from commuter_service.rules.slip_approval import (
    NoApprover,
    SlipActor,
    SlipState,
    SlipStatus,
    SlipStep,
    approval_chain,
    check_total,
    step_slip,
)
from commuter_service.rules.slip_kind import USES_SEARCH, SlipDeed, SlipKind, check_unconfirmed_pass
from commuter_service.rules.zengin_transfer import SlipTransferred
from event_contracts.commuter import SlipMoved
from shared import outbox
from shared.concurrency import check_version
from shared.http import NotFound


class SavedBy(StrEnum):
    """Why a slip is saved: by itself, or because somebody pressed 一時保存."""

    AUTO = "auto_save"
    PERSON = "save"


@dataclass(frozen=True, slots=True)
class SlipInput:
    """What stands on the form of a slip."""

    title: str
    purpose: str
    trip_from: date | None
    trip_to: date | None
    items: tuple[ItemInput, ...]


@dataclass(frozen=True, slots=True)
class LockedSlip:
    """A slip held for a change, with what the change is judged by."""

    slip: Slip
    items: Sequence[SlipItem]
    passes: EmployeePasses
    actor: SlipActor

    @property
    def state(self) -> SlipState:
        """As the rules see it."""
        return state_of(self.slip)


def state_of(slip: Slip) -> SlipState:
    """Where a slip stands."""
    return SlipState(SlipStatus(slip.status), tuple(slip.chain), slip.step)


def actor_of(ctx: RequestContext, slip: Slip) -> SlipActor:
    """What a person is to a slip."""
    pending = slip.status == SlipStatus.PENDING
    return SlipActor(
        is_owner=ctx.employee_id in {slip.employee_id, slip.entered_by},
        is_next_approver=pending and slip.chain[slip.step] == ctx.employee_id,
        accounting=ctx.accounting,
        edit_at_approval=ctx.permission.edit_at_approval,
        edit_after_approval=ctx.permission.edit_after_approval,
    )


def chain_now(ctx: RequestContext, slip: Slip) -> tuple[str, ...]:
    """The chain that this slip would take now; empty where nobody could approve."""
    try:
        return approval_chain(ctx.setting.approvers, slip.employee_id, slip.entered_by)
    except NoApprover:
        return ()


async def create_slip(
    ctx: RequestContext,
    kind: SlipKind,
    typed: SlipInput,
    saved_by: SavedBy,
    owner: str | None = None,
) -> Slip:
    """The first save of a slip, possibly for somebody else (R97); not while blocked (R22)."""
    slip = new_slip(ctx, kind, ctx.employee_id)
    if owner not in {None, ctx.employee_id}:
        slip = await delegated_slip(ctx, kind, owner)
    await _not_blocked(ctx, slip, SlipDeed.CREATE)
    ctx.tx.add(slip)
    await ctx.tx.flush()
    passes = passes_of_employee(await passes_of(ctx.tx, slip.employee_id), ctx.tariffs.network)
    items = await _write(ctx, LockedSlip(slip, (), passes, actor_of(ctx, slip)), typed)
    add_audit_entry(ctx, slip.slip_id, slip.employee_id, saved_by.value, after=facts_of(items))
    return slip


async def save_slip(
    ctx: RequestContext, slip_id: UUID, version: int, typed: SlipInput, saved_by: SavedBy
) -> Slip:
    """Save what stands on the form: the owner, the next approver, or accounting (R42, R58-R60)."""
    opened = await locked_slip(ctx, slip_id, version)
    slip = opened.slip
    step_slip(opened.state, SlipStep.EDIT, opened.actor, approvers=chain_now(ctx, slip))
    if any(item.decision for item in typed.items):
        await _not_blocked(ctx, slip, SlipDeed.SEARCH)
    before, total = facts_of(opened.items), total_yen(opened.items)
    days = [item.item_on for item in opened.items]
    items = await _write(ctx, opened, typed)
    _check_edit(ctx, opened, total, items)
    await check_months(ctx, SlipStep.EDIT, opened.state.status, days, items)
    add_audit_entry(
        ctx,
        slip_id, slip.employee_id, _edit_name(opened, saved_by), before=before,
        after=facts_of(items),
    )  # fmt: skip
    return slip


async def decide_item(
    ctx: RequestContext, slip_id: UUID, version: int, item_id: UUID, decision: Decision
) -> Slip:
    """決定 in the look-up of one item, first or again (R40, R43)."""
    opened = await locked_slip(ctx, slip_id, version)
    slip = opened.slip
    step_slip(opened.state, SlipStep.EDIT, opened.actor, approvers=chain_now(ctx, slip))
    await _not_blocked(ctx, slip, SlipDeed.SEARCH)
    item = next((one for one in opened.items if one.item_id == item_id), None)
    if item is None:
        raise NotFound
    _check_policy(ctx, decision)
    ride = await with_quoted_fares(ctx.tx, decision.ride, opened.passes, ctx.tariffs.network)
    before, total = facts_of(opened.items), total_yen(opened.items)
    await check_months(ctx, SlipStep.EDIT, opened.state.status, opened.items)
    apply_candidate(slip, item, replace(decision, ride=ride), opened.passes, ctx.tariffs)
    _check_edit(ctx, opened, total, opened.items)
    touch(ctx, slip)
    add_audit_entry(
        ctx, slip_id, slip.employee_id, "deduct", before=before, after=facts_of(opened.items)
    )
    return slip


async def import_ic_card(
    ctx: RequestContext, slip_id: UUID, version: int, rows: Sequence[IcCardRow]
) -> Slip:
    """Rows of the card as they are; possibly mixed with looked-up items (R34, R35)."""
    opened = await locked_slip(ctx, slip_id, version)
    slip = opened.slip
    if kind_of(slip) not in USES_SEARCH:
        raise SlipKindHoldsNoRides
    step_slip(opened.state, SlipStep.EDIT, opened.actor, approvers=chain_now(ctx, slip))
    total, first = total_yen(opened.items), len(opened.items)
    added = [ic_card_item(slip, first + number, row) for number, row in enumerate(rows)]
    ctx.tx.add_all(added)
    items = [*opened.items, *added]
    await check_months(ctx, SlipStep.EDIT, opened.state.status, items)
    _check_edit(ctx, opened, total, items)
    touch(ctx, slip)
    add_audit_entry(
        ctx,
        slip_id, slip.employee_id, "import_ic_card",
        before=facts_of(opened.items), after=facts_of(items),
    )  # fmt: skip
    return slip


async def move_slip(
    ctx: RequestContext, slip_id: UUID, version: int, step: SlipStep, comment: str = ""
) -> Slip:
    """申請, 承認, 差戻し, 取下げ, 否認, 精算 and its undoing. Raises also MonthClosed."""
    opened = await locked_slip(ctx, slip_id, version)
    slip, approvers = opened.slip, tuple[str, ...]()
    if step is SlipStep.SUBMIT:
        step_slip(opened.state, step, opened.actor)
        await _not_blocked(ctx, slip, SlipDeed.SUBMIT)
        await check_submission(ctx, slip, opened.items, opened.passes)
        approvers = approval_chain(ctx.setting.approvers, slip.employee_id, slip.entered_by)
    after = step_slip(opened.state, step, opened.actor, approvers=approvers, comment=comment)
    if step is SlipStep.UNSETTLE and await is_transferred(ctx.tx, slip_id):
        raise SlipTransferred
    await check_months(ctx, step, opened.state.status, opened.items)
    if step is SlipStep.SUBMIT:
        slip.submitted_at = ctx.now
        await hand_in_receipts(ctx, slip)
    event = enter_step(ctx, slip, step, after, total_yen(opened.items), comment)
    await outbox.add(ctx.tx, event, now=ctx.now)
    return slip


def enter_step(  # noqa: PLR0913, PLR0917 - the step with what came of it
    ctx: RequestContext,
    slip: Slip,
    step: SlipStep,
    after: SlipState,
    yen: int,
    comment: str = "",
) -> SlipMoved:
    """Write the state after a step with its line of the trail; returns its event to emit."""
    before = {"status": slip.status, "step": slip.step}
    slip.status, slip.chain, slip.step = after.status.value, list(after.chain), after.step
    slip.settled_at = ctx.now if after.status is SlipStatus.SETTLED else None
    touch(ctx, slip)
    move_id = add_audit_entry(
        ctx,
        slip.slip_id, slip.employee_id, step.value,
        before=before, after={"status": slip.status, "step": slip.step},
        said=comment.strip() or None,
    )  # fmt: skip
    return SlipMoved(
        dealer_id=slip.dealer_id, slip_id=str(slip.slip_id), employee_id=slip.employee_id,
        status=after.status.value, total_yen=yen, step=step.value, move_id=str(move_id),
    )  # fmt: skip


async def delete_slip(ctx: RequestContext, slip_id: UUID, version: int) -> None:
    """Throw an own slip away, as long as it is at home; the trail stays."""
    opened = await locked_slip(ctx, slip_id, version)
    step_slip(opened.state, SlipStep.DELETE, opened.actor)
    before = facts_of(opened.items)
    await keep_receipts_of(ctx, opened.items)
    add_audit_entry(ctx, slip_id, opened.slip.employee_id, SlipStep.DELETE.value, before=before)
    await ctx.tx.execute(delete(Slip).where(Slip.slip_id == slip_id))


async def copy_slip(ctx: RequestContext, slip_id: UUID) -> Slip:
    """伝票コピー: a new draft with the same lines, from any status (R57)."""
    slip = await slip_for(ctx.tx, ctx.dealer_id, slip_id, ctx.employee_id, accounting=False)
    step_slip(state_of(slip), SlipStep.COPY, actor_of(ctx, slip))
    await _not_blocked(ctx, slip, SlipDeed.CREATE)
    entered_by = slip.entered_by if slip.employee_id != ctx.employee_id else None
    copied = new_slip(ctx, kind_of(slip), slip.employee_id, entered_by)
    copied.title, copied.purpose, copied.copied_from = slip.title, slip.purpose, slip.slip_id
    copied.trip_from, copied.trip_to = slip.trip_from, slip.trip_to
    ctx.tx.add(copied)
    await ctx.tx.flush()
    items = [copy_of(copied, item) for item in await items_of(ctx.tx, slip_id)]
    ctx.tx.add_all(items)
    add_audit_entry(ctx, copied.slip_id, slip.employee_id, "copy", after=facts_of(items))
    return copied


async def locked_slip(ctx: RequestContext, slip_id: UUID, version: int) -> LockedSlip:
    """A slip held until the end of the transaction. Raises NotFound, VersionConflict."""
    slip = await slip_for(
        ctx.tx,
        ctx.dealer_id,
        slip_id,
        ctx.employee_id,
        accounting=ctx.accounting,
        lock=True,
    )
    check_version(slip.version, version)
    passes = passes_of_employee(await passes_of(ctx.tx, slip.employee_id), ctx.tariffs.network)
    return LockedSlip(slip, await items_of(ctx.tx, slip_id), passes, actor_of(ctx, slip))


async def _write(ctx: RequestContext, opened: LockedSlip, typed: SlipInput) -> list[SlipItem]:
    slip = opened.slip
    for line in typed.items:
        if line.decision is not None:
            _check_policy(ctx, line.decision)
    lines = [await _with_quoted_fares(ctx, line, opened.passes) for line in typed.items]
    slip.title, slip.purpose = typed.title, typed.purpose
    slip.trip_from, slip.trip_to = typed.trip_from, typed.trip_to
    restorable = await restorable_items(ctx, slip, opened.items)
    items = items_from_input(slip, opened.items, lines, opened.passes, ctx.tariffs, restorable)
    kept = {item.item_id for item in items}
    removed = [item for item in opened.items if item.item_id not in kept]
    await keep_receipts_of(ctx, removed)
    for item in removed:
        await ctx.tx.delete(item)
    ctx.tx.add_all(items)
    touch(ctx, slip)
    return items


async def _with_quoted_fares(
    ctx: RequestContext, line: ItemInput, passes: EmployeePasses
) -> ItemInput:
    if line.decision is None:
        return line
    ride = await with_quoted_fares(ctx.tx, line.decision.ride, passes, ctx.tariffs.network)
    return replace(line, decision=replace(line.decision, ride=ride))


async def _not_blocked(ctx: RequestContext, slip: Slip, deed: SlipDeed) -> None:
    """An unconfirmed pass blocks its applicant alone; others go on with the version before."""
    if ctx.employee_id in {slip.employee_id, slip.entered_by}:
        waits = await has_unconfirmed_pass(ctx.tx, slip.employee_id)
        check_unconfirmed_pass(kind_of(slip), deed, has_unconfirmed_pass=waits)


def _check_policy(ctx: RequestContext, decision: Decision) -> None:
    check_look_up(
        decision.ride.medium,
        Media(ctx.setting.media),
        without_pass=decision.without_pass_reason is not None,
        without_pass_allowed=ctx.setting.without_pass_allowed,
    )


def _check_edit(
    ctx: RequestContext, opened: LockedSlip, before_yen: int, items: Sequence[SlipItem]
) -> None:
    """An approver may have to leave the total as it is (R60)."""
    if opened.state.status is SlipStatus.PENDING:
        allowed = ctx.setting.amount_change_allowed
        check_total(before_yen, total_yen(items), change_allowed=allowed)


def _edit_name(opened: LockedSlip, saved_by: SavedBy) -> str:
    by_status = {
        SlipStatus.PENDING: "edit_at_approval",
        SlipStatus.APPROVED: "edit_after_approval",
    }
    return by_status.get(opened.state.status, saved_by.value)


def touch(ctx: RequestContext, slip: Slip) -> None:
    """Count a change of a slip or of what belongs to it."""
    slip.version += 1
    slip.updated_at = ctx.now
