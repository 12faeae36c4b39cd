"""Which days does a commuter pass cover, and may its period be entered (R4-R9, F18)?

Both ends are optional and inclusive. A new pass does not end the old one: both deduct (F8), so an
overlap is shown with the end date that would remove it, and never changed silently.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar

from shared.errors import Refusal


class PeriodReversed(Refusal):
    """The period ends before it starts."""

    code: ClassVar[str] = "PERIOD_REVERSED"


@dataclass(frozen=True, slots=True)
class Period:
    """First and last day of validity; None is open."""

    starts_on: date | None = None
    ends_on: date | None = None

    def __post_init__(self) -> None:
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise PeriodReversed(
                f"有効期間の終了日({self.ends_on:%Y/%m/%d})が"
                f"開始日({self.starts_on:%Y/%m/%d})より前です"
            )

    def __contains__(self, day: date) -> bool:
        after_start = self.starts_on is None or self.starts_on <= day
        return after_start and (self.ends_on is None or day <= self.ends_on)

    def overlaps(self, other: "Period") -> bool:
        """Whether some day lies in both periods."""
        return _starts_by(self, other.ends_on) and _starts_by(other, self.ends_on)

    def __str__(self) -> str:
        start = f"{self.starts_on:%Y/%m/%d}" if self.starts_on else ""
        end = f"{self.ends_on:%Y/%m/%d}" if self.ends_on else ""
        return f"{start}~{end}" if start or end else ""


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


def _starts_by(period: Period, day: date | None) -> bool:
    return period.starts_on is None or day is None or period.starts_on <= day
