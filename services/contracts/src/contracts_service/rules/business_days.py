"""Business days of the finance company (D141).

Monday to Friday without Japanese public holidays and without 31 December to 3 January; the finance
company's own calendar may close or open single days.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import jpholiday

YEAR_END_CLOSING = frozenset({(12, 31), (1, 1), (1, 2), (1, 3)})
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class CalendarExceptions:
    """Single days that differ from the general calendar. A day in both is closed."""

    closed_on: frozenset[date] = frozenset()
    open_on: frozenset[date] = frozenset()


NO_EXCEPTIONS = CalendarExceptions()


def is_business_day(day: date, exceptions: CalendarExceptions = NO_EXCEPTIONS) -> bool:
    """Whether the finance company works on `day`."""
    if day in exceptions.closed_on:
        return False
    if day in exceptions.open_on:
        return True
    return not (
        day.weekday() >= SATURDAY
        or (day.month, day.day) in YEAR_END_CLOSING
        or jpholiday.is_holiday(day)
    )


def business_day_after(
    day: date, count: int, exceptions: CalendarExceptions = NO_EXCEPTIONS
) -> date:
    """The `count`-th business day after `day`, which itself is never counted."""
    while count > 0:
        day += timedelta(days=1)
        if is_business_day(day, exceptions):
            count -= 1
    return day
