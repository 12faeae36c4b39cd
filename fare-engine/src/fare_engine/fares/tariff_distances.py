"""How far apart are two stations in the tariff (F11)? The shortest way, in the kilometres charged.

Local lines (地方交通線) count with their converted kilometres (換算キロ). Where one fare system
spans two operators, as JR東日本 and JR東海, a ride that can stay with one is measured there.
Between a station inside the 山手線 and one more than 100 and up to 200 km from 東京, JR measures
from 東京 (東京山手線内).

Lengths are added up as one integer that holds all their parts, so that the shortest way is unique
and every search finds the same.
"""

import heapq
from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property

from fare_engine.network.network import Edge, Network

GUEST_BITS, EXTRA_BITS, LOCAL_BITS = 12, 10, 13
OWN, GUEST, BOTH = "", "guest", "both"
CENTRE = ("JR東日本", "東京")
CENTRAL_AREA = ("JR東日本", "山手線内")
FROM_CENTRE_KM10 = (1000, 2000)
Sections = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Distance:
    """Tenths of a km: `km10` as published, `charged_km10` with converted kilometres (運賃計算キロ).

    `local_km10` and `guest_km10`: how much of `km10` lies on local lines, and on the tracks of the
    system's second operator. `sections`: tenths of a km on each surcharged section, by its index.
    """

    km10: int
    charged_km10: int
    local_km10: int = 0
    guest_km10: int = 0
    sections: Sections = ()


Arc = tuple[int, int, int]  # node, packed length, edge


class Distances:
    """Shortest ways inside fare systems.

    `areas`: tracks by operator and table; `sections`: surcharged section by edge.
    """

    def __init__(
        self,
        network: Network,
        areas: Mapping[tuple[str, str], AbstractSet[int]],
        sections: Mapping[int, int],
    ) -> None:
        self.network = network
        self.areas = areas
        self.sections = sections
        self._graphs: dict[tuple[str, str], dict[int, list[Arc]]] = {}
        self._trees: dict[tuple[str, str, int], dict[int, tuple[int, Sections]]] = {}

    def charged(self, system: str, area: str, a: int, b: int) -> Distance | None:
        """The distance that a fare between two tariff nodes is found by; None if not joined."""
        if not area and system == CENTRE[0]:
            for inner, outer in ((a, b), (b, a)):
                if inner in self.central and self.centre is not None:
                    found = self.shortest(system, area, self.centre, outer)
                    if found is not None and is_from_centre(found.km10):
                        return found
        return self.shortest(system, area, a, b)

    def shortest(self, system: str, area: str, a: int, b: int) -> Distance | None:
        """The shortest way between two tariff nodes inside a system, or inside an area of it."""
        for scope in self.scopes(system, area):
            key = (system, scope, a)
            tree = self._trees.get(key)
            if tree is None:
                tree = self._trees[key] = self._tree(*key)
            if b in tree:
                return unpacked(*tree[b])
        return None

    def scopes(self, system: str, area: str) -> tuple[str, ...]:
        """The graphs to look in, one after the other."""
        if area:
            return (area,)
        return (OWN, GUEST, BOTH) if system in self._joint_systems else (OWN,)

    @cached_property
    def central(self) -> frozenset[int]:
        """The tariff nodes inside the 山手線."""
        return frozenset(self.graph(*CENTRAL_AREA)) if CENTRAL_AREA in self.areas else frozenset()

    @cached_property
    def centre(self) -> int | None:
        """The tariff node of 東京, None in another network."""
        station = self.network.station_ids.get(CENTRE)
        return None if station is None else self.network.fare_node[station]

    @cached_property
    def _joint_systems(self) -> frozenset[str]:
        return frozenset(line.system for line in self.network.lines if line.is_guest)

    @cached_property
    def _local_lines(self) -> frozenset[int]:
        rows = self.network.tables.intervals
        local = {(row.operator, row.line) for row in rows if row.calc_km10 is not None}
        return frozenset(self.network.line_named(*line).id for line in local)

    def graph(self, system: str, area: str) -> dict[int, list[Arc]]:
        """Arcs by tariff node: of an area, of the system's operator (OWN), of GUEST or of BOTH."""
        key = (system, area)
        if key not in self._graphs:
            graph: dict[int, list[Arc]] = defaultdict(list)
            node = self.network.fare_node
            for edge in self.network.edges:
                line = self.network.lines[edge.line]
                if line.system == system and edge.track == edge.id and self._is_in(edge, *key):
                    is_local = edge.line in self._local_lines
                    length = packed(edge, is_local=is_local, is_guest=line.is_guest)
                    graph[node[edge.a]].append((node[edge.b], length, edge.id))
                    graph[node[edge.b]].append((node[edge.a], length, edge.id))
            self._graphs[key] = graph
        return self._graphs[key]

    def _is_in(self, edge: Edge, system: str, area: str) -> bool:
        if area in (OWN, GUEST, BOTH):
            is_guest = self.network.lines[edge.line].is_guest
            return area == BOTH or is_guest == (area == GUEST)
        return edge.id in self.areas[system.partition("/")[0], area]

    def _tree(self, system: str, area: str, source: int) -> dict[int, tuple[int, Sections]]:
        graph = self.graph(system, area)
        if source not in graph:
            return {}
        done: dict[int, tuple[int, Sections]] = {}
        queue: list[tuple[int, int, Sections]] = [(0, source, ())]
        while queue:
            length, node, sections = heapq.heappop(queue)
            if node in done:
                continue
            done[node] = length, sections
            for other, onward, edge in graph[node]:
                if other not in done:
                    passed = self._passed(sections, edge) if edge in self.sections else sections
                    heapq.heappush(queue, (length + onward, other, passed))
        return done

    def _passed(self, sections: Sections, edge: int) -> Sections:
        index = self.sections[edge]
        so_far = dict(sections)
        so_far[index] = so_far.get(index, 0) + self.network.edges[edge].km10
        return tuple(sorted(so_far.items()))


def is_from_centre(km10: int) -> bool:
    """Whether a station so far from 東京 is measured from there."""
    return FROM_CENTRE_KM10[0] < km10 <= FROM_CENTRE_KM10[1]


def packed(edge: Edge, *, is_local: bool, is_guest: bool) -> int:
    """The length of an edge as one integer; sums of them keep their parts."""
    local, guest = edge.km10 if is_local else 0, edge.km10 if is_guest else 0
    length = edge.calc_km10 << LOCAL_BITS | local
    return (length << EXTRA_BITS | edge.calc_km10 - edge.km10) << GUEST_BITS | guest


def unpacked(length: int, sections: Sections = ()) -> Distance:
    """The parts of a sum of packed lengths."""
    length, guest = divmod(length, 1 << GUEST_BITS)
    length, extra = divmod(length, 1 << EXTRA_BITS)
    charged, local = divmod(length, 1 << LOCAL_BITS)
    return Distance(charged - extra, charged, local, guest, sections)
