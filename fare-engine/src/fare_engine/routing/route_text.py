"""Which ride does a route text like 高円寺:中央線:新宿:山手線:品川 mean?

Stations and lines alternate, separated by colons. A line needs its operator in front (京急/本線)
where its name alone is ambiguous for the two stations. A change between stations of different
names is found by itself, or written 徒歩. バス or バス(name) is a bus section between any stops.
A pass is a route with an optional validity behind it: [2026-04-01~2026-09-30]. Signs inside a name
are escaped (`notation`).
"""

import heapq
import itertools
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import ClassVar

from fare_engine.errors import FareError
from fare_engine.fares.segments import Run, runs_of
from fare_engine.network.network import Line, Network, Ride
from fare_engine.network.normalize import plain_name
from fare_engine.network.station_lookup import stations_named, unknown_station
from fare_engine.routing.name_escaping import BUS, ESCAPE, WALK, escaped, split_words, unescaped
from fare_engine.rules.period import Period


class RouteUnreadable(FareError):
    """The text is not station:line:station."""

    code: ClassVar[str] = "ROUTE_UNREADABLE"


class UnknownLine(FareError):
    """No line has the name."""

    code: ClassVar[str] = "UNKNOWN_LINE"


class AmbiguousLine(FareError):
    """Lines of several operators fit; the operator must stand in front."""

    code: ClassVar[str] = "AMBIGUOUS_LINE"


class RouteDisconnected(FareError):
    """A line does not join the two stations written around it."""

    code: ClassVar[str] = "ROUTE_DISCONNECTED"


class PassHasGap(FareError):
    """The sections of a pass do not join."""

    code: ClassVar[str] = "PASS_HAS_GAP"


class PeriodUnreadable(FareError):
    """The text in the brackets is not a period."""

    code: ClassVar[str] = "PERIOD_UNREADABLE"


@dataclass(frozen=True, slots=True)
class BusRide:
    """A bus section between two stops; stops are no stations and have no tariff here."""

    line: str
    from_stop: str
    to_stop: str


@dataclass(frozen=True)
class Route:
    """A ride: rail legs and bus legs in order. Changes on foot are implied."""

    network: Network
    legs: tuple[Ride | BusRide, ...]

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """The through fares of the ride, in riding order; bus sections are none."""
        return tuple(runs_of(self.network, self.legs))

    @cached_property
    def tracks(self) -> frozenset[int]:
        """The tracks of the rail legs: what a pass over this route covers."""
        return frozenset(
            self.network.edges[edge].track
            for leg in self.legs
            if isinstance(leg, Ride) and leg.line not in self.network.bus_lines
            for edge in leg.edges
        )

    @cached_property
    def dated_stations(self) -> tuple[int, ...]:
        """Where the rider boards or alights, of the stations that were opened or closed once."""
        dated = self.network.days_of
        rides = [leg for leg in self.legs if isinstance(leg, Ride)]
        ends = [end for ride in rides for end in (ride.stations[0], ride.stations[-1])]
        return tuple([end for end in ends if end in dated])

    @cached_property
    def has_bus(self) -> bool:
        """Whether a bus section is part of the ride."""
        buses = self.network.bus_lines
        return any(isinstance(leg, BusRide) or leg.line in buses for leg in self.legs)

    @property
    def has_unpriced_bus(self) -> bool:
        """Whether a bus section is part of the ride that has no tariff here."""
        return any(isinstance(leg, BusRide) for leg in self.legs)

    @property
    def first_name(self) -> str:
        """Name of the first station or stop."""
        leg = self.legs[0]
        if isinstance(leg, BusRide):
            return leg.from_stop
        return self.network.stations[leg.stations[0]].name

    @property
    def last_name(self) -> str:
        """Name of the last station or stop."""
        leg = self.legs[-1]
        return (
            leg.to_stop
            if isinstance(leg, BusRide)
            else self.network.stations[leg.stations[-1]].name
        )

    def __str__(self) -> str:
        return route_text(self)


@dataclass(frozen=True)
class CommuterPass:
    """A confirmed pass as the deduction sees it; the version counts its confirmed changes."""

    id: str
    version: int
    route: Route
    period: Period


