"""Neighbouring passes of one person: the end date that removes an overlap, and gaps (R8, R9).

A new pass does not end the old one: both deduct (F8), so an overlap is shown with the end date
that would remove it, and never changed silently.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from fare_engine.rules.period import Period


def proposed_end(old: Period, new: Period) -> date | None:
    """The end date that makes `old` stop the day before `new` starts (R8).

    None where nothing overlaps, or where no end date can help: the new pass is open to the past,
    or the old one starts on or after the new one's first day.
    """
    if not old.overlaps(new) or new.starts_on is None:
        return None
    last_day = new.starts_on - timedelta(days=1)
    if old.starts_on is not None and last_day < old.starts_on:
        return None
    return last_day


def gaps(periods: Iterable[Period]) -> tuple[Period, ...]:
    """The closed periods between the given ones that none of them covers."""
    ordered: Sequence[Period] = sorted(periods, key=lambda period: period.starts_on or date.min)
    found = []
    covered_until: date | None = None
    for position, period in enumerate(ordered):
        start = period.starts_on or date.min
        if position and covered_until and start > covered_until + timedelta(days=1):
            gap = Period(covered_until + timedelta(days=1), start - timedelta(days=1))
            found.append(gap)
        end = period.ends_on or date.max
        covered_until = max(covered_until or end, end)
        if covered_until == date.max:
            break
    return tuple(found)
