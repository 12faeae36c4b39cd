"""Which through fares does a ride consist of?

A fare ends where the fare system changes, at a walk to another station of the tariff, and where
the rider comes a second time: nobody rides to a place and back under one fare.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from fare_engine.network.network import Network, Ride


@dataclass(frozen=True, slots=True)
class Run:
    """What one fare system charges as one fare: n + 1 stations, n tracks between them.

    `nodes` are the stations as the tariff counts them: several can be one.
    """

    system: str
    stations: tuple[int, ...]
    nodes: tuple[int, ...]
    tracks: tuple[int, ...]


def runs_of(network: Network, legs: Iterable[object]) -> Iterator[Run]:
    """The fares of a ride in riding order; whatever is no `Ride` (a bus) ends a fare.

    This is the hot part of a deduction.
    """
    node_of, track_of, system_of = network.fare_node, network.track_of, network.system_of
    system = ""
    stations: tuple[int, ...] = ()
    tracks: tuple[int, ...] = ()
    for leg in legs:
        onward = system_of[leg.line] if isinstance(leg, Ride) else ""
        if stations and (
            onward != system
            or not isinstance(leg, Ride)
            or node_of[stations[-1]] != node_of[leg.stations[0]]
        ):
            yield from _fares(network, system, stations, tracks)
            stations, tracks = (), ()
        if isinstance(leg, Ride):
            stations = (*stations, *leg.stations[1:]) if stations else leg.stations
            tracks = (*tracks, *[track_of[edge] for edge in leg.edges])
        system = onward
    if stations:
        yield from _fares(network, system, stations, tracks)


def _fares(
    network: Network, system: str, stations: tuple[int, ...], tracks: tuple[int, ...]
) -> Sequence[Run]:
    """A fare ends where the rider turns back, or comes to a station a second time."""
    nodes = tuple([network.fare_node[station] for station in stations])
    whole = Run(system, stations, nodes, tracks)
    if len(set(stations)) == len(stations):
        return (whole,)
    cuts, position = [0], 1
    while position < len(stations):
        if stations[position] in stations[cuts[-1] : position]:
            turned = position > cuts[-1] + 1 and tracks[position - 1] == tracks[position - 2]
            position -= turned
            cuts.append(position)
        position += 1
    if cuts[-1] < len(tracks):
        cuts.append(len(tracks))
    return [
        Run(system, stations[i : j + 1], nodes[i : j + 1], tracks[i:j]) for i, j in pairwise(cuts)
    ]
