"""The fewest trains that ride exactly over the tracks of a route, and of those the quickest.

Where a train runs along with the route is found first, pattern by pattern; then one train after
the other is boarded and left wherever the route lets it, all positions of the route at once.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from fare_engine.network.network import SAME_PLACE_MINUTES, Network, Ride
from fare_engine.network.services import (
    LONGEST_WAIT,
    Hop,
    Pattern,
    TrainRide,
    patterns_of,
    ride_between,
)

CHANGE = SAME_PLACE_MINUTES * 10
NEVER = 10**9

# A track ridden from a station.
Step = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Steps:
    """Where each step occurs (pattern, position in it), and where the hops of a pattern begin."""

    patterns: Sequence[Pattern]
    bounds: Sequence[Sequence[int]]
    occurs: Mapping[Step, Sequence[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class _Along:
    """A pattern that runs along with the route: its stops, by number, and their positions in it."""

    pattern: Pattern
    stops: range
    positions: Sequence[int]


@dataclass(frozen=True, slots=True)
class _Reached:
    """A position in a route: tenths of a minute up to it, and the train from the one before."""

    tenths: int
    before: int
    ride: TrainRide | None


@dataclass(frozen=True, slots=True)
class ChosenTrain:
    """A train that a person chose in the look-up: its name, where it is left, its minutes."""

    name: str
    end: str
    minutes: int


def chosen_trains(
    network: Network, rides: Sequence[Ride], chosen: Sequence[ChosenTrain]
) -> list[TrainRide] | None:
    """The trains that bear the chosen names over the rides; None where they do not run so."""
    steps = _steps_over(network, rides)
    trains = list(_trains_along(_steps_of(network), steps))

    def onward(position: int, number: int) -> list[TrainRide] | None:
        if number == len(chosen):
            return [] if position == len(steps) else None
        fitting = [
            (abs(round(ride.time / 10) - chosen[number].minutes), ride.time + ride.wait, end, ride)
            for train in trains
            for end, ride in _boarded_at(train, position)
            if network.stations[ride.end].name == chosen[number].end
            and train_name(ride) == chosen[number].name
        ]
        for *_, end, ride in sorted(fitting, key=lambda one: one[:2]):
            rest = onward(end, number + 1)
            if rest is not None:
                return [ride, *rest]
        return None

    return onward(0, 0)


def _boarded_at(train: "_Along", position: int) -> Iterator[tuple[int, TrainRide]]:
    """The rides of a train from a position, with the positions where they end."""
    if position in train.positions:
        number = train.positions.index(position)
        board = train.stops[number]
        onward = zip(train.positions[number + 1 :], train.stops[number + 1 :], strict=True)
        yield from ((end, TrainRide(train.pattern, board, stop)) for end, stop in onward)


def train_name(ride: TrainRide) -> str:
    """東海道線; 湘南新宿ライン; 小田急線・小田急江ノ島線(快速急行)."""
    names = list(dict.fromkeys(hop.train for hop in ride.hops))
    if len(names) == 1:
        return names[0]
    if ride.pattern.name:
        return ride.pattern.name
    kinds = {name.partition("(")[2] for name in names}
    if len(kinds) > 1:
        return "・".join(names)
    kind = kinds.pop()
    lines = "・".join(dict.fromkeys(name.partition("(")[0] for name in names))
    return f"{lines}({kind}" if kind else lines


def fewest_trains(network: Network, rides: Sequence[Ride]) -> list[TrainRide]:
    """The trains over the rides; where none runs exactly so, the line itself carries the rider."""
    steps = _steps_over(network, rides)
    trains = list(_trains_along(_steps_of(network), steps))
    best: dict[int, _Reached] = {0: _Reached(0, 0, None)}
    fresh = [0]
    while len(steps) not in best:
        reached = _one_train_on(trains, best, fresh)
        if not reached:
            position = max(best)
            end, ride = _by_line(network, rides, position)
            wait = ride.wait + CHANGE if position else 0
            reached[end] = _Reached(best[position].tenths + ride.time + wait, position, ride)
        best |= reached
        fresh = list(reached)
    return _traced(best, len(steps))


def _steps_over(network: Network, rides: Sequence[Ride]) -> list[Step]:
    return [
        (network.track_of[edge], start)
        for ride in rides
        for start, edge in zip(ride.stations, ride.edges, strict=False)
    ]


def _trains_along(known: _Steps, steps: Sequence[Step]) -> Iterator[_Along]:
    """The stretches of patterns that agree with the steps, as long as possible."""
    stretches: dict[tuple[int, int], list[list[int]]] = defaultdict(list)
    for here, step in enumerate(steps):
        for pattern, position in known.occurs.get(step, ()):
            runs = stretches[pattern, position - here]
            if runs and runs[-1][1] == here:
                runs[-1][1] = here + 1
            else:
                runs.append([here, here + 1])
    for (number, ahead), runs in stretches.items():
        bounds = known.bounds[number]
        for start, end in runs:
            stops = range(bisect_left(bounds, start + ahead), bisect_right(bounds, end + ahead))
            if len(stops) > 1:
                positions = [bounds[stop] - ahead for stop in stops]
                yield _Along(known.patterns[number], stops, positions)


def _one_train_on(
    trains: Sequence[_Along], best: Mapping[int, _Reached], fresh: Sequence[int]
) -> dict[int, _Reached]:
    """The positions that one more train leads to, from those reached last."""
    ready = {position: best[position].tenths + (CHANGE if position else 0) for position in fresh}
    reached: dict[int, tuple[int, int, Pattern, int, int]] = {}
    for train in trains:
        if ready.keys().isdisjoint(train.positions):
            continue
        minutes, waits = train.pattern.minutes10, train.pattern.waits
        boarded, before, board = NEVER, 0, 0
        for stop, position in zip(train.stops, train.positions, strict=True):
            tenths = boarded + minutes[stop]
            if tenths < NEVER and position not in best:
                known = reached.get(position)
                if known is None or tenths < known[0]:
                    reached[position] = tenths, before, train.pattern, board, stop
            here = ready.get(position)
            if here is not None and stop < len(waits):
                start = here + (waits[stop] if position else 0) - minutes[stop]
                if start < boarded:
                    boarded, before, board = start, position, stop
    return {
        position: _Reached(tenths, before, TrainRide(pattern, board, stop))
        for position, (tenths, before, pattern, board, stop) in reached.items()
    }


def _traced(best: Mapping[int, _Reached], position: int) -> list[TrainRide]:
    found: list[TrainRide] = []
    while (ride := best[position].ride) is not None:
        found.append(ride)
        position = best[position].before
    return found[::-1]


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
def _steps_of(network: Network) -> _Steps:
    """The steps of all patterns of a network; built once."""
    ridden: dict[tuple[int, tuple[int, ...]], list[Step]] = {}
    occurs: dict[Step, list[tuple[int, int]]] = defaultdict(list)
    patterns, bounds = patterns_of(network), []
    for number, pattern in enumerate(patterns):
        own: list[Step] = []
        starts = [0]
        for hop in pattern.hops:
            key = hop.start, hop.edges
            if key not in ridden:
                ridden[key] = [
                    (network.track_of[ride.edges[0]], ride.stations[0])
                    for ride in ride_between(network, [hop])
                ]
            own += ridden[key]
            starts.append(len(own))
        bounds.append(starts)
        for position, step in enumerate(own):
            occurs[step].append((number, position))
    return _Steps(patterns, bounds, dict(occurs))
