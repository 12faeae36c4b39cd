"""Lines of a feed: the stop patterns of one operator's name become lines with their fares.

In GTFS-JP several routes often share one name: up, down, ways round. A pattern that runs along a
longer one and costs the same is part of it; any other is a line of its own, numbered behind the
name: 本線, 本線(2). A vehicle that comes to a stop twice gives several lines with one fare table,
since a rider may stay on board.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from math import asin, cos, radians, sin, sqrt

from fare_engine.gtfs.fares import TWO_FARES, FareRules, PairFares
from fare_engine.gtfs.stop_patterns import FeedRoute, Stop, StopPattern

EARTH_KM = 6371.0
WHOLE_FEED = "普通"
USUAL_SECONDS_PER_KM = 120
FAR_KM = 2.0


@dataclass(frozen=True, slots=True)
class FeedLine:
    """A line: stops in order, each once, the first again at the end of a loop."""

    name: str
    stops: tuple[str, ...]
    km10: tuple[int, ...]
    """Tenths of a kilometre from the first stop, as the crow flies; only the search reads them."""
    seconds_per_km: int
    is_bus: bool


@dataclass(slots=True)
class FareTable:
    """Lines with one through fare, and their fares; `own`: a table of these lines alone."""

    operator: str
    name: str
    lines: list[FeedLine]
    fares: PairFares
    own: bool = True


def fare_tables_of(patterns: Sequence[StopPattern], rules: FareRules) -> list[FareTable]:
    """All lines of a feed, by fare table."""
    named: dict[tuple[str, str], list[StopPattern]] = defaultdict(list)
    for pattern in patterns:
        named[pattern.route.operator, pattern.route.title].append(pattern)
    taken = {(operator, WHOLE_FEED) for operator, _ in named} | set(named)
    tables = []
    for (operator, title), group in named.items():
        for number, table in enumerate(_tables(operator, group, rules), start=1):
            names = _names(operator, title, taken, first=number == 1)
            table.lines = [_named(line, next(names)) for line in table.lines]
            table.name = table.lines[0].name
            tables.append(table)
    railways = [table for table in tables if rules.by_station(is_bus=table.lines[0].is_bus)]
    own = [table for table in tables if not rules.by_station(is_bus=table.lines[0].is_bus)]
    return [*own, *_railways(railways, patterns, rules)]


def _tables(operator: str, group: Sequence[StopPattern], rules: FareRules) -> list[FareTable]:
    """The patterns of one name, longest first, each joined to one that it runs along."""
    found: list[FareTable] = []
    for pattern in sorted(group, key=lambda one: len(one.stops), reverse=True):
        pieces = list(_pieces(_without_waits(pattern.stops)))
        fares = {} if rules.by_station(is_bus=pattern.route.is_bus) else rules.along(pattern)
        table = next((t for t in found if _is_part(pieces, fares, t)), None)
        if table is not None:
            for pair, yen in fares.items():
                if table.fares.setdefault(pair, yen) != yen:
                    table.fares[pair] = TWO_FARES  # there and back
        elif pieces:
            lines: list[FeedLine] = []
            for piece in pieces:
                line = _line(piece, pattern)
                if not any(runs_along(line.stops, other.stops) for other in lines):
                    lines.append(line)
            found.append(FareTable(operator, "", lines, fares))
    return found


def _is_part(pieces: Iterable[Sequence[Stop]], fares: PairFares, table: FareTable) -> bool:
    """Whether a pattern runs along a table's lines, and costs the same in the same direction."""
    named = [[stop.name for stop in piece] for piece in pieces]
    if not all(any(runs_along(names, line.stops) for line in table.lines) for names in named):
        return False
    return all(table.fares.get(pair, yen) == yen for pair, yen in fares.items()) or not any(
        _runs_forward(names, line.stops) for names in named for line in table.lines
    )


def runs_along(names: Sequence[str], line: Sequence[str]) -> bool:
    """Whether a pattern stops at some of a line's stops in its order, there or back."""
    return _runs_forward(names, line) or _runs_forward(names[::-1], line)


def _runs_forward(names: Sequence[str], line: Sequence[str]) -> bool:
    ahead = iter((*line, *line[1:]) if line[0] == line[-1] else line)
    return all(name in ahead for name in names)


