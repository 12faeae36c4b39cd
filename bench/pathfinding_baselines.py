"""Pathfinding baselines: shortest paths by networkx, rustworkx, igraph and scipy."""

import itertools
from collections.abc import Sequence

import igraph
import networkx as nx
import numpy as np
import rustworkx as rx
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from fare_engine.routing.pathfinding import PathFinder


class Peers:
    """The same graph in the other libraries; one node per place end, as in the fare engine."""

    def __init__(self, finder: PathFinder) -> None:
        arcs = list(finder.arcs())
        size = 1 + max(a for a, _, _ in arcs)
        self.nx = nx.DiGraph()
        self.nx.add_weighted_edges_from(arcs)
        self.rx = rx.PyDiGraph()
        self.rx.add_nodes_from(range(size))
        self.rx.add_edges_from(arcs)
        self.ig = igraph.Graph(size, [(a, b) for a, b, _ in arcs], directed=True)
        self.ig.es["weight"] = [cost for _, _, cost in arcs]
        rows, columns, costs = zip(*arcs, strict=True)
        self.matrix = csr_matrix((costs, (rows, columns)), shape=(size, size), dtype=np.float64)

    def rx_path(self, a: int, b: int) -> Sequence[int]:
        """rustworkx: Dijkstra that stops at the goal."""
        return list(rx.dijkstra_shortest_paths(self.rx, a, target=b, weight_fn=float)[b])

    def nx_path(self, a: int, b: int) -> Sequence[int]:
        """networkx: Dijkstra."""
        return list(nx.dijkstra_path(self.nx, a, b))

    def nx_bidirectional(self, a: int, b: int) -> Sequence[int]:
        """networkx: bidirectional search."""
        return list(nx.bidirectional_dijkstra(self.nx, a, b)[1])

    def ig_path(self, a: int, b: int) -> Sequence[int]:
        """igraph: one shortest path."""
        return list(self.ig.get_shortest_path(a, b, weights="weight"))

    def scipy_path(self, a: int, b: int) -> Sequence[int]:
        """scipy: one source to all, then the path."""
        _, before = dijkstra(self.matrix, indices=a, return_predecessors=True)
        path = [b]
        while path[-1] != a:
            path.append(int(before[path[-1]]))
        return path[::-1]

    def ig_three(self, a: int, b: int) -> object:
        """igraph: Yen, k = 3."""
        return self.ig.get_k_shortest_paths(a, b, k=3, weights="weight")

    def nx_three(self, a: int, b: int) -> object:
        """networkx: Yen, the first three."""
        return list(itertools.islice(nx.shortest_simple_paths(self.nx, a, b, "weight"), 3))
