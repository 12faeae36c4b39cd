"""Until when may a result be entered, and until when may it be changed? (D25, D59-D62, D65).

Two months before the last day is what the dealer is asked to keep: later entries are accepted and
marked. One month before is where the choice is fixed. The last day ends every entry.
"""

from datetime import date
from enum import StrEnum

from contracts_service.rules.calendar_days import months_before

RESULT_MONTHS = 2
CHANGE_MONTHS = 1


class FirstEntryAfterChangeLimit(StrEnum):
    """What happens to a first entry when a change would no longer be possible (a setting, D61)."""

    ACCEPT = "accept"
    REFUSE = "refuse"


def result_due_on(final_on: date) -> date:
    """結果入力期限: the last day that is in time (D25)."""
    return months_before(final_on, RESULT_MONTHS)


def entry_is_late(final_on: date, *, today: date) -> bool:
    """Whether an entry made today carries the late mark (D59)."""
    return today > result_due_on(final_on)


def change_limit_on(final_on: date) -> date:
    """The last day on which a stored 選択区分 may become another (D60)."""
    return months_before(final_on, CHANGE_MONTHS)


def change_limit_passed(final_on: date, *, today: date) -> bool:
    """Whether what is entered today stands for good (D60, D61)."""
    return today > change_limit_on(final_on)


def entry_has_ended(final_on: date, *, today: date) -> bool:
    """Whether nothing at all may be entered any more: the last day lies behind (D61, D62)."""
    return today > final_on


def confirm_with_customer_by(final_on: date) -> str:
    """Until when to ask the customer, as the printed form says it: 2025-07-15まで (D65)."""
    return f"{result_due_on(final_on):%Y-%m-%d}まで"
