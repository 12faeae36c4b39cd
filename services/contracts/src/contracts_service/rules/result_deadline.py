"""Result deadlines: until when may a result be entered or changed? (D25, D59-D62, D65).

Results are due two months before the last day: later entries are accepted and marked as late. From
one month before, the selection is fixed. After the last day no entry is possible.
"""

from datetime import date
from enum import StrEnum

from contracts_service.rules.calendar_days import months_before

RESULT_MONTHS = 2
CHANGE_MONTHS = 1


class FirstEntryAfterChangeLimit(StrEnum):
    """Handling of a first entry after the change limit (a setting, D61)."""

    ACCEPT = "accept"
    REFUSE = "refuse"


def result_due_on(final_on: date) -> date:
    """結果入力期限: the last day that is on time (D25)."""
    return months_before(final_on, RESULT_MONTHS)


def entry_is_late(final_on: date, *, today: date) -> bool:
    """Whether an entry made today is marked as late (D59)."""
    return today > result_due_on(final_on)


def change_limit_on(final_on: date) -> date:
    """The last day on which a stored 選択区分 may be changed (D60)."""
    return months_before(final_on, CHANGE_MONTHS)


def change_limit_passed(final_on: date, *, today: date) -> bool:
    """Whether an entry made today is final (D60, D61)."""
    return today > change_limit_on(final_on)


def entry_has_ended(final_on: date, *, today: date) -> bool:
    """Whether entries are closed: the last day has passed (D61, D62)."""
    return today > final_on


def confirm_with_customer_by(final_on: date) -> str:
    """The day by which to ask the customer, as on the printed form: 2025-07-15まで (D65)."""
    return f"{result_due_on(final_on):%Y-%m-%d}まで"
