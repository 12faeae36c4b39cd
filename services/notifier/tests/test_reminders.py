"""Reminder rules: a stay is stale by calendar days of Japan, at nine in the morning."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier_service.rules.recipients import MailKind
from notifier_service.rules.reminders import ReminderPolicy, is_timely, reminder_mails
from shared.clock import JST, jst_day

TIMING = ReminderPolicy()


def japan(month: int, day: int, hour: int = 9, minute: int = 0) -> datetime:
    return datetime(2025, month, day, hour, minute, tzinfo=JST)


@pytest.mark.rule("D147", "D150", "D151")
@pytest.mark.parametrize(
    ("entered", "stale", "approval_stale"),
    [
        (japan(7, 7, 10), japan(7, 14), japan(7, 10)),
        (japan(7, 7, 0, 0), japan(7, 14), japan(7, 10)),
        (japan(7, 7, 23, 59), japan(7, 14), japan(7, 10)),
        (japan(7, 8, 0, 0), japan(7, 15), japan(7, 11)),
        (japan(4, 28, 10), japan(5, 5), japan(5, 1)),
    ],
    ids=[
        "Monday to Monday and Thursday",
        "from the first minute",
        "from the last minute, still the same day",
        "midnight belongs to the next day",
        "holidays count like any day",
    ],
)
def test_a_week_and_three_days(
    entered: datetime, stale: datetime, approval_stale: datetime
) -> None:
    assert reminder_mails("HQ_PENDING", entered.astimezone(UTC), TIMING) == {
        MailKind.STALE: stale,
        MailKind.APPROVAL_STALE: approval_stale,
    }


@pytest.mark.rule("D147", "D150")
@pytest.mark.parametrize(
    ("status", "kinds"),
    [
        ("STORE_PENDING", {"M2"}),
        ("HQ_PENDING", {"M2", "M5"}),
        ("STAFF_REMANDED", {"M2"}),
        ("STORE_REMANDED", {"M2"}),
        ("HQ_REMANDED", {"M2"}),
        ("REQUESTED", set()),
        ("TFC_PROCESSING", set()),
        ("TFC_HOLD", set()),
        ("TFC_CONTACT", set()),
        ("COMPLETED", set()),
        ("WITHDRAWN", set()),
    ],
)
def test_which_statuses_grow_stale(status: str, kinds: set[str]) -> None:
    assert set(reminder_mails(status, japan(7, 7), TIMING)) == kinds


@pytest.mark.rule("D151")
@given(seconds=st.integers(0, 10 * 366 * 86_400), days=st.integers(1, 60))
def test_always_so_many_calendar_days_later_at_the_hour(seconds: int, days: int) -> None:
    entered = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    timing = ReminderPolicy(stale_days=days, hour=time(8, 30))
    due = reminder_mails("STORE_PENDING", entered, timing)[MailKind.STALE].astimezone(JST)
    assert due.date() - jst_day(entered) == timedelta(days=days)
    assert due.time() == time(8, 30)


NOW = japan(7, 10, 12)


@pytest.mark.parametrize(
    ("moment", "imported", "expected"),
    [
        (NOW, False, True),
        (NOW - timedelta(days=2), False, True),
        (NOW - timedelta(days=2, seconds=1), False, False),
        (NOW + timedelta(days=4), False, True),
        (NOW - timedelta(seconds=1), True, False),
        (NOW, True, False),
        (NOW + timedelta(days=4), True, True),
    ],
    ids=[
        "just now",
        "two days ago",
        "longer ago: an old log read again",
        "still ahead",
        "imported: a moment ago",
        "imported: this very moment",
        "imported: still ahead",
    ],
)
def test_old_and_imported_changes_send_no_mail(
    moment: datetime, imported: bool, expected: bool
) -> None:
    assert is_timely(moment, now=NOW, imported=imported, timing=TIMING) is expected
