"""Is the ride under one fare the quickest? Beside a Dijkstra without a bound of what is left."""

import heapq
import random
from collections.abc import Sequence

import pytest

from fare_engine.fares.tariffs import Tariffs
from fare_engine.network.network import Network, Ride
from fare_engine.routing.quickest_ride import BOARDING_SECONDS, NEVER, ride_inside

RIDES = 25  # of each system


@pytest.mark.parametrize("system", ["JR東日本", "東京メトロ", "東武", "都営"])
def test_no_other_ride_of_the_system_is_quicker(tariffs: Tariffs, system: str) -> None:
    network, dice = tariffs.network, random.Random(system)
    stations = sorted({s for line in network.lines if line.system == system for s in line.stops})
    for _ in range(RIDES):
        a, b = dice.sample(stations, 2)
        rides = ride_inside(network, system, a, b, frozenset())
        least = _least_seconds(network, system, a, b)
        assert (_seconds(network, a, b, rides) if rides else None) == least


def test_barred_tracks_are_left_out_where_another_way_leads(tariffs: Tariffs) -> None:
    network = tariffs.network
    a, b = network.station_ids["JR東日本", "東京"], network.station_ids["JR東日本", "新宿"]
    usual = ride_inside(network, "JR東日本", a, b, frozenset())
    tracks = frozenset(network.track_of[edge] for ride in usual for edge in ride.edges)
    other = ride_inside(network, "JR東日本", a, b, tracks)
    assert other
    assert not tracks & {network.track_of[edge] for ride in other for edge in ride.edges}


def _seconds(network: Network, a: int, b: int, rides: Sequence[Ride]) -> int:
    here, total = a, 0
    for ride in rides:
        if ride.stations[0] != here:
            total += 60 * network.interchanges[here][ride.stations[0]]
        per_km = network.seconds_per_km[ride.line]
        total += BOARDING_SECONDS
        total += sum(network.edges[edge].km10 * per_km // 10 for edge in ride.edges)
        here = ride.stations[-1]
    return total + (60 * network.interchanges[here][b] if here != b else 0)


def _least_seconds(network: Network, system: str, a: int, b: int) -> int | None:
    """Over states of station and line, -1 on foot; None where nothing joins the two."""
    best: dict[tuple[int, int], int] = {(a, -1): 0}
    queue = [(0, a, -1)]
    while queue:
        cost, here, line = heapq.heappop(queue)
        if here == b:
            return cost
        reached = [
            (cost + 60 * minutes, twin, -1)
            for twin, minutes in network.interchanges[here].items()
            if network.fare_node[twin] == network.fare_node[here]
            and any(network.lines[line].system == system for line in network.lines_at[twin])
        ]
        for edge in network.edges:
            if here in (edge.a, edge.b) and network.lines[edge.line].system == system:
                there = edge.b if here == edge.a else edge.a
                seconds = edge.km10 * network.seconds_per_km[edge.line] // 10
                boarding = 0 if edge.line == line else BOARDING_SECONDS
                reached.append((cost + seconds + boarding, there, edge.line))
        for seconds, there, by in reached:
            if seconds < best.get((there, by), NEVER):
                best[there, by] = seconds
                heapq.heappush(queue, (seconds, there, by))
    return None
