"""Calendar days in JST: the one date arithmetic behind every deadline.

All comparisons are between JST calendar days. Deadlines are computed backwards from the last day,
never forwards from today: the two differ at month ends (the head of the dealer rules, D25, D60,
D49).
"""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache

# Japan has no summer time, so a fixed offset is exact and needs no time-zone database.
JST = timezone(timedelta(hours=9), "JST")


def jst_day(instant: datetime) -> date:
    """The calendar day in Japan of an aware instant."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no time zone: it has no JST day")
    return instant.astimezone(JST).date()


def jst_midnight(day: date) -> datetime:
    """The instant (UTC) at which `day` begins in Japan."""
    return datetime.combine(day, time.min, tzinfo=JST).astimezone(UTC)


@lru_cache(maxsize=8192)  # a list has few distinct days
def months_before(day: date, months: int) -> date:
    """The same day `months` earlier, clamped to the month's end. Negative months are later."""
    year, month_index = divmod(month_number(day) - months, 12)
    month = month_index + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def first_day_reaching(today: date, months: int) -> date:
    """The earliest day whose `months_before` is not before `today`.

    It turns "today is past the deadline" into a bound on the last day, so that SQL compares a
    plain column: `months_before(d, n) < today` holds exactly when `d < first_day_reaching(today,
    n)`.
    """
    candidate = months_before(today, -months)
    return candidate if candidate.day == today.day else candidate + timedelta(days=1)


def month_number(day: date) -> int:
    """Months counted across years, so that two of them can be subtracted (D15)."""
    return day.year * 12 + day.month - 1


def first_of_month(day: date) -> date:
    """The first day of the month of `day`, which represents the month."""
    return day.replace(day=1)


def last_of_month(day: date) -> date:
    """The last day of the month of `day`."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def japanese_date(day: date) -> str:
    """The day in a Japanese sentence: 2025年7月15日."""
    return f"{day.year}年{day.month}月{day.day}日"