def parse_route(network: Network, text: str) -> Route:
    """Read a route text; RouteUnreadable, UnknownStation, UnknownLine, RouteDisconnected ..."""
    words = split_words(text, ":")
    if len(words) < 3 or len(words) % 2 == 0 or not all(words):  # noqa: PLR2004 - one section
        raise RouteUnreadable(f"経路は「駅:路線:駅」の形で入力してください: {text}")
    legs: list[Ride | BusRide] = []
    here: tuple[int, ...] = ()  # where the rider may stand; several after a walk, none after a bus
    for i in range(0, len(words) - 2, 2):
        start, line, end = words[i : i + 3]
        start, end = unescaped(start), unescaped(end)
        if _folded(line).startswith(BUS):
            names = (unescaped(line), start, end)
            legs.append(BusRide(*(_folded(name).strip() for name in names)))
            here = ()
        elif line == WALK:
            here = _walked(network, here, start, end)
        else:
            rides = _rides(network, here, start, line, end)
            here = (rides[-1].stations[-1],)
            last = legs.pop() if legs and isinstance(legs[-1], Ride) else None
            legs += joined_rides([last, *rides] if isinstance(last, Ride) else rides)
    return Route(network, tuple(legs))


@lru_cache(maxsize=16384)
def known_route(network: Network, text: str) -> Route:
    """As `parse_route`; the same text is read once."""
    return parse_route(network, text)


def parse_pass(network: Network, text: str, pass_id: str, version: int = 1) -> CommuterPass:
    """Read a pass text: a route, with a validity in brackets or without end."""
    section, period = _with_period(text)
    try:
        route = known_route(network, section)
    except RouteDisconnected as fact:
        raise PassHasGap(f"定期区間がつながっていません。{fact.message}") from fact
    return CommuterPass(pass_id, version, route, period)


def _with_period(text: str) -> tuple[str, Period]:
    """The route of a pass text and its period; brackets inside the route begin none."""
    *before, last = split_words(text, "[")
    period, *behind = split_words(last, "]")
    if not before or behind != [""]:
        return text.strip(), Period()
    return "[".join(before), parse_period(period)


def parse_period(text: str) -> Period:
    """Read 2026-04-01~2026-09-30 or 2026/04/01~; both ends are optional."""
    folded = unicodedata.normalize("NFKC", text).replace("〜", "~").replace("/", "-")
    start, tilde, end = (part.strip() for part in folded.partition("~"))
    if not start and not tilde:
        return Period()
    if not tilde:
        raise PeriodUnreadable(f"有効期間は「開始日~終了日」の形で入力してください: {text}")
    try:
        first = date.fromisoformat(start) if start else None
        last = date.fromisoformat(end) if end else None
    except ValueError:
        raise PeriodUnreadable(f"有効期間の日付が正しくありません: {text}") from None
    return Period(first, last)


def route_text(route: Route) -> str:
    """Write a route so that `parse_route` reads the same ride."""
    words: list[str] = []
    for leg in route.legs:
        if isinstance(leg, BusRide):
            start, end = escaped(leg.from_stop), escaped(leg.to_stop)
            line = escaped(leg.line)
        else:
            start, end = (escaped(route.network.stations[leg.stations[i]].name) for i in (0, -1))
            row = route.network.lines[leg.line]
            line = f"{escaped(row.operator)}/{escaped(row.name)}"
            line = ESCAPE + line if line.startswith(BUS) else line
        if not words:
            words.append(start)
        elif plain_name(unescaped(words[-1])) != plain_name(
            unescaped(start)
        ):  # 市ケ谷 and 市ヶ谷 are one station
            words += [WALK, start]
        words += [line, end]
    return ":".join(words)


def _walked(network: Network, here: tuple[int, ...], start: str, end: str) -> tuple[int, ...]:
    """Stations of the name within two changes, e.g. 銀座 = 銀座一丁目, then 有楽町."""
    origins = here or tuple(_all_named(network, start))
    near = dict.fromkeys(other for origin in origins for other in network.nearby[origin])
    wanted = plain_name(end)
    found = [s for s in near if plain_name(network.stations[s].name) == wanted]
    if not found:
        raise RouteDisconnected(f"{start}と{end}は徒歩で乗り換えられる駅ではありません")
    return tuple(_exact(network, found, end) or found)


def _all_named(network: Network, name: str) -> list[int]:
    """The stations of a name as written, else of its folded form."""
    found = stations_named(network, name)
    if not _exact(network, found, name):
        found = stations_named(network, _folded(name))
    if not found:
        raise unknown_station(network, name)
    return found


def _exact(network: Network, stations: Iterable[int], name: str) -> list[int]:
    return [station for station in stations if network.stations[station].name == name]


