"""Services: the stop patterns that trains run, joined with the fare lines below them.

A service carries people, a fare line prices them. Each hop from a stop to the next knows the edges
that it rides over. What no service of the tables stops at is carried by one made from its line.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import pairwise

from fare_engine.data_tables import Service, ServiceStop
from fare_engine.network.network import NOT_SEARCHED, Line, Network, Ride

RUNS_OF_A_LINE = 108  # of a line without a timetable: every twenty minutes
DAY_TENTHS = 18 * 60 * 10  # trains run for eighteen hours
LONGEST_WAIT = 100  # tenths of a minute
RARE = 20  # trains a day: too few to count on
SAME_TIME = 15  # tenths of a minute, or a twentieth of the ride


@dataclass(frozen=True, slots=True)
class Hop:
    """From one stop to the next: where it begins and ends, and the edges in riding order."""

    start: int
    end: int
    edges: tuple[int, ...]
    train: str
    operator: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """A service in one direction: its hops, and tenths of a minute at every stop.

    `waits`: half a headway before boarding each hop, of all trains that run it. Where it begins at
    platforms far from the others, the way to them counts as a wait, and where it ends at such, the
    way from them (`far_end`) is in the minutes of the last stop.
    """

    name: str
    runs: int
    hops: tuple[Hop, ...]
    minutes10: tuple[int, ...]
    waits: tuple[int, ...]
    far_end: int = 0


@dataclass(frozen=True, slots=True)
class TrainRide:
    """A ride on a pattern from its stop number `board` to its stop number `alight`."""

    pattern: Pattern
    board: int
    alight: int

    @property
    def start(self) -> int:
        """The station where the train is boarded."""
        return self.pattern.hops[self.board].start

    @property
    def end(self) -> int:
        """The station where the rider gets off."""
        return self.pattern.hops[self.alight - 1].end

    @property
    def hops(self) -> tuple[Hop, ...]:
        """The hops that are ridden."""
        return self.pattern.hops[self.board : self.alight]

    @property
    def wait(self) -> int:
        """Tenths of a minute before the train comes."""
        return self.pattern.waits[self.board]

    @property
    def time(self) -> int:
        """Tenths of a minute on the train."""
        minutes = self.pattern.minutes10
        return minutes[self.alight] - minutes[self.board] - self.far_end

    @property
    def far_end(self) -> int:
        """Tenths of a minute that a change to another train takes longer than elsewhere."""
        return self.pattern.far_end if self.alight == len(self.pattern.hops) else 0


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Consecutive stops of a service that the network knows."""

    service: Service
    rows: Sequence[ServiceStop]
    hops: tuple[Hop, ...]


@cache
def patterns_of(network: Network) -> tuple[Pattern, ...]:
    """Every service in both directions, and those made from lines that none of them serves."""
    joiner = _Joiner(network)
    stretches = list(joiner.stretches())
    drafts = [
        (one.service.name, one.service.runs, one.hops, [row.minutes10 for row in one.rows])
        for one in stretches
    ]
    drafts += [("", RUNS_OF_A_LINE, hops, times) for hops, times in _lines_left(network, stretches)]
    both = [
        (name, runs, way, tuple(times))
        for name, runs, hops, forward in drafts
        for way, times in (
            (hops, [at - forward[0] for at in forward]),
            (_reversed(hops), [forward[-1] - at for at in reversed(forward)]),
        )
    ]
    runs_between: dict[tuple[int, int], int] = defaultdict(int)
    for _, runs, hops, _ in both:
        for hop in hops:
            runs_between[hop.start, hop.end] += runs
    return _longest(
        _with_far_ends(network, Pattern(name, runs, hops, times, _waits(runs, hops, runs_between)))
        for name, runs, hops, times in both
    )


def _with_far_ends(network: Network, one: Pattern) -> Pattern:
    """The pattern with the way to and from platforms that are far from the others."""
    far, edges = network.far_platforms, network.edges
    first, last = one.hops[0], one.hops[-1]
    to_it = 10 * far.get((first.start, edges[first.edges[0]].line), 0)
    from_it = 10 * far.get((last.end, edges[last.edges[-1]].line), 0)
    if not to_it and not from_it:
        return one
    return replace(
        one,
        minutes10=(*one.minutes10[:-1], one.minutes10[-1] + from_it),
        waits=(one.waits[0] + to_it, *one.waits[1:]),
        far_end=from_it,
    )


