"""Reminder timing: when a stay in a status is stale, and when a mail is too late. D147, D150, D151.

Days are calendar days of the wall calendar (JST): a stay that began on Monday is a week old on
the next Monday, at whatever hour it began (A-28).
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from notifier_service.rules.recipients import AWAITS_HQ, STALE_STATUSES, MailKind
from shared.clock import JST, jst_day


@dataclass(frozen=True, slots=True)
class ReminderPolicy:
    """How long a stay may last before a reminder, and the hour (JST) of the mails.

    What happened more than `horizon` ago makes no mail due: an old log that is read again, or a
    service that starts late, must not flood people with old news.
    """

    stale_days: int = 7
    approval_stale_days: int = 3
    hour: time = time(9, 0)
    horizon: timedelta = timedelta(days=2)
    slip_waiting_days: int = 3


def reminder_mails(
    status: str, entered_at: datetime, timing: ReminderPolicy
) -> dict[MailKind, datetime]:
    """The mails that a stay since `entered_at` will make due, with their instants."""
    due = {}
    if status in STALE_STATUSES:
        due[MailKind.STALE] = _morning(entered_at, timing.stale_days, timing.hour)
    if status == AWAITS_HQ:
        due[MailKind.APPROVAL_STALE] = _morning(entered_at, timing.approval_stale_days, timing.hour)
    return due


def slip_reminder_at(moved_at: datetime, timing: ReminderPolicy) -> datetime:
    """When a slip that waits for an approver since `moved_at` makes a reminder due, once."""
    return _morning(moved_at, timing.slip_waiting_days, timing.hour)


def is_timely(moment: datetime, *, now: datetime, imported: bool, timing: ReminderPolicy) -> bool:
    """Whether a mail that is due at `moment` may still be scheduled.

    An imported application makes no mail due for its past: only what is still ahead counts.
    """
    return moment > now if imported else moment >= now - timing.horizon


def _morning(entered_at: datetime, days: int, hour: time) -> datetime:
    return datetime.combine(jst_day(entered_at) + timedelta(days=days), hour, tzinfo=JST)
