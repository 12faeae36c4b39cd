"""申請: what a slip must be before it is submitted (R14, R17, R54, R81, R99)."""

import asyncio
from collections.abc import Sequence

from commuter_service.actions.slip_items import form_item
from commuter_service.models import Slip, SlipItem
from commuter_service.passes.employee_passes import EmployeePasses
from commuter_service.queries import kind_of
from commuter_service.request_context import RequestContext
from commuter_service.rules import pass_warning
from commuter_service.rules.claim_findings import ClaimFault
from commuter_service.rules.route_search_policy import RoundaboutBlocksSubmission
from commuter_service.rules.slip_form import SlipForm, check_complete
from commuter_service.slips.checks import item_faults
from commuter_service.slips.pass_warnings import is_stale, warnings_of
from commuter_service.slips.receipts import receipts_of
from fare_engine.rules.bus_policy import BusPolicy
from shared.errors import Kind, Refusal


class LookUpNeeded(Refusal):
    """A pass that deducted was deleted since: what is left must be looked up again (R14, R17)."""

    code = "LOOK_UP_NEEDED"
    kind = Kind.CONFLICT
    message = "控除に使われた定期区間が削除されています。もう一度、乗換案内を呼び出してください。"


async def check_submission(
    ctx: RequestContext, slip: Slip, items: Sequence[SlipItem], passes: EmployeePasses
) -> None:
    """Raises FormErrors, LookUpNeeded, RoundaboutBlocksSubmission, WarningBlocksSubmission."""
    receipts = await receipts_of(ctx.tx, slip.slip_id)
    form = SlipForm(
        kind_of(slip),
        slip.title,
        slip.trip_from,
        slip.trip_to,
        tuple(form_item(item, receipts.get(item.item_id, ())) for item in items),
    )
    check_complete(form)
    if any(is_stale(slip, item, passes, ctx.tariffs) for item in items):
        raise LookUpNeeded
    if ctx.setting.roundabout_blocks:
        await _refuse_roundabouts(ctx, items, passes)
    standing = [one for item in items for one in warnings_of(slip, item, passes, ctx.tariffs)]
    pass_warning.check_submission(standing, company_blocks=ctx.setting.warning_blocks)


async def _refuse_roundabouts(
    ctx: RequestContext, items: Sequence[SlipItem], passes: EmployeePasses
) -> None:
    policy = BusPolicy(ctx.setting.bus_policy)
    for one in await asyncio.to_thread(item_faults, items, passes, policy, ctx.tariffs):
        if one.fault is ClaimFault.ROUNDABOUT:
            raise RoundaboutBlocksSubmission(one.words)
