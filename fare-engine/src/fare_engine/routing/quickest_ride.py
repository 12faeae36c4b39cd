"""Rides under one fare: the quickest over the tracks of one fare system, by average speed.

A fare between two stations does not depend on the way; what a pass covers of it does.
"""

import heapq
from functools import cache, lru_cache

from fare_engine.network.network import Network, Ride
from fare_engine.routing.route_text import joined_rides

BOARDING_SECONDS = 240
# Seconds, station, edge to it.
Arc = tuple[int, int, int]


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
    around = _tracks_of(network)[system]
    # Seconds, station, line, and the way to it as pairs of station and edge.
    queue: list[tuple[int, int, int, tuple[tuple[int, int], ...]]] = [(0, a, -1, ())]
    done: set[tuple[int, int]] = set()
    while queue:
        cost, here, line, way = heapq.heappop(queue)
        if here == b:
            return tuple(joined_rides(_ride(network, *step) for step in way))
        if (here, line) in done:
            continue
        done.add((here, line))
        for twin, minutes in network.interchanges[here].items():
            if network.fare_node[twin] == network.fare_node[here] and twin in around:
                heapq.heappush(queue, (cost + 60 * minutes, twin, -1, way))
        for seconds, there, edge in around.get(here, ()):
            if network.track_of[edge] not in barred:
                other = network.edges[edge].line
                later = cost + seconds + (0 if other == line else BOARDING_SECONDS)
                heapq.heappush(queue, (later, there, other, (*way, (here, edge))))
    return ()


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
        around.setdefault(edge.a, []).append((seconds, edge.b, edge.id))
        around.setdefault(edge.b, []).append((seconds, edge.a, edge.id))
    return found
