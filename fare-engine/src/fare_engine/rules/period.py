"""Period of days, both ends inside and each of them open if not given (R4-R7, F18).

Of a commuter pass: which days does it cover, may it be entered, does it overlap with another? Also
of a re-check over the past.
"""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from fare_engine.errors import FareError


class PeriodReversed(FareError):
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


def _starts_by(period: Period, day: date | None) -> bool:
    return period.starts_on is None or day is None or period.starts_on <= day