def _waits(
    runs: int, hops: Sequence[Hop], runs_between: Mapping[tuple[int, int], int]
) -> tuple[int, ...]:
    """Half a headway before each hop, in tenths of a minute; a rare express is waited for."""
    if runs < RARE and any("(" in hop.train for hop in hops):
        return (LONGEST_WAIT,) * len(hops)
    return tuple(
        min(LONGEST_WAIT, DAY_TENTHS // max(runs_between[hop.start, hop.end], 1)) for hop in hops
    )


def _longest(patterns: Iterable[Pattern]) -> tuple[Pattern, ...]:
    """The patterns without those that are a part of a longer one: half of them.

    A part stays where it runs more often and takes another time: then its minutes are the usual.
    """
    kept: list[Pattern] = []
    calls: dict[tuple[int, int, str], list[tuple[list[tuple[int, int, str]], Pattern, int]]]
    calls = defaultdict(list)
    for one in sorted(patterns, key=lambda one: (-len(one.hops), -one.runs)):
        keys = [(hop.start, hop.end, hop.train) for hop in one.hops]
        if not any(
            longer[at : at + len(keys)] == keys
            and (one.runs <= other.runs or _takes_as_long(one, other, at))
            for longer, other, at in calls[keys[0]]
        ):
            kept.append(one)
            for at, key in enumerate(keys):
                calls[key].append((keys, one, at))
    return tuple(kept)


def _takes_as_long(one: Pattern, other: Pattern, at: int) -> bool:
    """Whether a pattern takes as long as the same stops of a longer one, from its stop `at`."""
    minutes, time = other.minutes10, one.minutes10[-1]
    return abs(minutes[at + len(one.hops)] - minutes[at] - time) <= max(SAME_TIME, time // 20)


def stops_left_out(network: Network) -> list[ServiceStop]:
    """The stops of services that the network does not know: they are not ridden to."""
    joiner = _Joiner(network)
    return [row for row in network.tables.service_stops if joiner.station(row) is None]


def ride_between(network: Network, hops: Sequence[Hop]) -> list[Ride]:
    """The rides over the fare lines below the hops, one for each line in turn."""
    return [ride for hop in hops for ride in _rides_over(network, hop.start, hop.edges)]


@lru_cache(maxsize=16_384)
def _rides_over(network: Network, here: int, edges: tuple[int, ...]) -> tuple[Ride, ...]:
    rides = []
    for edge_id in edges:
        edge = network.edges[edge_id]
        if here not in {edge.a, edge.b}:  # another operator's name of the same platform
            here = edge.a if network.place_of[edge.a] == network.place_of[here] else edge.b
        there = edge.b if here == edge.a else edge.a
        rides.append(Ride(edge.line, (here, there), (edge_id,)))
        here = there
    return tuple(rides)


def _reversed(hops: Sequence[Hop]) -> tuple[Hop, ...]:
    return tuple(
        Hop(hop.end, hop.start, hop.edges[::-1], hop.train, hop.operator) for hop in reversed(hops)
    )


class _Joiner:
    """Finds the edges below the stops of services."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._lines = {(line.operator, line.name): line for line in network.lines}
        self._around: list[list[tuple[int, int]]] = [[] for _ in network.stations]
        for edge in network.edges:
            self._around[edge.a].append((edge.id, edge.b))
            self._around[edge.b].append((edge.id, edge.a))
        self._known: dict[tuple[str, str, int, int], tuple[int, ...]] = {}
        self._hops: dict[tuple[str, ...], Hop | None] = {}

    def stretches(self) -> Iterator[_Stretch]:
        """The services, cut where the network does not know a stop or the way to it."""
        rows_of: dict[int, list[ServiceStop]] = defaultdict(list)
        for row in self.network.tables.service_stops:
            rows_of[row.service].append(row)
        for service in self.network.tables.services:
            rows: list[ServiceStop] = []
            hops: list[Hop] = []
            for row, following in pairwise(rows_of[service.id]):
                hop = self._hop(row, following)
                if hop is not None:
                    rows.append(row)
                    hops.append(hop)
                if hop is None or following is rows_of[service.id][-1]:
                    if hops:
                        last = following if hop is not None else row
                        yield _Stretch(service, [*rows, last], tuple(hops))
                    rows, hops = [], []

    def station(self, row: ServiceStop) -> int | None:
        """The station of a stop, None if the network has none of that name."""
        return self.network.station_ids.get((row.operator, row.station))

    def _hop(self, row: ServiceStop, following: ServiceStop) -> Hop | None:
        """From a stop to the next; many services share it."""
        ends = row.station, following.operator, following.station
        key = (row.train, row.operator, row.line, *ends)
        if key not in self._hops:
            self._hops[key] = self._joined(row, following)
        return self._hops[key]

    def _joined(self, row: ServiceStop, following: ServiceStop) -> Hop | None:
        start, stop = self.station(row), self.station(following)
        if start is None or stop is None:
            return None
        end = self._of_operator(row.operator, stop)
        key = (row.operator, row.line, start, end)
        if key not in self._known:
            self._known[key] = self._edges(row, {row.operator, following.operator}, start, end)
        edges = self._known[key]
        return Hop(start, end, edges, row.train, row.operator) if edges else None

    def _of_operator(self, operator: str, station: int) -> int:
        """The operator's station at the place, or the given one if it has none there."""
        stations = self.network.stations
        place = self.network.places[self.network.place_of[station]]
        own = [one for one in place if stations[one].operator == operator]
        return station if station in own or not own else own[0]

    def _edges(
        self, row: ServiceStop, operators: set[str], start: int, end: int
    ) -> tuple[int, ...]:
        line = self._lines.get((row.operator, row.line))
        ride = self.network.along(line, start, end) if line else None
        return ride.edges if ride else self._shortest(operators, start, end)

    def _shortest(self, operators: set[str], start: int, end: int) -> tuple[int, ...]:
        """The shortest way over the operators' tracks; through running stays at the platform."""
        stations, edges = self.network.stations, self.network.edges
        queue: list[tuple[int, int, tuple[int, ...]]] = [(0, start, ())]
        done: set[int] = set()
        while queue:
            km10, here, way = heapq.heappop(queue)
            if here == end:
                return way
            if here in done:
                continue
            done.add(here)
            for edge, there in self._around[here]:
                if stations[there].operator in operators:
                    heapq.heappush(queue, (km10 + edges[edge].km10, there, (*way, edge)))
            for twin in self.network.places[self.network.place_of[here]]:
                if stations[twin].operator in operators:
                    heapq.heappush(queue, (km10, twin, way))
        return ()


def _lines_left(
    network: Network, stretches: Sequence[_Stretch]
) -> Iterator[tuple[tuple[Hop, ...], list[int]]]:
    """Stretches of lines that no service rides, or where none stops, by average speed."""
    ridden = {
        network.edges[edge].track for one in stretches for hop in one.hops for edge in hop.edges
    }
    served = {end for one in stretches for hop in one.hops for end in (hop.start, hop.end)}
    for line in network.lines:
        if not NOT_SEARCHED.isdisjoint((line.operator, line.system)):
            continue
        hops: list[Hop] = []
        for edge_id in (*line.edges, *(line.edges if line.is_loop else ())):
            edge = network.edges[edge_id]
            if edge.track in ridden and edge.a in served and edge.b in served:
                yield from _with_times(network, line, hops)
                hops = []
            else:
                hops.append(Hop(edge.a, edge.b, (edge_id,), line.name, line.operator))
        yield from _with_times(network, line, hops)


def _with_times(
    network: Network, line: Line, hops: Sequence[Hop]
) -> Iterator[tuple[tuple[Hop, ...], list[int]]]:
    times = [0]
    for hop in hops:
        seconds10 = network.edges[hop.edges[0]].km10 * network.seconds_per_km[line.id]
        times.append(times[-1] + max(seconds10 // 60, 1))
    if hops:
        yield tuple(hops), times
