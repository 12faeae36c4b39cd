"""Trains of a route: what a rider boards on the way, and the walks between.

A fare line prices a ride; a train carries it.
"""

from collections.abc import Iterator

from fare_engine.fares.explanation import TrainLeg
from fare_engine.network.network import SAME_PLACE_MINUTES, Network, Ride
from fare_engine.routing.route_text import BusRide, Route


def trains_of(route: Route, network: Network) -> tuple[TrainLeg, ...]:
    """The trains and walks of a route, in riding order; minutes without the waits."""
    return tuple(_legs(route, network))


def _legs(route: Route, network: Network) -> Iterator[TrainLeg]:
    before: int | None = None
    for leg in route.legs:
        if isinstance(leg, BusRide):
            yield TrainLeg("train", leg.line, (), leg.from_stop, leg.to_stop, 0, 1)
            before = None
            continue
        if before is not None and network.place_of[before] != network.place_of[leg.stations[0]]:
            yield _walk(network, before, leg.stations[0])
        yield _train(network, leg)
        before = leg.stations[-1]


def _walk(network: Network, a: int, b: int) -> TrainLeg:
    names = network.stations[a].name, network.stations[b].name
    minutes = network.interchanges[a].get(b, 2 * SAME_PLACE_MINUTES)
    return TrainLeg("walk", "徒歩", (), *names, minutes, 0)


def _train(network: Network, ride: Ride) -> TrainLeg:
    line = network.lines[ride.line]
    seconds = network.ride_km10(ride) * network.seconds_per_km[ride.line] // 10
    names = [network.stations[station].name for station in (ride.stations[0], ride.stations[-1])]
    return TrainLeg(
        "train", line.name, (line.operator,), names[0], names[1], seconds // 60, len(ride.edges)
    )