def _without_waits(stops: Sequence[Stop]) -> list[Stop]:
    """The stops without a second platform of the same name directly behind the first."""
    return [stop for i, stop in enumerate(stops) if not i or stop.name != stops[i - 1].name]


def _pieces(stops: Sequence[Stop]) -> Iterator[list[Stop]]:
    """Parts of a pattern that have each stop once, or the first one again as their last."""
    piece: list[Stop] = []
    for stop in stops:
        names = [one.name for one in piece]
        if stop.name not in names:
            piece.append(stop)
        elif stop.name == names[0] and len(piece) > 2:  # noqa: PLR2004 - there and back is no loop
            yield [*piece, stop]
            piece = [stop]
        else:
            yield piece
            piece = [piece[-1], stop]
    if len(piece) > 1:
        yield piece


def _line(piece: Sequence[Stop], pattern: StopPattern) -> FeedLine:
    km10 = tuple(_kilometres(piece))
    whole = km10[-1] if len(piece) == len(pattern.stops) else [*_kilometres(pattern.stops)][-1]
    speed = pattern.seconds * 10 // whole if pattern.seconds else USUAL_SECONDS_PER_KM
    names = tuple([stop.name for stop in piece])
    return FeedLine("", names, km10, max(1, speed), pattern.route.is_bus)


def _named(line: FeedLine, name: str) -> FeedLine:
    return FeedLine(name, line.stops, line.km10, line.seconds_per_km, line.is_bus)


def _names(operator: str, title: str, taken: set[tuple[str, str]], *, first: bool) -> Iterator[str]:
    """The name, then the name with a number that no other line of the operator has."""
    if first:
        yield title
    number = 1
    while True:
        number += 1
        name = f"{title}({number})"
        if (operator, name) not in taken:
            taken.add((operator, name))
            yield name


def _railways(
    tables: Iterable[FareTable], patterns: Sequence[StopPattern], rules: FareRules
) -> Iterator[FareTable]:
    """One table per operator: a railway without routes charges by stations, whatever the line."""
    lines: dict[str, list[FeedLine]] = defaultdict(list)
    for table in tables:
        lines[table.operator] += table.lines
    stops: Mapping[str, dict[str, Stop]] = defaultdict(dict)
    routes: dict[str, FeedRoute] = {}
    for pattern in patterns:
        if not pattern.route.is_bus:
            routes.setdefault(pattern.route.operator, pattern.route)
            stops[pattern.route.operator].update({stop.id: stop for stop in pattern.stops})
    for operator, served in lines.items():
        fares = rules.among(routes[operator], list(stops[operator].values()))
        yield FareTable(operator, WHOLE_FEED, served, fares, own=False)


def two_fares(table: FareTable) -> list[tuple[str, str]]:
    """The pairs of a table with several fares."""
    return [pair for pair, yen in table.fares.items() if yen is TWO_FARES]


def far_namesakes(patterns: Iterable[StopPattern]) -> dict[str, float]:
    """Kilometres by name, where stops of one name and operator are more than FAR_KM apart."""
    places: dict[tuple[str, str], tuple[float, float]] = {}
    found: dict[str, float] = {}
    for operator, stop in dict.fromkeys((p.route.operator, s) for p in patterns for s in p.stops):
        if stop.position is not None:
            first = places.setdefault((operator, stop.name), stop.position)
            km = _distance(first, stop.position)
            if km > FAR_KM:
                found[stop.name] = max(km, found.get(stop.name, km))
    return found


def stop_names(tables: Iterable[FareTable]) -> list[str]:
    """The names of all stops, each once."""
    stops = (line.stops for table in tables for line in table.lines)
    return list(dict.fromkeys(chain.from_iterable(stops)))


def _kilometres(stops: Sequence[Stop]) -> Iterator[int]:
    at = 0
    yield at
    for one, other in pairwise(stops):
        at += max(1, round(10 * _distance(one.position, other.position)))
        yield at


def _distance(one: tuple[float, float] | None, other: tuple[float, float] | None) -> float:
    if one is None or other is None:
        return 0.0
    a, b = radians(one[0]), radians(other[0])
    across = radians(other[1] - one[1])
    half = sin((b - a) / 2) ** 2 + cos(a) * cos(b) * sin(across / 2) ** 2
    return 2 * EARTH_KM * asin(min(1.0, sqrt(half)))
