"""Reminder timers: of an application two for each stay in a status, replaced at the next (D152).

Of a slip one for each wait for an approver.
"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts.commuter import SlipMoved
from event_contracts.returns import ReturnStatusChanged
from notifier_service.rules.recipients import MailKind
from notifier_service.rules.reminders import (
    ReminderPolicy,
    is_timely,
    reminder_mails,
    slip_reminder_at,
)
from notifier_service.rules.slip_mails import PENDING
from shared.timers import TimerPayload, cancel_timers, set_timer

REMINDER_TIMERS = {"stale": MailKind.STALE, "approval_stale": MailKind.APPROVAL_STALE}
"""The timers of a stay; each is keyed by the application, which has one stay at a time."""

SLIP_WAITING = "slip_waiting"


async def schedule_reminders(
    tx: AsyncSession, event: ReturnStatusChanged, timing: ReminderPolicy, *, now: datetime
) -> None:
    """Replace the timers of the stay that ended by those of the one that begins."""
    await cancel_timers(tx, event.application_id, *REMINDER_TIMERS)
    due = reminder_mails(event.to_status, event.entered_at, timing)
    payload: TimerPayload = {
        "dealer_id": event.dealer_id,
        "contract_no": event.contract_no,
        "status_version": event.status_version,
        "originator_id": event.originator_id,
    }
    for timer, kind in REMINDER_TIMERS.items():
        due_at = due.get(kind)
        if due_at and is_timely(due_at, now=now, imported=event.imported, timing=timing):
            await set_timer(tx, timer, event.application_id, due_at, payload)


async def schedule_slip_reminder(
    tx: AsyncSession, event: SlipMoved, timing: ReminderPolicy, *, moved_at: datetime, now: datetime
) -> None:
    """Replace the timer of the wait that ended by that of the one that begins."""
    await cancel_timers(tx, event.slip_id, SLIP_WAITING)
    if event.status != PENDING or event.move_id is None:
        return
    due_at = slip_reminder_at(moved_at, timing)
    if is_timely(due_at, now=now, imported=False, timing=timing):
        payload: TimerPayload = {"dealer_id": event.dealer_id, "move_id": event.move_id}
        await set_timer(tx, SLIP_WAITING, event.slip_id, due_at, payload)
