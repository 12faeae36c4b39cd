"""Charts of figures: points and bars in the units of an SVG that a template draws.

No styles inside (the content security policy forbids them): the classes are in screens.css. Each
chart has a sentence as its text alternative, and its figures in a table.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from portal_service.service_api.contracts import BalancePoint

WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 84, 24, 16, 40
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
    """One part of a bar, in per cent of the longest bar; `path` leads to what it counts."""

    path: str
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


def balance_chart(points: Sequence[BalancePoint]) -> LineChart:
    """The balance over the instalments: `points` are {number, on, balance_yen}."""
    last = max(point["number"] for point in points) or 1
    marks = [(n, f"{n}回") for n in range(0, last + 1, max(1, last // 6))]
    drawn = [(p["number"], p["balance_yen"]) for p in points]
    return _line(drawn, (0, last), marks, lambda yen: f"{int(yen) // 10_000:,}万円")


def lag_chart(points: Sequence[tuple[datetime, float]]) -> LineChart:
    """Seconds over the ten minutes before the last point."""
    end = points[-1][0]
    drawn = [((at - end).total_seconds(), value) for at, value in points]
    marks = [(-60 * n, f"{n}分前" if n else "いま") for n in (10, 8, 6, 4, 2, 0)]
    return _line(drawn, (-600, 0), marks, lambda value: f"{value:,.4g}秒")


def _line(
    points: Sequence[tuple[float, float]],
    across: tuple[float, float],
    marks: Sequence[tuple[float, str]],
    words: Callable[[float], str],
) -> LineChart:
    first, last = across
    top = _round_up(max(value for _, value in points) or 1)
    foot = HEIGHT - BOTTOM

    def x(at: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (at - first) / (last - first), 1)

    def y(value: float) -> float:
        return round(foot - (foot - TOP) * value / top, 1)

    line = " ".join(f"{x(at)},{y(value)}" for at, value in points)
    return LineChart(
        points=line,
        area=f"{x(points[0][0])},{foot} {line} {x(points[-1][0])},{foot}",
        across=tuple(Tick(x(at), label) for at, label in marks),
        up=tuple(Tick(y(top * part / 4), words(top * part / 4)) for part in range(5)),
    )


def stacked(
    rows: Sequence[tuple[str, Sequence[tuple[int, str]]]], parts: Sequence[tuple[str, str]]
) -> list[BarRow]:
    """Bars of several parts: `rows` are labels with figures and the paths to what they count.

    `parts` are colours with labels.
    """
    longest = max((sum(figure for figure, _ in figures) for _, figures in rows), default=0) or 1
    bars = []
    for label, figures in rows:
        at, pieces = 0.0, []
        for (kind, words), (figure, path) in zip(parts, figures, strict=True):
            width = 100 * figure / longest
            pieces.append(Bar(path, kind, words, figure, round(at, 2), round(width, 2)))
            at += width
        bars.append(BarRow(label, sum(figure for figure, _ in figures), tuple(pieces)))
    return bars


def _round_up(value: float) -> float:
    """The next round number, so that the axis has round marks."""
    size: float = 1
    while size * 10 < value:
        size *= 10
    return next(size * step for step in STEPS if size * step >= value)
