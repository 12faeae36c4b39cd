"""What does every ride inside a fare system cost on a day? All pairs of its stations at once.

The same fares as `FareBook.fare` gives one by one, for the search that needs them all. Built with
the first question of a day and medium, and kept with the book.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from fare_engine.fares.tariffs import FareBook, NoFareBetween
from fare_engine.network.network import Network
from fare_engine.network.tables import TariffTable

NO_FARE = 2**28  # in yen; a hundred of them would not fit, so costs are cut off at it

Yen = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class SystemFares:
    """The stations of a fare system, and `yen[i, j]` between the i-th and the j-th of them."""

    stations: tuple[int, ...]
    yen: Yen


def stations_of(network: Network, system: str) -> tuple[int, ...]:
    """The stations of a fare system, in line order."""
    lines = [line for line in network.lines if line.system == system]
    return tuple(dict.fromkeys(stop for line in lines for stop in line.stops))


def system_fares(book: FareBook, system: str) -> SystemFares:
    """All fares of a fare system; NoTariffOnDate."""
    return book.remembered(("matrix", system), lambda _: _all_fares(book, system))


def _all_fares(book: FareBook, system: str) -> SystemFares:
    stations = stations_of(book.network, system)
    tables = book.tables_of(system)
    if system in book.tariffs.surcharged_systems():
        return SystemFares(stations, _one_by_one(book, system, stations))
    yen = np.full((len(stations), len(stations)), NO_FARE, np.int32)
    for table in tables:
        yen = np.minimum(yen, _by_table(book, system, table, stations))
    by_name: dict[str, list[int]] = defaultdict(list)
    for i, station in enumerate(stations):
        by_name[book.network.stations[station].name].append(i)
    for pair in book.special_pairs.get(system, ()):
        ends = [i for name in pair for i in by_name.get(name, ())]
        if len(ends) == 2:  # noqa: PLR2004 - `*` names no station
            a, b = ends
            yen[a, b] = yen[b, a] = book.yen(system, stations[a], stations[b])
    return SystemFares(stations, yen)


def _by_table(book: FareBook, system: str, table: TariffTable, stations: tuple[int, ...]) -> Yen:
    tariffs = book.tariffs
    bands = tariffs.bands[table]
    if not bands:  # fares between two stations only
        return np.full((len(stations), len(stations)), NO_FARE, np.int32)
    nodes = [book.network.fare_node[station] for station in stations]
    km10 = _distances(book, system, table.table if tariffs.is_area(table) else "", nodes)
    limits = np.array([km * 10 for km, _ in bands])
    prices = np.array([*(book.in_medium(ic, table) for _, ic in bands), NO_FARE], np.int32)
    yen = prices[np.searchsorted(limits, km10)]
    yen[km10 == 0] = NO_FARE  # one station, or two names of one
    return yen


def _distances(book: FareBook, system: str, area: str, nodes: list[int]) -> NDArray[np.float64]:
    graph = book.tariffs.graph(system, area)
    size = len(book.network.stations)
    arcs = [(a, b, km10) for a, around in graph.items() for b, km10, _ in around]
    best: dict[tuple[int, int], int] = {}
    for a, b, km10 in arcs:  # parallel tracks: the shorter one
        best[a, b] = min(km10, best.get((a, b), km10))
    starts, ends = zip(*best, strict=True)
    matrix = csr_matrix((list(best.values()), (starts, ends)), shape=(size, size))
    found: NDArray[np.float64] = dijkstra(matrix, indices=nodes)[:, nodes]
    return found


def _one_by_one(book: FareBook, system: str, stations: tuple[int, ...]) -> Yen:
    yen = np.full((len(stations), len(stations)), NO_FARE, np.int32)
    for i, a in enumerate(stations):
        for j, b in enumerate(stations[:i]):
            try:
                yen[i, j] = yen[j, i] = book.yen(system, a, b)
            except NoFareBetween:
                continue
    return yen
