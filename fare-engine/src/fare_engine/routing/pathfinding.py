"""Which ways lead from one place to another, by average travel time (平均探索, no timetable)?

A graph over integers: one node per station, one per line at a station. Riding costs seconds per
kilometre, boarding and leaving about two minutes each (less at a hub, where every train stops), a
change between stations its walk. A way begins and ends with a ride, not with a walk to another
station. All costs are the same in both directions, so one tree from each end gives, for every node,
the quickest way through it; alternatives are the best such ways that differ in their lines. Trees
are kept (shortest_path_tree.py): a second search from the same place costs only the joining of two
trees.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from itertools import pairwise

import numpy as np

from fare_engine.network.network import NOT_SEARCHED, Network, Ride
from fare_engine.routing.shortest_path_tree import FAR, PathTrees

BOARDING_SECONDS = 120
HUB_SECONDS = 4  # off the boarding for each line at the place, up to ten
MINUTE = 60
MOST_STATIONS_IN_A_CHANGE = 3
# An alternative may take this much longer than the quickest way.
SLACK_FACTOR = 2
SLACK_SECONDS = 30 * MINUTE


class PathFinder:
    """Searches over one network."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.node_station = list(range(len(network.stations)))
        self.node_line = [-1] * len(network.stations)
        self._around: list[list[tuple[int, int]]] = [[] for _ in network.stations]
        self._edge_between: dict[tuple[int, int], int] = {}
        self._add_platforms()
        self._add_changes()

    def paths(
        self,
        starts: Sequence[int],
        ends: Sequence[int],
        count: int,
        avoid: frozenset[str] = NOT_SEARCHED,
    ) -> list[tuple[int, list[Ride]]]:
        """Up to `count` different ways between two places as (seconds, rides), quickest first.

        `starts`, `ends`: station ids of the places; `avoid`: operators and fare systems not to ride
        with. Ways over the same lines count as one. Only where nothing else joins the places, a way
        begins or ends with a walk to another station. Empty if there is no way.
        """
        places = tuple(starts), tuple(ends)
        found = self._paths(places, count, avoid, walks=False)
        return found or self._paths(places, count, avoid, walks=True)

    def _paths(
        self,
        places: tuple[tuple[int, ...], tuple[int, ...]],
        count: int,
        avoid: frozenset[str],
        *,
        walks: bool,
    ) -> list[tuple[int, list[Ride]]]:
        seconds, before = self.trees.tree(places[0], avoid, walks=walks)
        left, after = self.trees.tree(places[1], avoid, walks=walks)
        first = len(self.network.stations)
        totals = (seconds + left)[first:]  # at the platforms
        best = int(totals.min(initial=FAR))
        if best >= FAR:
            return []
        near = np.flatnonzero(totals <= best * SLACK_FACTOR + SLACK_SECONDS)
        near = near[np.argsort(totals[near], kind="stable")]
        nodes = zip(totals[near].tolist(), (near + first).tolist(), strict=True)
        found: list[tuple[int, list[Ride]]] = []
        for total, path in self._distinct(nodes, before, after):
            if not walks and not self._rides_at_both_ends(path):
                continue
            found.append((total, self._rides(path)))
            if len(found) == count:
                break
        return found

    def inside(self, system: str, a: int, b: int, barred: frozenset[int]) -> tuple[Ride, ...]:
        """The quickest ride between two stations of one fare system, not over `barred` tracks."""
        lines, track_of, between = self.network.lines, self.network.track_of, self._edge_between
        fare_node, station = self.network.fare_node, self.node_station
        queue: list[tuple[int, int, int]] = [(0, a, a)]
        before: dict[int, int] = {}
        while queue:
            cost, node, origin = heapq.heappop(queue)
            if node in before:
                continue
            before[node] = origin
            if node == b:
                return tuple(self._rides(_traced(b, before)))
            for step, other in self._around[node]:
                line = self.node_line[other]
                if other in before or (line >= 0 and lines[line].system != system):
                    continue
                if fare_node[station[node]] != fare_node[station[other]] and line < 0:
                    continue  # a walk to another station of the tariff ends the fare
                edge = between.get((node, other))
                if edge is None or track_of[edge] not in barred:
                    heapq.heappush(queue, (cost + step, other, node))
        return ()

    def prepare(
        self, *, walks: bool = False, places: Iterable[tuple[int, ...]] | None = None
    ) -> int:
        """Grow the trees of all places (or of those given); the bytes that all of them take."""
        if places is None:
            places = self.network.places.values()
        return self.trees.prepare(places, NOT_SEARCHED, walks=walks)

    @cached_property
    def trees(self) -> PathTrees:
        """The trees over the finished graph."""
        owners = [self._owner(node) for node in range(len(self._around))]
        return PathTrees(self._around, owners, len(self.network.stations))

    def _owner(self, node: int) -> str:
        """The operator of a node; the fare system where that alone may be avoided."""
        line = self.node_line[node]
        if line >= 0 and self.network.lines[line].system in NOT_SEARCHED:
            return self.network.lines[line].system
        return self.network.stations[self.node_station[node]].operator

    def arcs(self) -> Iterator[tuple[int, int, int]]:
        """The arcs that are searched as (node, node, seconds), to compare with other engines."""
        for node, around in enumerate(self._around):
            for cost, other in around:
                if not any(self._owner(end) in NOT_SEARCHED for end in (node, other)):
                    yield node, other, cost

    def _add_platforms(self) -> None:
        network = self.network
        node_at: dict[tuple[int, int], int] = {}
        for line in network.lines:
            for stop in dict.fromkeys(line.stops):
                node = node_at[line.id, stop] = len(self._around)
                self._around.append([])
                self.node_station.append(stop)
                self.node_line.append(line.id)
                self._join(node, stop, self._boarding(stop))
            for edge_id in line.edges:
                edge = network.edges[edge_id]
                a, b = node_at[line.id, edge.a], node_at[line.id, edge.b]
                self._join(a, b, edge.km10 * network.seconds_per_km[line.id] // 10)
                self._edge_between[a, b] = self._edge_between[b, a] = edge_id

    def _add_changes(self) -> None:
        for station, others in enumerate(self.network.interchanges):
            for other, minutes in others.items():
                if station < other:
                    walk = max(minutes * MINUTE - 2 * BOARDING_SECONDS, MINUTE)
                    self._join(station, other, walk)

    def _boarding(self, station: int) -> int:
        place = self.network.places[self.network.place_of[station]]
        lines = sum(len(self.network.lines_at[one]) for one in place)
        return BOARDING_SECONDS - HUB_SECONDS * min(lines, 10)

    def _join(self, a: int, b: int, seconds: int) -> None:
        self._around[a].append((seconds, b))
        self._around[b].append((seconds, a))

    def _distinct(
        self, nodes: Iterable[tuple[int, int]], before: Sequence[int], after: Sequence[int]
    ) -> Iterator[tuple[int, list[int]]]:
        """Ways through the nodes, best first: no station or line twice, no lines given before."""
        passed: set[int] = set()
        given: set[tuple[int, ...]] = set()
        for total, node in nodes:
            if node in passed:
                continue
            path = _joined(node, before, after)
            passed.update(path)
            if self._walks_too_much(path) or self._turns_back(path):
                continue
            lines = self._lines(path)
            if lines not in given and len(set(lines)) == len(lines):
                given.add(lines)
                yield total, path

    def _lines(self, path: Sequence[int]) -> tuple[int, ...]:
        """The lines of a way in order; lines that share its tracks count as one line."""
        edges, edge_between = self.network.edges, self._edge_between
        found = [
            edges[edges[edge].track].line
            for pair in pairwise(path)
            if (edge := edge_between.get(pair)) is not None
        ]
        return tuple([line for i, line in enumerate(found) if i == 0 or line != found[i - 1]])

    def _rides_at_both_ends(self, path: Sequence[int]) -> bool:
        """Whether the way does not board at an end only to walk on."""
        between = self._edge_between
        return (path[1], path[2]) in between and (path[-3], path[-2]) in between

    def _walks_too_much(self, path: Sequence[int]) -> bool:
        """Whether the way strings three walks together."""
        first_platform = len(self.network.stations)
        walked = 0
        for node in path[1:-1]:
            walked = 0 if node >= first_platform else walked + 1
            if walked > MOST_STATIONS_IN_A_CHANGE:
                return True
        return False

    def _turns_back(self, path: Sequence[int]) -> bool:
        """Whether the way meets a station twice, other than by staying there to change."""
        at = [self.node_station[node] for node in path]
        visits = [s for i, s in enumerate(at) if i == 0 or s != at[i - 1]]
        if len(set(visits)) != len(visits):
            return True
        places = [self.network.place_of[station] for station in visits]
        stays = [p for i, p in enumerate(places) if i == 0 or p != places[i - 1]]
        return len(set(stays)) != len(stays)

    def _rides(self, path: Sequence[int]) -> list[Ride]:
        rides: list[Ride] = []
        stations: list[int] = []
        edges: list[int] = []
        line = -1
        for pair in pairwise(path):
            edge = self._edge_between.get(pair)
            if edge is None:
                if edges:
                    rides.append(Ride(line, tuple(stations), tuple(edges)))
                edges = []
                continue
            if not edges:
                line = self.node_line[pair[0]]
                stations = [self.node_station[pair[0]]]
            stations.append(self.node_station[pair[1]])
            edges.append(edge)
        if edges:
            rides.append(Ride(line, tuple(stations), tuple(edges)))
        return rides


def _traced(node: int, before: Mapping[int, int]) -> list[int]:
    path = [node]
    while before[node] != node:
        node = before[node]
        path.append(node)
    return path[::-1]


def _joined(node: int, before: Sequence[int], after: Sequence[int]) -> list[int]:
    path = [node]
    step = node
    while (step := before[step]) >= 0:
        path.append(step)
    path.reverse()
    while (node := after[node]) >= 0:
        path.append(node)
    return path


@cache
def path_finder(network: Network) -> PathFinder:
    """The finder of a network; built once."""
    return PathFinder(network)
