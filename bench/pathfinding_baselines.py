"""Pathfinding baselines: shortest paths over the tracks by networkx, rustworkx and igraph."""

import itertools
from collections.abc import Iterator, Sequence

import igraph
import networkx as nx
import rustworkx as rx

from fare_engine.network.network import Network


class Peers:
    """Stations joined by tracks and walks, in seconds by average speed."""

    def __init__(self, network: Network) -> None:
        arcs = list(_arcs(network))
        size = len(network.stations)
        self.nx = nx.DiGraph()
        self.nx.add_weighted_edges_from(arcs)
        self.rx = rx.PyDiGraph()
        self.rx.add_nodes_from(range(size))
        self.rx.add_edges_from(arcs)
        self.ig = igraph.Graph(size, [(a, b) for a, b, _ in arcs], directed=True)
        self.ig.es["weight"] = [cost for _, _, cost in arcs]

    def rx_path(self, a: int, b: int) -> Sequence[int]:
        """rustworkx: Dijkstra that stops at the goal."""
        return list(rx.dijkstra_shortest_paths(self.rx, a, target=b, weight_fn=float)[b])

    def ig_three(self, a: int, b: int) -> object:
        """igraph: Yen, k = 3."""
        return self.ig.get_k_shortest_paths(a, b, k=3, weights="weight")

    def nx_three(self, a: int, b: int) -> object:
        """networkx: Yen, the first three."""
        return list(itertools.islice(nx.shortest_simple_paths(self.nx, a, b, "weight"), 3))


def _arcs(network: Network) -> Iterator[tuple[int, int, int]]:
    for edge in network.edges:
        seconds = edge.km10 * network.seconds_per_km[edge.line] // 10
        yield edge.a, edge.b, seconds
        yield edge.b, edge.a, seconds
    for station, others in enumerate(network.interchanges):
        yield from ((station, other, 60 * minutes) for other, minutes in others.items())
