"""Passes that end soon announced once for each end, for a mail to their holder (R122)."""

from collections import defaultdict
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service.models import Pass
from commuter_service.passes.endings import held_pass
from commuter_service.queries import PassRecord, passes_where, setting_of
from commuter_service.rules.pass_ending import is_ending, next_look
from event_contracts.commuter import PassEnding
from shared import outbox
from shared.clock import jst_day
from shared.timers import set_timer

ENDING = "pass_ending"


async def set_ending_timer(tx: AsyncSession, dealer_id: str, *, now: datetime) -> None:
    """Let the company's next look be at the coming 9 o'clock in Japan."""
    await set_timer(tx, ENDING, dealer_id, next_look(now).astimezone(UTC), {})


async def announce_endings(tx: AsyncSession, dealer_id: str, *, now: datetime) -> int:
    """Announce what ends within the company's days; run again, it finds nothing."""
    setting = await setting_of(tx, dealer_id)
    if not setting.ending_notice_days:
        return 0
    by_holder: defaultdict[str, list[PassRecord]] = defaultdict(list)
    for record in await passes_where(tx, Pass.dealer_id == dealer_id):
        by_holder[record.held.employee_id].append(record)
    announced = 0
    for records in by_holder.values():
        for record in records:
            others = [held_pass(one) for one in records if one is not record]
            days, today = setting.ending_notice_days, jst_day(now)
            if not is_ending(held_pass(record), others, days, today=today):
                continue
            announced += await _announce(tx, record, now)
    return announced


async def _announce(tx: AsyncSession, record: PassRecord, now: datetime) -> bool:
    held = record.held
    assert record.confirmed is not None
    ends_on = record.confirmed.ends_on
    assert ends_on is not None
    if held.announced_end == ends_on:
        return False
    held.announced_end = ends_on
    event = PassEnding(
        dealer_id=held.dealer_id,
        pass_id=str(held.pass_id),
        employee_id=held.employee_id,
        ends_on=ends_on,
    )
    await outbox.add(tx, event, now=now)
    return True
