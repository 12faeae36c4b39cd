"""Inspection (車検): the predicted next month, and the months that a search means (D13-D16, D33).

Predicted from the month of first registration and the cycle of passenger cars: after three years,
then every two. Commercial vehicles and cars registered on the first of a month may differ; they get
the note but no correction of their own (D16). A month is represented by its first day.
"""

from datetime import date
from enum import StrEnum
from functools import lru_cache

from contracts_service.rules.calendar_days import first_of_month, month_number, months_before

FIRST_AFTER_MONTHS = 36
THEN_EVERY_MONTHS = 24

DISCLAIMER = (
    "車検軸検索機能は初度登録年月から普通車の車検周期に基づいた予測となるため、"
    "商用車と月初1日登録車については、実際の車検月と異なる可能性があります"
)


class Inspection(StrEnum):
    """車検の種類."""

    FIRST = "first"
    SECOND = "second"
    THIRD = "third"

    @property
    def label(self) -> str:
        """The search panel's label."""
        return INSPECTION_LABELS[self]

    @property
    def months_after_registration(self) -> int:
        """36, 60 or 84 (D15)."""
        return FIRST_AFTER_MONTHS + THEN_EVERY_MONTHS * list(Inspection).index(self)

    @property
    def furthest_months_before(self) -> int:
        """The largest 車検前 N that can be searched: one less than the cycle (D14)."""
        return (FIRST_AFTER_MONTHS if self is Inspection.FIRST else THEN_EVERY_MONTHS) - 1


INSPECTION_LABELS = {
    Inspection.FIRST: "初回車検",
    Inspection.SECOND: "２回目車検",
    Inspection.THIRD: "３回目車検",
}


def registration_months(
    inspection: Inspection, *, months_from: int, months_to: int, today: date
) -> tuple[date, date]:
    """First and last month of registration for a range of months to inspection (D13); for SQL."""
    this_month = first_of_month(today)
    after = inspection.months_after_registration
    return months_before(this_month, after - months_from), months_before(
        this_month, after - months_to
    )


@lru_cache(maxsize=4096)
def next_inspection_month(first_registered: date, *, today: date) -> date:
    """車検年月 of the list: the first predicted inspection not before this month (D33)."""
    first = month_number(first_registered) + FIRST_AFTER_MONTHS
    behind = max(0, month_number(today) - first)
    cycles = -(-behind // THEN_EVERY_MONTHS)
    return months_before(
        first_of_month(first_registered), -(FIRST_AFTER_MONTHS + cycles * THEN_EVERY_MONTHS)
    )


def registered_for_next_inspection(month: date, *, today: date, oldest: date) -> tuple[date, ...]:
    """The months of registration since `oldest` whose 車検年月 is `month` (D33, D132); for SQL."""
    target = first_of_month(month)
    if target < oldest:
        return ()
    found = []
    registered = months_before(target, FIRST_AFTER_MONTHS)
    while registered >= first_of_month(oldest):
        if next_inspection_month(registered, today=today) == target:
            found.append(registered)
        registered = months_before(registered, THEN_EVERY_MONTHS)
    return tuple(found)
