"""Rides under one fare: the quickest over the tracks of one fare system, by average speed.

A fare between two stations does not depend on the way; what a pass covers of it does.
"""

import heapq
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache

from fare_engine.network.network import Network, Ride
from fare_engine.routing.route_text import joined_rides

BOARDING_SECONDS = 240
NEVER = 10**9
# Seconds, station, edge to it, its line and track.
Arc = tuple[int, int, int, int, int]
# A station and the line by which it was reached, -1 on foot.
State = tuple[int, int]


@lru_cache(maxsize=16_384)
def ride_inside(
    network: Network, system: str, a: int, b: int, barred: frozenset[int]
) -> tuple[Ride, ...]:
    """The quickest ride between two stations of a system; empty if there is none.

    Not over the `barred` tracks, as far as that is possible.
    """
    return _quickest(network, system, a, b, barred) or _quickest(network, system, a, b, frozenset())


def _quickest(
    network: Network, system: str, a: int, b: int, barred: frozenset[int]
) -> tuple[Ride, ...]:
    """Dijkstra over stations, each with the line by which it was reached."""
    around, twins = _tracks_of(network)[system], _twins_of(network)
    best: dict[State, int] = {(a, -1): 0}
    before: dict[State, tuple[State, int]] = {}
    queue: list[tuple[int, int, int]] = [(0, a, -1)]
    while queue:
        cost, here, line = heapq.heappop(queue)
        if here == b:
            return tuple(joined_rides(reversed(list(_way(network, before, (here, line))))))
        if cost > best[here, line]:
            continue
        arcs = [(60 * minutes, twin, -1, -1) for twin, minutes in twins[here] if twin in around]
        for seconds, there, edge, other, track in around.get(here, ()):
            if track not in barred:
                wait = 0 if other == line else BOARDING_SECONDS
                arcs.append((seconds + wait, there, other, edge))
        for onward, there, other, edge in arcs:
            if cost + onward < best.get((there, other), NEVER):
                best[there, other] = cost + onward
                before[there, other] = (here, line), edge
                heapq.heappush(queue, (cost + onward, there, other))
    return ()


def _way(
    network: Network, before: Mapping[State, tuple[State, int]], state: State
) -> Iterator[Ride]:
    """The tracks to a station, the last first."""
    while state in before:
        state, edge = before[state]
        if edge >= 0:
            yield _ride(network, state[0], edge)


def _ride(network: Network, start: int, edge_id: int) -> Ride:
    edge = network.edges[edge_id]
    return Ride(edge.line, (start, edge.b if start == edge.a else edge.a), (edge_id,))


@cache
def _tracks_of(network: Network) -> dict[str, dict[int, list[Arc]]]:
    """The arcs around each station, by fare system."""
    found: dict[str, dict[int, list[Arc]]] = {}
    for edge in network.edges:
        line = network.lines[edge.line]
        seconds = edge.km10 * network.seconds_per_km[line.id] // 10
        around = found.setdefault(line.system, {})
        around.setdefault(edge.a, []).append((seconds, edge.b, edge.id, line.id, edge.track))
        around.setdefault(edge.b, []).append((seconds, edge.a, edge.id, line.id, edge.track))
    return found


@cache
def _twins_of(network: Network) -> list[list[tuple[int, int]]]:
    """The other names of each station in the tariff, with the minutes of a change."""
    node = network.fare_node
    return [
        [(twin, minutes) for twin, minutes in others.items() if node[twin] == node[here]]
        for here, others in enumerate(network.interchanges)
    ]
