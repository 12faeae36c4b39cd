"""Slips as lists show them, with the passes of all their owners read at once."""

from collections import defaultdict
from collections.abc import Sequence

from pydantic import BaseModel

from commuter_service import queries
from commuter_service.models import Pass, Slip, SlipItem
from commuter_service.passes.employee_passes import passes_of_employee
from commuter_service.queries import PassRecord
from commuter_service.request_context import RequestContext
from commuter_service.slips.departed import departure, people_of, people_who_left
from commuter_service.slips.schemas import SlipLine, slip_line


class Slips(BaseModel):
    """Slips as lists show them."""

    items: list[SlipLine]


async def slip_lines(ctx: RequestContext, found: Sequence[Slip]) -> Slips:
    """These slips with sums and warnings as of now."""
    owners = {slip.employee_id for slip in found}
    items, records = (
        defaultdict[object, list[SlipItem]](list),
        defaultdict[str, list[PassRecord]](list),
    )
    for item in await queries.items_of(ctx.tx, *(slip.slip_id for slip in found)):
        items[item.slip_id].append(item)
    for one in await queries.passes_where(ctx.tx, Pass.employee_id.in_(owners)):
        records[one.held.employee_id].append(one)
    enterers = {slip.entered_by for slip in found if slip.entered_by}
    names = await queries.employee_names(ctx.tx, owners | enterers)
    passes = {one: passes_of_employee(records[one], ctx.tariffs.network) for one in owners}
    left = await people_who_left(ctx.tx, {one for slip in found for one in people_of(slip)})
    lines = []
    for slip in found:
        line = slip_line(ctx, slip, items[slip.slip_id], passes[slip.employee_id], names)
        departed = departure(slip, left)
        line.departed_japanese = departed.label_ja if departed else None
        lines.append(line)
    return Slips(items=lines)
