"""Graph of the search for the cheapest route: nodes, prices, changes, and what passes bar.

Everything but the prices depends on the network alone and is worked out once.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from fare_engine.fares.tariffs import FareBook, NoTariffOnDate
from fare_engine.network.network import Network
from fare_engine.routing.all_pairs_fares import NO_FARE, stations_of, system_fares

# A change costs nothing; a yen-fraction keeps needless ones out. Costs are in hundredths of a yen.
CENT = 100
STEP = 1
NEVER = 2**29

Costs = NDArray[np.int32]


@dataclass(frozen=True)
class Nodes:
    """A node is a station as a fare system serves it; the nodes of a system lie together."""

    network: Network
    systems: dict[str, slice]
    stations: tuple[int, ...]
    at: dict[tuple[str, int], int]
    here: dict[int, tuple[int, ...]]  # nodes by station
    twins: tuple[tuple[int, ...], ...]
    owner: tuple[str, ...]  # system by node
    changes: tuple[NDArray[np.int64], NDArray[np.int64]]  # from, to; ordered by the second


def covered_at(network: Network, station: int, covered: frozenset[int]) -> frozenset[int]:
    """The covered tracks that end at a station."""
    return frozenset(
        track
        for track in covered
        if network.fare_node[station]
        in (network.fare_node[network.edges[track].a], network.fare_node[network.edges[track].b])
    )


@lru_cache(maxsize=1024)
def detours_of(network: Network, covered: frozenset[int]) -> dict[str, Costs]:
    """`[p, x]` is NEVER where every ride from p to x begins on a covered track, else 0.

    A paid part ends where a pass's stretch ends, not in its middle: a fare from a station of a pass
    must be ridden without its tracks. Only systems with covered tracks.
    """
    found = {}
    for system, part in nodes_of(network).systems.items():
        own = [
            track for track in covered if network.lines[network.edges[track].line].system == system
        ]
        if not own:
            continue
        stations = nodes_of(network).stations[part]
        around = _tracks_around(network, system)
        detour = np.zeros((len(stations), len(stations)), np.int32)
        on_pass = {network.fare_node[s] for t in own for s in _ends(network, t)}
        for i, station in enumerate(stations):
            node = network.fare_node[station]
            if node in on_pass:
                reached = _reached(around, node, covered)
                detour[i] = [0 if network.fare_node[s] in reached else NEVER for s in stations]
        found[system] = detour
    return found


def _ends(network: Network, track: int) -> tuple[int, int]:
    return network.edges[track].a, network.edges[track].b


@lru_cache(maxsize=64)
def _tracks_around(network: Network, system: str) -> dict[int, list[tuple[int, int]]]:
    """Neighbour and track by tariff node."""
    around: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for edge in network.edges:
        if network.lines[edge.line].system == system:
            a, b = network.fare_node[edge.a], network.fare_node[edge.b]
            around[a].append((b, edge.track))
            around[b].append((a, edge.track))
    return around


def _reached(
    around: Mapping[int, Sequence[tuple[int, int]]], node: int, covered: frozenset[int]
) -> set[int]:
    """The nodes that a ride from a node can reach without a covered track there."""
    reached = {node}
    ahead = [other for other, track in around[node] if track not in covered]
    while ahead:
        here = ahead.pop()
        if here not in reached:
            reached.add(here)
            ahead += [other for other, _ in around[here] if other not in reached]
    return reached


def prices(
    book: FareBook, avoid: frozenset[str]
) -> tuple[dict[str, Costs], dict[str, tuple[str, int]]]:
    """Fares in hundredths of a yen by system, and each system's discount with its one partner."""
    cents = {}
    for system in nodes_of(book.network).systems:
        if avoid.isdisjoint((system, system.partition("/")[0])):
            priced = book.remembered(("cents", system), lambda key: _cents(book, key[1]))
            if priced is not None:
                cents[system] = priced
    partners = book.remembered(("partners",), lambda _: _partners(book))
    discounts = {
        one: (other, yen * CENT)
        for one, (other, yen) in partners.items()
        if one in cents and other in cents
    }
    return cents, discounts


def _cents(book: FareBook, system: str) -> Costs | None:
    try:
        yen = system_fares(book, system).yen
    except NoTariffOnDate:
        return None
    return np.where(yen >= NO_FARE, NEVER, np.minimum(yen, 10**6) * CENT + STEP).astype(np.int32)


def _partners(book: FareBook) -> dict[str, tuple[str, int]]:
    systems = nodes_of(book.network).systems
    return {
        one: (other, yen)
        for one in systems
        for other in systems
        if (yen := book.discounts.get((one, other)))
    }


@cache
def nodes_of(network: Network) -> Nodes:
    """The nodes of a network, system by system."""
    systems: dict[str, slice] = {}
    stations: list[int] = []
    for system in dict.fromkeys(line.system for line in network.lines):
        own = stations_of(network, system)
        systems[system] = slice(len(stations), len(stations) + len(own))
        stations += own
    owner = [system for system, part in systems.items() for _ in stations[part]]
    at = {(system, s): i for i, (system, s) in enumerate(zip(owner, stations, strict=True))}
    joined: dict[tuple[str, int], list[int]] = defaultdict(list)
    for (system, station), i in at.items():
        joined[system, network.fare_node[station]].append(i)
    twins = tuple(
        tuple(other for other in joined[system, network.fare_node[station]] if other != i)
        for i, (system, station) in enumerate(zip(owner, stations, strict=True))
    )
    arcs = sorted(set(_changes(network, at)), key=lambda arc: (arc[1], arc[0]))
    origins, goals = np.array(arcs, np.int64).reshape(-1, 2).T
    here: dict[int, tuple[int, ...]] = defaultdict(tuple)
    for (_, station), node in at.items():
        here[station] += (node,)
    return Nodes(network, systems, tuple(stations), at, here, twins, tuple(owner), (origins, goals))


def _changes(network: Network, at: dict[tuple[str, int], int]) -> Iterator[tuple[int, int]]:
    """Changes to a neighbour of another operator, or to another system at the same station."""
    operator = [station.operator for station in network.stations]
    here: dict[int, list[int]] = {}
    for (_, station), node in at.items():
        here.setdefault(station, []).append(node)
    systems = {node: system for (system, _), node in at.items()}
    for (system, station), node in at.items():
        yield from ((node, other) for other in here[station] if other != node)
        for near in network.nearby[station]:
            if operator[near] != operator[station]:
                onward = here.get(near, ())
                yield from ((node, other) for other in onward if systems[other] != system)
