"""How do figures become a picture? Points and bars in the units of an SVG that a template draws.

No styles inside (the content security policy forbids them): the classes stand in screens.css. Each
picture has a sentence in its place for those who do not see it, and its figures in a table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 84, 16, 16, 40
STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis with its words."""

    at: float
    words: str


@dataclass(frozen=True, slots=True)
class LineChart:
    """A line through `points`; `area` is what lies beneath it."""

    points: str
    area: str
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    foot: int = HEIGHT - BOTTOM


@dataclass(frozen=True, slots=True)
class Bar:
    """One part of a bar, in per cent of the longest bar."""

    kind: str
    words: str
    count: int
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class BarRow:
    """One bar with its parts."""

    label: str
    total: int
    bars: tuple[Bar, ...]


def balance_chart(points: Sequence[Mapping[str, Any]]) -> LineChart:
    """The balance over the instalments: `points` are {number, on, balance_yen}."""
    last = max(point["number"] for point in points) or 1
    top = _round_up(max(point["balance_yen"] for point in points) or 1)
    foot = HEIGHT - BOTTOM

    def x(number: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * number / last, 1)

    def y(yen: float) -> float:
        return round(foot - (foot - TOP) * yen / top, 1)

    line = " ".join(f"{x(p['number'])},{y(p['balance_yen'])}" for p in points)
    every = max(1, last // 6)
    return LineChart(
        points=line,
        area=f"{x(0)},{foot} {line} {x(last)},{foot}",
        across=tuple(Tick(x(n), f"{n}回") for n in range(0, last + 1, every)),
        up=tuple(
            Tick(y(top * part / 4), f"{int(top * part / 4) // 10_000:,}万円") for part in range(5)
        ),
    )


def stacked(
    rows: Sequence[Mapping[str, Any]], parts: Sequence[tuple[str, str, str]], *, label: str
) -> list[BarRow]:
    """Bars of several parts, `parts` being (key of the figure, colour, words)."""
    longest = max((sum(row[key] for key, _, _ in parts) for row in rows), default=0) or 1
    bars = []
    for row in rows:
        at, pieces = 0.0, []
        for key, kind, words in parts:
            width = 100 * row[key] / longest
            pieces.append(Bar(kind, words, row[key], round(at, 2), round(width, 2)))
            at += width
        bars.append(BarRow(row[label], sum(row[key] for key, _, _ in parts), tuple(pieces)))
    return bars


def _round_up(value: float) -> float:
    """The next round number, so that the axis has round marks."""
    size: float = 1
    while size * 10 < value:
        size *= 10
    return next(size * step for step in STEPS if size * step >= value)


def _in_ten_thousands(yen: float) -> str:
    """50万円, 12.5万円."""
    return f"{yen / 10_000:,.4g}万円"
