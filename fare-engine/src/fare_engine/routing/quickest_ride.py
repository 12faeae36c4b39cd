"""Rides under one fare: the quickest over the tracks of one fare system, by average speed.

A fare between two stations does not depend on the way; what a pass covers of it does.
"""

import heapq
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache

from fare_engine.fares.all_lengths import Lengths, all_lengths
from fare_engine.network.network import Network, Ride
from fare_engine.routing.route_text import joined_rides

BOARDING_SECONDS = 240
NEVER = 10**9
# Seconds, state behind it, line, edge and track. A state is a station * lines + the line by which
# it was reached; lines count from one, 0 is on foot.
Arc = tuple[int, int, int, int, int]


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
    """A* over stations, each with the line by which it was reached: one number for both.

    What is left takes at least the seconds of the tracks without boarding.
    """
    around, lines = _tracks_of(network)[system], len(network.lines) + 1
    walks = _walks_inside(network, system)
    left = _seconds_to(network, system, b)
    states = len(network.stations) * lines
    best = {a * lines: 0}
    before: dict[int, tuple[int, int]] = {}
    queue = [left[a] * states + a * lines]  # cost * states + state
    while queue:
        cost, state = divmod(heapq.heappop(queue), states)
        here, line = divmod(state, lines)
        cost -= left[here]
        if here == b:
            return tuple(joined_rides(reversed(list(_way(network, before, state, lines)))))
        if cost > best[state]:
            continue
        arcs = [(cost + seconds, twin, -1) for seconds, twin in walks.get(here, ())]
        arcs += [
            (cost + seconds + (0 if other == line else BOARDING_SECONDS), there, edge)
            for seconds, there, other, edge, track in around.get(here, ())
            if track not in barred
        ]
        for reached, there, edge in arcs:
            if reached < best.get(there, NEVER):
                best[there] = reached
                before[there] = state, edge
                heapq.heappush(queue, (reached + left[there // lines]) * states + there)
    return ()


def _way(
    network: Network, before: Mapping[int, tuple[int, int]], state: int, lines: int
) -> Iterator[Ride]:
    """The tracks to a station, the last first."""
    while state in before:
        state, edge = before[state]
        if edge >= 0:
            yield _ride(network, state // lines, edge)


def _ride(network: Network, start: int, edge_id: int) -> Ride:
    edge = network.edges[edge_id]
    return Ride(edge.line, (start, edge.b if start == edge.a else edge.a), (edge_id,))


@cache
def _tracks_of(network: Network) -> dict[str, dict[int, list[Arc]]]:
    """The arcs around each station, by fare system."""
    found: dict[str, dict[int, list[Arc]]] = {}
    lines = len(network.lines) + 1
    for edge in network.edges:
        line = network.lines[edge.line]
        seconds = edge.km10 * network.seconds_per_km[line.id] // 10
        around = found.setdefault(line.system, {})
        for here, there in ((edge.a, edge.b), (edge.b, edge.a)):
            arc = seconds, there * lines + line.id + 1, line.id + 1, edge.id, edge.track
            around.setdefault(here, []).append(arc)
    return found


def _seconds_to(network: Network, system: str, goal: int) -> dict[int, int]:
    """Seconds from each station of a system to one of them, over tracks and walks."""
    stations, seconds = _all_seconds(network, system)
    return dict(zip(stations, seconds[stations[goal]].tolist(), strict=True))


@cache
def _all_seconds(network: Network, system: str) -> tuple[dict[int, int], Lengths]:
    """The stations of a system with their rows, and the seconds between all of them."""
    lines = len(network.lines) + 1
    around: dict[int, dict[int, int]] = {}
    for here, arcs in _tracks_of(network)[system].items():
        near = around[here] = {}
        for seconds, there, *_ in arcs:
            near[there // lines] = min(seconds, near.get(there // lines, NEVER))
    for here, walks in _walks_inside(network, system).items():
        for seconds, twin in walks:
            there = twin // lines
            around[here][there] = min(seconds, around[here].get(there, NEVER))
    rows = {station: row for row, station in enumerate(around)}
    return rows, all_lengths(around, list(around))


@cache
def _walks_inside(network: Network, system: str) -> dict[int, list[tuple[int, int]]]:
    """Seconds of a change to the other names of each station in a fare system, and their states."""
    around, node = _tracks_of(network)[system], network.fare_node
    lines = len(network.lines) + 1
    return {
        here: [
            (60 * minutes, twin * lines)
            for twin, minutes in network.interchanges[here].items()
            if node[twin] == node[here] and twin in around
        ]
        for here in around
    }
