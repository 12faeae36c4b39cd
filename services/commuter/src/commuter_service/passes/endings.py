"""Whether a pass that was announced to end still does (R122)."""

from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service.queries import PassRecord, passes_of, period_of
from commuter_service.rules.pass_application import PassStatus
from commuter_service.rules.pass_ending import HeldPass, is_ending


def held_pass(record: PassRecord) -> HeldPass:
    """As the rules read it."""
    in_force = period_of(record.confirmed) if record.confirmed else None
    waits = record.status is PassStatus.APPLIED
    return HeldPass(in_force, period_of(record.newest) if waits else None)


async def still_ends(tx: AsyncSession, record: PassRecord, ends_on: date) -> bool:
    """Whether it still ends on that day, with nothing after it."""
    if record.confirmed is None or record.confirmed.ends_on != ends_on:
        return False
    all_held = await passes_of(tx, record.held.employee_id)
    others = [held_pass(one) for one in all_held if one.held.pass_id != record.held.pass_id]
    return is_ending(held_pass(record), others, 1, today=ends_on)
