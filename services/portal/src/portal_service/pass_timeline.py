"""Timeline of commuter passes: bars on a common axis, for a template to draw.

An open end runs out of the picture; today is a line. The table beneath has the same content.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from portal_service.service_api.commuter import PassAnswer

WIDTH, LEFT, RIGHT = 720, 8, 8
ROW, TOP = 34, 30
MARGIN_DAYS = 45
LEAST_DAYS = 180


@dataclass(frozen=True, slots=True)
class Bar:
    """One pass: its place, its words, and whether it runs on beyond the picture."""

    x: float
    width: float
    y: int
    words: str
    kind: str
    open_start: bool
    open_end: bool


@dataclass(frozen=True, slots=True)
class Month:
    """The first day of a month on the axis."""

    x: float
    words: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything that the picture needs; `sentence` says it in words."""

    bars: tuple[Bar, ...]
    months: tuple[Month, ...]
    today_x: float
    width: int
    height: int
    sentence: str


def pass_timeline(passes: Sequence[PassAnswer], today: date) -> Timeline | None:
    """The picture of passes as the service sends them; None where there is none."""
    shown = [one for one in passes if one["status"] in {"confirmed", "applied"}]
    if not shown:
        return None
    first, last = _span(shown, today)
    days = (last - first).days

    def at(day: date) -> float:
        inside = min(max(day, first), last)
        return round(LEFT + (inside - first).days / days * (WIDTH - LEFT - RIGHT), 1)

    bars = []
    for number, one in enumerate(shown):
        start, end = _day(one["starts_on"]), _day(one["ends_on"])
        x, right = at(start or first), at((end + timedelta(days=1)) if end else last)
        bars.append(
            Bar(
                x=x,
                width=max(right - x, 2),
                y=TOP + number * ROW,
                words=f"{one['section']} {one['period'] or '期間の指定なし'}",
                kind=one["status"],
                open_start=start is None,
                open_end=end is None,
            )
        )
    sentence = "、".join(f"{bar.words}({STATES[bar.kind]})" for bar in bars)
    height = TOP + len(shown) * ROW + 8
    return Timeline(
        tuple(bars), tuple(_months(first, last, at)), at(today), WIDTH, height, sentence
    )


STATES = {"confirmed": "確定", "applied": "未確定"}


def _span(passes: Sequence[PassAnswer], today: date) -> tuple[date, date]:
    ends = [_day(on) for one in passes for on in (one["starts_on"], one["ends_on"])]
    known = [today, *(day for day in ends if day)]
    first, last = min(known), max(known)
    spare = max(MARGIN_DAYS, (LEAST_DAYS - (last - first).days) // 2)
    return first - timedelta(days=spare), last + timedelta(days=spare)


def _months(first: date, last: date, at: Callable[[date], float]) -> list[Month]:
    """At most twelve marks, each on the first day of a month."""
    count = (last.year - first.year) * 12 + last.month - first.month
    step = max(1, -(-count // 8))
    found = []
    for number in range(1, count + 1, step):
        year, month = divmod(first.month - 1 + number, 12)
        day = date(first.year + year, month + 1, 1)
        found.append(Month(at(day), f"{day.year}/{day.month:02}"))
    return found


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