def _rides(network: Network, here: tuple[int, ...], start: str, line: str, end: str) -> list[Ride]:
    named, ends = _all_named(network, start), _all_named(network, end)
    exact = _exact(network, named, start), _exact(network, ends, end)
    if start == end or (plain_name(start) == plain_name(end) and not all(exact)):
        raise RouteUnreadable(f"同じ駅に戻る区間は指定できません: {start}:{line}:{end}")
    near = [other for station in here for other in network.interchanges[station]]
    # Where the ride may begin, by preference: here, at a namesake, after a change not written.
    origins: list[Sequence[int]] = (
        [here, [s for s in near if s in named], near] if here else [exact[0], named]
    )
    *written, family = _lines_named(network, line)
    for goals in (exact[1], ends):
        for starts in origins:
            for lines in written:
                if paths := _direct(network, lines, starts, goals):
                    return _only_operators(network, paths, line)
            if paths := _over(network, family, starts, goals):
                return _only_operators(network, paths, line)
    raise RouteDisconnected(f"{line}は{start}と{end}を結んでいません")


def _only_operators(network: Network, paths: Sequence[list[Ride]], line: str) -> list[Ride]:
    """The shortest way, if all are one operator's."""
    operators = dict.fromkeys(network.lines[rides[0].line].operator for rides in paths)
    if len(operators) > 1:
        choices = "、".join(f"{operator}/{line}" for operator in operators)
        raise AmbiguousLine(f"{line}は複数の会社にあります。会社名を付けてください: {choices}")
    return min(paths, key=lambda rides: sum(network.ride_km10(ride) for ride in rides))


def _lines_named(network: Network, text: str) -> tuple[list[Line], ...]:
    """Lines that a word means: as written, by folded form or another name, and by its branches.

    Branches are the lines of the name before a bracket (総武線 and its branch), once as lines of
    their own and once together with the line.
    """
    *before, name = split_words(text, "/")
    operator, name = unescaped("/".join(before)), unescaped(name)
    allowed = [line for line in network.lines if not before or line.operator == operator]
    if before and not allowed:
        folded = _folded(operator)
        allowed = [line for line in network.lines if _folded(line.operator) == folded]
    wanted = plain_name(name)
    also = network.lines_also_called.get(wanted, frozenset())
    same = [line for line in allowed if plain_name(line.name) == wanted or line.id in also]
    branches = [line for line in allowed if plain_name(line.name).startswith(f"{wanted}(")]
    if not same and not branches:
        raise UnknownLine(f"路線「{text}」はありません")
    return [line for line in same if line.name == name], same, branches, [*same, *branches]


@lru_cache(maxsize=4096)
def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _direct(
    network: Network, lines: Iterable[Line], starts: Sequence[int], ends: Sequence[int]
) -> list[list[Ride]]:
    rides = (
        network.along(line, start, end)
        for line in lines
        for start in starts
        for end in ends
        if start in line.stops and end in line.stops
    )
    return [[ride] for ride in rides if ride is not None]


def _over(
    network: Network, family: Sequence[Line], starts: Sequence[int], ends: Sequence[int]
) -> list[list[Ride]]:
    """Shortest ways over a line together with its branches, one per operator."""
    paths = []
    for operator in dict.fromkeys(line.operator for line in family):
        lines = [line for line in family if line.operator == operator]
        way = _shortest(network, lines, starts, ends)
        if way:
            paths.append(way)
    return paths


def _shortest(
    network: Network, lines: Sequence[Line], starts: Sequence[int], ends: Sequence[int]
) -> list[Ride]:
    around: dict[int, list[tuple[int, int]]] = {}
    for line in lines:
        for edge in line.edges:
            a, b = network.edges[edge].a, network.edges[edge].b
            around.setdefault(a, []).append((edge, b))
            around.setdefault(b, []).append((edge, a))
    arrivals = itertools.count()  # breaks ties before the rides are compared
    queue: list[tuple[int, int, int, tuple[Ride, ...]]] = [
        (0, next(arrivals), start, ()) for start in starts
    ]
    done: set[int] = set()
    while queue:
        km10, _, station, rides = heapq.heappop(queue)
        if station in ends and rides:
            return joined_rides(rides)
        if station in done:
            continue
        done.add(station)
        for edge, other in around.get(station, []):
            step = Ride(network.edges[edge].line, (station, other), (edge,))
            farther = km10 + network.edges[edge].km10
            heapq.heappush(queue, (farther, next(arrivals), other, (*rides, step)))
    return []


def joined_rides(rides: Iterable[Ride]) -> list[Ride]:
    """Join neighbouring rides along one line: a leg ends where the rider changes or turns back."""
    joined: list[tuple[int, list[int], list[int]]] = []
    for ride in rides:
        if joined:
            line, stations, edges = joined[-1]
            goes_on = line == ride.line and stations[-1] == ride.stations[0]
            if goes_on and edges[-1] != ride.edges[0]:
                stations += ride.stations[1:]
                edges += ride.edges
                continue
        joined.append((ride.line, list(ride.stations), list(ride.edges)))
    return [Ride(line, tuple(stations), tuple(edges)) for line, stations, edges in joined]
