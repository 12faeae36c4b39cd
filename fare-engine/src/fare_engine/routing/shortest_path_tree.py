"""How far is every node of the search graph from a place, and by which node is it reached?

One tree per place. A tree is grown by Dijkstra's algorithm when it is first asked for and kept;
`prepare` grows those of all places at load, since a network never changes.
"""

from array import array
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

FAR = 2**29  # two of them still fit into 32 bits
TREES_KEPT = 4096
NOWHERE = -1

Seconds = NDArray[np.int32]
# Seconds to every node (FAR if there is no way), and the node before each (NOWHERE at the start).
Tree = tuple[Seconds, "array[int]"]
Key = tuple[tuple[int, ...], frozenset[str], bool]


class PathTrees:
    """The trees over one graph: stations first, then platforms (a line at a station)."""

    def __init__(
        self,
        around: Sequence[Sequence[tuple[int, int]]],
        operators: Sequence[str],
        station_count: int,
    ) -> None:
        """`around`: arcs (seconds, node) by node; `operators`: whose each node is."""
        self._arcs = [
            (node, other, cost) for node, arcs in enumerate(around) for cost, other in arcs
        ]
        self._operators = operators
        self._platforms = [
            [(other, cost) for cost, other in arcs if other >= station_count]
            for arcs in around[:station_count]
        ]
        self._graphs: dict[frozenset[str], Any] = {}
        self._kept: dict[Key, Tree] = {}
        self._prepared: dict[Key, Tree] = {}

    def tree(self, starts: tuple[int, ...], avoid: frozenset[str], *, walks: bool) -> Tree:
        """The tree of a place; `walks`: whether a way may begin with a walk to another station."""
        key = (starts, avoid, walks)
        tree = self._prepared.get(key) or self._kept.get(key)
        if tree is None:
            if len(self._kept) >= TREES_KEPT:
                self._kept.pop(next(iter(self._kept)), None)
            tree = self._kept[key] = self._grow(*key)
        return tree

    def prepare(
        self, places: Iterable[tuple[int, ...]], avoid: frozenset[str], *, walks: bool
    ) -> int:
        """Grow the trees of many places for good; returns the bytes that they take."""
        for starts in places:
            key = (starts, avoid, walks)
            if key not in self._prepared:
                self._prepared[key] = self._grow(*key)
        return sum(
            seconds.nbytes + len(before) * before.itemsize
            for seconds, before in self._prepared.values()
        )

    def forget(self) -> None:
        """Drop the trees that were grown on demand."""
        self._kept.clear()

    def _grow(self, starts: tuple[int, ...], avoid: frozenset[str], walks: bool) -> Tree:
        graph = self._graph(avoid)
        origins = [start for start in starts if self._operators[start] not in avoid]
        boarded = {} if walks else self._boarded(origins)
        sources = origins if walks else list(boarded)
        if not sources:
            nowhere = array("h", [NOWHERE]) * len(self._operators)
            return np.full(len(self._operators), FAR, np.int32), nowhere
        if not walks:
            graph = self._without_walks(graph, origins)
        found, before, _ = dijkstra(graph, indices=sources, return_predecessors=True, min_only=True)
        # Boarding costs the same everywhere in a place, so it is added behind the search.
        boarding = 0 if walks else min(cost for cost, _ in boarded.values())
        found[~np.isfinite(found)] = FAR - boarding
        seconds = (found + boarding).astype(np.int32)
        before[before < 0] = NOWHERE
        for platform, (_, station) in boarded.items():
            if before[platform] == NOWHERE:
                before[platform] = station
        seconds[origins] = 0
        before[origins] = NOWHERE
        return seconds, array("h", before.astype(np.int16).tobytes())

    def _boarded(self, origins: Iterable[int]) -> dict[int, tuple[int, int]]:
        return {
            platform: (cost, origin)
            for origin in origins
            for platform, cost in self._platforms[origin]
        }

    def _without_walks(self, graph: Any, origins: Iterable[int]) -> Any:
        weights = graph.data.copy()
        for origin in origins:
            weights[graph.indptr[origin] : graph.indptr[origin + 1]] = np.inf
        return csr_matrix((weights, graph.indices, graph.indptr), shape=graph.shape)

    def _graph(self, avoid: frozenset[str]) -> Any:
        graph = self._graphs.get(avoid)
        if graph is None:
            shut = [operator in avoid for operator in self._operators]
            arcs = [arc for arc in self._arcs if not shut[arc[0]] and not shut[arc[1]]]
            size = len(self._operators)
            starts, ends, costs = zip(*arcs, strict=True) if arcs else ((), (), ())
            graph = csr_matrix((np.array(costs, np.float64), (starts, ends)), shape=(size, size))
            self._graphs[avoid] = graph
        return graph
