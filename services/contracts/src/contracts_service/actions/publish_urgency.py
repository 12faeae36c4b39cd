"""Urgency events: open contracts that came nearer to their last day, or passed it (C1, D36-D43).

A timer fires as each JST day begins, emits that day's events, and sets itself for the next: missed
days are caught up one after the other, each in its own transaction.
"""

from datetime import date, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts_service.rules.calendar_days import jst_midnight
from contracts_service.rules.row_colour import colour_bounds
from event_contracts.contract import UrgencyChanged
from shared import outbox, timers

PUBLISH_URGENCY = "tell_urgency"
BATCH = 1000

_URGENCY = """CASE WHEN final_on < :{day}_grey THEN 'grey' WHEN final_on < :{day}_red THEN 'red'
    WHEN final_on < :{day}_yellow THEN 'yellow' ELSE 'white' END"""
CHANGED = text(f"""
    SELECT dealer_id, contract_no, before, after FROM (
        SELECT dealer_id, contract_no, {_URGENCY.format(day="eve")} AS before,
               {_URGENCY.format(day="day")} AS after
        FROM contract
        WHERE completion_basis IS NULL AND final_on >= :eve_grey AND final_on < :day_yellow
    ) AS seen WHERE before <> after ORDER BY contract_no
""")  # noqa: S608 - parts of this file only


async def publish_urgency(tx: AsyncSession, day: date, *, now: datetime) -> None:
    """Emit the changes at the beginning of `day`, and set the timer for the next day."""
    values = {**_bounds("eve", day - timedelta(days=1)), **_bounds("day", day)}
    changed = (await tx.execute(CHANGED, values)).all()
    events = [
        UrgencyChanged(
            dealer_id=row.dealer_id,
            contract_no=row.contract_no,
            before=row.before,
            after=row.after,
            changed_on=day,
        )
        for row in changed
    ]
    for start in range(0, len(events), BATCH):
        await outbox.add_many(tx, events[start : start + BATCH], now=now)
    tomorrow = day + timedelta(days=1)
    payload = {"day": tomorrow.isoformat()}
    await timers.set_timer(tx, PUBLISH_URGENCY, "daily", jst_midnight(tomorrow), payload)


def _bounds(name: str, day: date) -> dict[str, date]:
    bounds = colour_bounds(day)
    return {
        f"{name}_grey": bounds.overdue_before,
        f"{name}_red": bounds.red_before,
        f"{name}_yellow": bounds.yellow_before,
    }
