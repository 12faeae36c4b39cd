"""Trains of a route: what a rider boards on the way, and the walks between.

A fare line prices a ride; a train carries it. A journey that was searched knows its trains; any
other route is covered by the fewest trains that ride over its tracks.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise

from fare_engine.fares.explanation_model import TrainLeg
from fare_engine.network.network import SAME_PLACE_MINUTES, Network, Ride
from fare_engine.network.services import (
    LONGEST_WAIT,
    Hop,
    Pattern,
    TrainRide,
    patterns_of,
    ride_between,
)
from fare_engine.routing.route_text import BusRide, Route, joined_rides

# A track ridden from a station.
Step = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Journey:
    """A route with its trains; minutes from the first departure to the arrival."""

    route: Route
    trains: tuple[TrainLeg, ...]
    minutes: int

    @property
    def changes(self) -> int:
        """How often the rider boards another train."""
        return sum(1 for one in self.trains if one.kind == "train") - 1


@dataclass(frozen=True, slots=True)
class _Reached:
    """A position in a route: tenths of a minute up to it, and the train from the one before."""

    tenths: int
    before: int
    ride: TrainRide | None


def journey_of(network: Network, rides: Sequence[TrainRide]) -> Journey:
    """The journey by the trains given, over the fare lines below them."""
    hops = [hop for ride in rides for hop in ride.pattern.hops[ride.board : ride.alight]]
    route = Route(network, tuple(joined_rides(ride_between(network, hops))))
    return Journey(route, tuple(_named_legs(network, rides)), _minutes(network, rides))


@lru_cache(maxsize=4096)
def journey_over(route: Route) -> Journey:
    """The journey over a route by the fewest trains; a bus without a timetable takes no time."""
    network = route.network
    trains: list[TrainLeg] = []
    minutes = 0
    for part in _parts(route):
        if isinstance(part, BusRide):
            trains.append(TrainLeg("train", part.line, (), part.from_stop, part.to_stop, 0, 1))
        else:
            rides = _fewest_trains(network, part)
            trains += _named_legs(network, rides)
            minutes += _minutes(network, rides)
    return Journey(route, tuple(trains), minutes)


def trains_of(route: Route, network: Network) -> tuple[TrainLeg, ...]:
    """The trains and walks of a route, in riding order."""
    assert route.network is network
    return journey_over(route).trains


def change_tenths(network: Network, a: int, b: int) -> int:
    """Tenths of a minute from one train's platform to the next."""
    if a == b:
        return SAME_PLACE_MINUTES * 10
    near = network.interchanges[a]
    if b in near:
        return near[b] * 10
    by_way = [near[c] + network.interchanges[c][b] for c in near if b in network.interchanges[c]]
    return min(by_way, default=2 * SAME_PLACE_MINUTES) * 10


def _minutes(network: Network, rides: Sequence[TrainRide]) -> int:
    waits = sum(
        change_tenths(network, one.end, other.start) + other.wait for one, other in pairwise(rides)
    )
    return round((sum(ride.time for ride in rides) + waits) / 10)


def _named_legs(network: Network, rides: Sequence[TrainRide]) -> Iterator[TrainLeg]:
    for number, ride in enumerate(rides):
        if number and network.place_of[rides[number - 1].end] != network.place_of[ride.start]:
            yield _walk(network, rides[number - 1].end, ride.start)
        hops = ride.pattern.hops[ride.board : ride.alight]
        operators = tuple(dict.fromkeys(hop.operator for hop in hops))
        ends = network.stations[ride.start].name, network.stations[ride.end].name
        name = _name(ride.pattern, hops)
        yield TrainLeg("train", name, operators, *ends, round(ride.time / 10), len(hops))


