"""一括精算: several slips at once, each settled or refused by itself (R91)."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from commuter_service.actions.slips import actor_of, enter_step, state_of
from commuter_service.models import Slip, SlipItem
from commuter_service.request_context import RequestContext
from commuter_service.rules.slip_approval import SlipStep, step_slip
from event_contracts.commuter import SlipMoved
from shared import outbox
from shared.concurrency import check_version
from shared.errors import Refusal
from shared.http import NotFound


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of one slip; `slip` None where the company has no such slip."""

    slip_id: UUID
    slip: Slip | None
    total_yen: int
    refusal: Refusal | None


async def settle_slips(ctx: RequestContext, wanted: Sequence[tuple[UUID, int]]) -> list[Settlement]:
    """Settle these slips as they were seen; one that is refused leaves the others as they are."""
    versions = dict(wanted)
    # In the order of their ids, so that two accountants never wait for each other.
    asked = select(Slip).where(
        Slip.slip_id.in_(versions),
        Slip.dealer_id == ctx.dealer_id,
        Slip.submitted_at.is_not(None),
    )
    rows = await ctx.tx.execute(asked.order_by(Slip.slip_id).with_for_update())
    slips = {slip.slip_id: slip for slip in rows.scalars()}
    totals = await _totals(ctx, list(slips))
    events: list[SlipMoved] = []
    done = [
        _settled(ctx, slip_id, slips.get(slip_id), version, totals.get(slip_id, 0), events)
        for slip_id, version in versions.items()
    ]
    await outbox.add_many(ctx.tx, events, now=ctx.now)
    return done


def _settled(  # noqa: PLR0913, PLR0917 - a slip as it was seen, and where its event goes
    ctx: RequestContext,
    slip_id: UUID,
    slip: Slip | None,
    version: int,
    total_yen: int,
    events: list[SlipMoved],
) -> Settlement:
    try:
        if slip is None:
            raise NotFound
        check_version(slip.version, version)
        after = step_slip(state_of(slip), SlipStep.SETTLE, actor_of(ctx, slip))
    except Refusal as refusal:
        return Settlement(slip_id, slip, total_yen, refusal)
    events.append(enter_step(ctx, slip, SlipStep.SETTLE, after, total_yen))
    return Settlement(slip_id, slip, total_yen, None)


async def _totals(ctx: RequestContext, slip_ids: Sequence[UUID]) -> dict[UUID, int]:
    sums = select(SlipItem.slip_id, func.coalesce(func.sum(SlipItem.amount_yen), 0))
    rows = await ctx.tx.execute(
        sums.where(SlipItem.slip_id.in_(slip_ids)).group_by(SlipItem.slip_id)
    )
    return {slip_id: int(yen or 0) for slip_id, yen in rows}
