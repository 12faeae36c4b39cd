"""Clock interface: read once at the edge, then passed on as `now` and `today`.

Instants are aware UTC; days are JST calendar days (the dealers' wall calendar).
"""

from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

JST = ZoneInfo("Asia/Tokyo")


class Clock(Protocol):
    """A source of the current time."""

    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        return datetime.now(UTC)


class TravelClock:
    """A clock that runs at normal speed from the instant it is set to (embedded mode, tests)."""

    def __init__(self, shift: timedelta = timedelta()) -> None:
        self.shift = shift

    def now(self) -> datetime:
        """The machine's instant plus the shift."""
        return datetime.now(UTC) + self.shift

    def travel_to(self, instant: datetime) -> None:
        """Make `instant` (aware) the present."""
        self.shift = instant - datetime.now(UTC)


def jst_day(instant: datetime) -> date:
    """The JST calendar day of an aware instant."""
    if instant.tzinfo is None:
        raise ValueError("An instant needs a time zone; naive datetimes are not accepted.")
    return instant.astimezone(JST).date()