def _walk(network: Network, a: int, b: int) -> TrainLeg:
    names = network.stations[a].name, network.stations[b].name
    return TrainLeg("walk", "徒歩", (), *names, change_tenths(network, a, b) // 10, 0)


def _name(pattern: Pattern, hops: Sequence[Hop]) -> str:
    """東海道線; 湘南新宿ライン; 小田急線・小田急江ノ島線(快速急行)."""
    names = list(dict.fromkeys(hop.train for hop in hops))
    if len(names) == 1:
        return names[0]
    if pattern.name:
        return pattern.name
    kinds = {name.partition("(")[2] for name in names}
    if len(kinds) > 1:
        return "・".join(names)
    kind = kinds.pop()
    lines = "・".join(dict.fromkeys(name.partition("(")[0] for name in names))
    return f"{lines}({kind}" if kind else lines


def _parts(route: Route) -> Iterator[BusRide | list[Ride]]:
    rides: list[Ride] = []
    for leg in route.legs:
        if isinstance(leg, Ride):
            rides.append(leg)
            continue
        if rides:
            yield rides
        yield leg
        rides = []
    if rides:
        yield rides


def _fewest_trains(network: Network, rides: Sequence[Ride]) -> list[TrainRide]:
    """The fewest trains, then the quickest, that ride exactly over the tracks of the rides."""
    steps = [
        (network.track_of[edge], start)
        for ride in rides
        for start, edge in zip(ride.stations, ride.edges, strict=False)
    ]
    best: dict[int, _Reached] = {0: _Reached(0, 0, None)}
    fresh = [0]
    while len(steps) not in best:
        reached: dict[int, _Reached] = {}
        for position in fresh:
            for end, ride in _trains_from(network, steps, position):
                _keep_quicker(reached, best, position, end, ride)
        if not reached:  # no train runs exactly so: the line itself carries the rider
            position = max(best)
            end, ride = _by_line(network, rides, position)
            _keep_quicker(reached, best, position, end, ride)
        best |= reached
        fresh = sorted(reached)
    return _traced(best, len(steps))


def _keep_quicker(
    reached: dict[int, _Reached],
    best: dict[int, _Reached],
    position: int,
    end: int,
    ride: TrainRide,
) -> None:
    wait = ride.wait + SAME_PLACE_MINUTES * 10 if position else 0
    tenths = best[position].tenths + ride.time + wait
    if end not in best and (end not in reached or tenths < reached[end].tenths):
        reached[end] = _Reached(tenths, position, ride)


def _traced(best: dict[int, _Reached], position: int) -> list[TrainRide]:
    found: list[TrainRide] = []
    while (ride := best[position].ride) is not None:
        found.append(ride)
        position = best[position].before
    return found[::-1]


def _trains_from(
    network: Network, steps: Sequence[Step], position: int
) -> Iterator[tuple[int, TrainRide]]:
    """The positions that one train reaches over the steps, by each pattern."""
    steps_of = _steps_of(network)
    for pattern, board in _boardings(network).get(steps[position], ()):
        at = position
        for number, ridden in enumerate(steps_of[id(pattern)][board:], start=board + 1):
            if tuple(steps[at : at + len(ridden)]) != ridden:
                break
            at += len(ridden)
            yield at, TrainRide(pattern, board, number)


def _by_line(network: Network, rides: Sequence[Ride], position: int) -> tuple[int, TrainRide]:
    """The rest of a leg by average speed, and the position where it ends."""
    end = 0
    for ride in rides:
        end += len(ride.edges)
        if end > position:
            break
    edges, stations = ride.edges[position - end :], ride.stations[position - end - 1 :]
    line = network.lines[ride.line]
    hop = Hop(stations[0], stations[-1], edges, line.name, line.operator)
    tenths = sum(network.edges[edge].km10 for edge in edges) * network.seconds_per_km[line.id] // 60
    pattern = Pattern("", 0, (hop,), (0, tenths), (LONGEST_WAIT,))
    return end, TrainRide(pattern, 0, 1)


@cache
def _steps_of(network: Network) -> dict[int, list[tuple[Step, ...]]]:
    """The tracks ridden on each hop, by the identity of the pattern."""
    known: dict[tuple[int, tuple[int, ...]], tuple[Step, ...]] = {}
    return {
        id(pattern): [
            known.get((hop.start, hop.edges))
            or known.setdefault((hop.start, hop.edges), _ridden(network, hop))
            for hop in pattern.hops
        ]
        for pattern in patterns_of(network)
    }


def _ridden(network: Network, hop: Hop) -> tuple[Step, ...]:
    rides = ride_between(network, [hop])
    return tuple((network.track_of[ride.edges[0]], ride.stations[0]) for ride in rides)


@cache
def _boardings(network: Network) -> dict[Step, list[tuple[Pattern, int]]]:
    """Where a train may be boarded to ride over a track: pattern and number of the hop."""
    found: dict[Step, list[tuple[Pattern, int]]] = defaultdict(list)
    for pattern in patterns_of(network):
        for number, ridden in enumerate(_steps_of(network)[id(pattern)]):
            found[ridden[0]].append((pattern, number))
    return found
