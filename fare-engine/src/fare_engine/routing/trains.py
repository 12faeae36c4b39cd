"""Trains of a route: what a rider boards on the way, and the walks between.

A fare line prices a ride; a train carries it. A journey that was searched knows its trains; any
other route is covered by the fewest trains that ride over its tracks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from fare_engine.fares.explanation_model import TrainLeg
from fare_engine.network.network import SAME_PLACE_MINUTES, Network, Ride
from fare_engine.network.services import (
    TrainRide,
    ride_between,
)
from fare_engine.routing.route_text import BusRide, Route, joined_rides
from fare_engine.routing.trains_over_route import (
    ChosenTrain,
    chosen_trains,
    fewest_trains,
    train_name,
)


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
            rides = fewest_trains(network, part)
            trains += _named_legs(network, rides)
            minutes += _minutes(network, rides)
    return Journey(route, tuple(trains), minutes)


def journey_by(route: Route, chosen: Sequence[ChosenTrain]) -> Journey | None:
    """The journey over a route by the trains that were chosen; None where they do not run so."""
    parts = list(_parts(route))
    if len(parts) != 1 or isinstance(parts[0], BusRide) or not chosen:
        return None
    rides = chosen_trains(route.network, parts[0], chosen)
    if rides is None:
        return None
    legs = tuple(_named_legs(route.network, rides))
    return Journey(route, legs, _minutes(route.network, rides))


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
        one.far_end + change_tenths(network, one.end, other.start) + other.wait
        for one, other in pairwise(rides)
    )
    return round((sum(ride.time for ride in rides) + waits) / 10)


def _named_legs(network: Network, rides: Sequence[TrainRide]) -> Iterator[TrainLeg]:
    for number, ride in enumerate(rides):
        if number and network.place_of[rides[number - 1].end] != network.place_of[ride.start]:
            yield _walk(network, rides[number - 1].end, ride.start)
        hops = ride.pattern.hops[ride.board : ride.alight]
        operators = tuple(dict.fromkeys(hop.operator for hop in hops))
        ends = network.stations[ride.start].name, network.stations[ride.end].name
        yield TrainLeg(
            "train", train_name(ride), operators, *ends, round(ride.time / 10), len(hops)
        )


def _walk(network: Network, a: int, b: int) -> TrainLeg:
    names = network.stations[a].name, network.stations[b].name
    return TrainLeg("walk", "徒歩", (), *names, change_tenths(network, a, b) // 10, 0)


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
