"""Fares between all pairs of stations of a fare system on a day, as one matrix.

The same fares as `FareBook.fare` gives one by one, for the search that needs them all. Built with
the first question of a day and medium, and kept with the book.
"""

from collections import defaultdict
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from fare_engine.data_tables import TariffTable
from fare_engine.fares.all_lengths import NOT_JOINED, Lengths, all_lengths
from fare_engine.fares.tariff_distances import (
    CENTRE,
    EXTRA_BITS,
    GUEST_BITS,
    LOCAL_BITS,
    Distance,
    Distances,
    is_from_centre,
    unpacked,
)
from fare_engine.fares.tariffs import FareBook
from fare_engine.network.network import Network
from fare_engine.rules.jr_fare_basis import MIXED_LOCAL_KM10

STEP_BITS = 14
NO_FARE = 2**28  # in yen; a hundred of them would not fit, so costs are cut off at it

Yen = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class SystemFares:
    """The stations of a fare system, and `yen[i, j]` between the i-th and the j-th of them."""

    stations: tuple[int, ...]
    yen: Yen
    at: dict[int, int]

    def between(self, a: int, b: int) -> int | None:
        """The fare between two stations in yen, None where none is recorded."""
        yen = int(self.yen[self.at[a], self.at[b]])
        return None if yen >= NO_FARE else yen


def stations_of(network: Network, system: str) -> tuple[int, ...]:
    """The stations of a fare system, in line order."""
    lines = [line for line in network.lines if line.system == system]
    return tuple(dict.fromkeys(stop for line in lines for stop in line.stops))


def system_fares(book: FareBook, system: str) -> SystemFares:
    """All fares of a fare system; NoTariffOnDate."""
    return book.remembered(("matrix", system), lambda _: _system_fares(book, system))


def _system_fares(book: FareBook, system: str) -> SystemFares:
    stations = stations_of(book.network, system)
    at = {station: i for i, station in enumerate(stations)}
    book.matrices[system] = found = SystemFares(stations, _all_fares(book, system, stations), at)
    return found


def _all_fares(book: FareBook, system: str, stations: tuple[int, ...]) -> Yen:
    tables = book.tables_of(system)
    by_table = _by_sections if system in book.tariffs.surcharged_systems() else _by_table
    yen = np.full((len(stations), len(stations)), NO_FARE, np.int32)
    for table in tables:
        yen = np.minimum(yen, by_table(book, system, table, stations))
    named: dict[str, list[int]] = defaultdict(list)
    for i, station in enumerate(stations):
        named[book.network.stations[station].name].append(i)
    for pair in book.special_pairs.get(system, ()):
        if len(pair) == 2:  # noqa: PLR2004 - `*` names no station
            one, other = pair
            for a, b in product(named[one], named[other]):
                yen[a, b] = yen[b, a] = book.yen(system, stations[a], stations[b])
    return yen


def _by_table(book: FareBook, system: str, table: TariffTable, stations: tuple[int, ...]) -> Yen:
    """By one table. Lengths that are charged alike are priced once."""
    if not book.tariffs.bands[table]:  # fares between two stations only
        return np.full((len(stations), len(stations)), NO_FARE, np.int32)
    nodes = [book.network.fare_node[station] for station in stations]
    area = table.table if book.tariffs.is_area(table) else ""
    lengths = _lengths(book.tariffs.distances, system, area, nodes)
    yen = np.full(lengths.shape, NO_FARE, np.int32)
    joined = lengths < NOT_JOINED
    packed = lengths[joined]
    alike = _alike(packed, _steps(book, system))
    _, first, which = np.unique(alike, return_index=True, return_inverse=True)
    fares = [
        book.by_tables.by_distance(table, unpacked(length)) for length in packed[first].tolist()
    ]
    yen[joined] = np.array([fare.yen if fare else NO_FARE for fare in fares], np.int32)[which]
    return yen


def _alike(packed: NDArray[np.int64], steps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Equal numbers for lengths that are charged alike.

    The published ones count where the local table holds, those of the first operator where the
    second takes a part; else the charged ones alone.
    """
    rest, guest = np.divmod(packed, 1 << GUEST_BITS)
    rest, extra = np.divmod(rest, 1 << EXTRA_BITS)
    charged, local = np.divmod(rest, 1 << LOCAL_BITS)
    km10 = charged - extra
    joint = guest > 0
    by_local = ~joint & (local > 0) & ((local == km10) | (km10 <= MIXED_LOCAL_KM10))
    published = np.where(by_local, km10, 0)
    own = np.where(joint, charged - guest, 0)
    key = np.zeros(packed.shape, np.int64)
    for length in (np.where(by_local, 0, charged), published, own):
        key = key << STEP_BITS | np.searchsorted(steps, length)
    for kind in (by_local, joint, guest == km10, km10 == 0):
        key = key << 1 | kind
    return key


def _steps(book: FareBook, system: str) -> NDArray[np.int64]:
    """Tenths of a km after which some table of the system's operators charges more."""
    operators = {line.operator for line in book.network.lines if line.system == system}
    bands = (bands for table, bands in book.tariffs.bands.items() if table.operator in operators)
    return np.array(sorted({band.km_up_to * 10 for rows in bands for band in rows}), np.int64)


def _lengths(distances: Distances, system: str, area: str, nodes: list[int]) -> Lengths:
    """Packed lengths between all nodes, as `Distances.charged` finds them one by one."""
    found = np.full((len(nodes), len(nodes)), NOT_JOINED, np.int64)
    for scope in distances.scopes(system, area):
        found = np.where(found < NOT_JOINED, found, _shortest(distances, system, scope, nodes))
    if area or system != CENTRE[0] or distances.centre not in nodes:
        return found
    from_centre = found[nodes.index(distances.centre)].copy()
    outer = [
        i
        for i, length in enumerate(from_centre.tolist())
        if length < NOT_JOINED and is_from_centre(unpacked(length).km10)
    ]
    for i, node in enumerate(nodes):
        if node in distances.central:
            found[i, outer] = found[outer, i] = from_centre[outer]
    return found


def _shortest(distances: Distances, system: str, scope: str, nodes: list[int]) -> Lengths:
    around: dict[int, dict[int, int]] = defaultdict(dict)
    for a, arcs in distances.graph(system, scope).items():
        for b, length, _ in arcs:  # parallel tracks: the shorter one
            around[a][b] = min(length, around[a].get(b, length))
    return all_lengths(around, nodes)


def _by_sections(book: FareBook, system: str, table: TariffTable, stations: tuple[int, ...]) -> Yen:
    """By one table where some ways pay a surcharge. Ways of equal parts are priced once."""
    nodes = [book.network.fare_node[station] for station in stations]
    area = table.table if book.tariffs.is_area(table) else ""
    known: dict[Distance | None, int] = {}
    yen = np.full((len(nodes), len(nodes)), NO_FARE, np.int32)
    for i, a in enumerate(nodes):
        for j, b in enumerate(nodes[:i]):
            way = book.tariffs.distances.charged(system, area, a, b)
            if way not in known:
                fare = book.by_tables.by_distance(table, way)
                known[way] = fare.yen if fare else NO_FARE
            yen[i, j] = yen[j, i] = known[way]
    return yen
