"""Which passes are about to end, so that their holder is reminded (R122).

Not in the manual. A company says how many days before; 0: it does not remind.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from fare_engine.rules.period import Period
from shared.clock import JST
from shared.errors import FieldError

MOST_DAYS = 60
AT = time(9)


@dataclass(frozen=True, slots=True)
class HeldPass:
    """A pass of a person: the period in force, if any, and the one they have applied for."""

    in_force: Period | None
    applied: Period | None = None

    def covers(self, on: date) -> bool:
        """Whether it holds on a day, or will once it is confirmed."""
        return any(one is not None and on in one for one in (self.in_force, self.applied))


def days_fault(days: int) -> FieldError | None:
    """What is wrong with a company's choice."""
    if 0 <= days <= MOST_DAYS:
        return None
    message = f"終了予告は0日から{MOST_DAYS}日前までで入力してください"
    return FieldError("ending_notice_days", "ENDING_NOTICE_DAYS", message)


def is_ending(one: HeldPass, others: Iterable[HeldPass], days: int, *, today: date) -> bool:
    """Whether its holder is to be reminded: it ends within the days, and nothing follows."""
    end = one.in_force.ends_on if one.in_force else None
    if not days or end is None or not today <= end <= today + timedelta(days=days):
        return False
    next_day = end + timedelta(days=1)
    return not any(other.covers(next_day) for other in (one, *others))


def next_look(now: datetime) -> datetime:
    """The coming 9 o'clock in Japan."""
    local = now.astimezone(JST)
    today = datetime.combine(local.date(), AT, JST)
    return today if local < today else today + timedelta(days=1)
