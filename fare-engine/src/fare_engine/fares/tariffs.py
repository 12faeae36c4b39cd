"""What does an operator charge between two of its stations on a day (F11, F12, F15, F20, R38)?

The fare follows the tariff, not the ride: the shortest way inside the operator's system, which is
the cheapest one too, since bands only rise. Until 2026-03-13 JR had three tables; the cheapest of
those whose area holds both ends and a way between them is charged.
"""

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from typing import Any, ClassVar, TypeVar

from fare_engine.errors import FareError
from fare_engine.fares.tariff_checks import check_fare_tables
from fare_engine.network.network import Network
from fare_engine.network.tables import (
    FareTables,
    SpecialFare,
    TariffTable,
    edition_of,
    fare_tables,
    network_tables,
)
from fare_engine.rules.fare_rounding import Medium, Rounding, child_fare, fare_for_medium

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")
ANY_STATION = "*"
# Charged over converted kilometres; no line of this network is a local line of that kind.
MIXED_KILOMETRE_TABLES = frozenset({"地方交通線"})
OPEN_END = date.max
MAY_BE_SPECIAL = "SPECIAL_FARE_UNCONFIRMED"
MAY_BE_SURCHARGED = "SURCHARGE_UNCONFIRMED"


class NoTariffOnDate(FareError):
    """The operator has no recorded fare table for the day."""

    code: ClassVar[str] = "NO_TARIFF_ON_DATE"


class NoFareBetween(FareError):
    """The tariff knows no fare: stations not joined inside the system, or beyond the last band."""

    code: ClassVar[str] = "NO_FARE_BETWEEN"


@dataclass(frozen=True, slots=True)
class TariffRef:
    """The table that a fare was read from; `basis` is band or special."""

    operator: str
    table: str
    valid_from: date
    valid_to: date | None
    basis: str
    km10: int
    km_up_to: int | None
    surcharge_yen: int


@dataclass(frozen=True, slots=True)
class Fare:
    """A tariff fare in yen with its source; `notices` are codes of what could not be confirmed."""

    yen: int
    tariff: TariffRef
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Distance:
    """Shortest way: tenths of a km and the surcharged sections on it (indexes)."""

    km10: int
    surcharges: frozenset[int]


class Tariffs:
    """All fare tables over one network, all days."""

    def __init__(self, network: Network, tables: FareTables) -> None:
        check_fare_tables(tables)
        self.network = network
        self.tables = tables
        self.bands: dict[TariffTable, list[tuple[int, int]]] = {}
        by_key = {(row.operator, row.table, row.valid_from): row for row in tables.tariff_tables}
        for table in tables.tariff_tables:
            self.bands[table] = []
        for band in tables.tariff_bands:
            table = by_key[band.operator, band.table, band.valid_from]
            self.bands[table].append((band.km_up_to, band.ic_yen))
        self._areas: dict[tuple[str, str], set[int]] = defaultdict(set)
        for area in tables.tariff_areas:
            edges = network.section(area.operator, area.line, area.station_a, area.station_b)
            self._areas[area.operator, area.table].update(network.edges[e].track for e in edges)
        self._surcharged = self._surcharged_tracks()
        self._graphs: dict[tuple[str, str], dict[int, list[tuple[int, int, int]]]] = {}
        self._trees: dict[tuple[str, str, int], dict[int, Distance]] = {}
        self.edition = edition_of(network.tables, tables)
        self._days = sorted({day for table in self._dated() for day in _turning_points(table)})
        self._changes: dict[tuple[str, str], list[tuple[int, int]]] = {}
        self._books: dict[tuple[int, Medium, bool], FareBook] = {}

    def book(self, on: date, medium: Medium, *, child: bool = False) -> "FareBook":
        """The fares of one day in one medium. Days between two revisions share a book."""
        epoch = sum(day <= on for day in self._days)
        key = (epoch, medium, child)
        if key not in self._books:
            self._books[key] = FareBook(self, on, medium, child=child)
        return self._books[key]

    def distance(self, system: str, area: str, a: int, b: int) -> Distance | None:
        """Shortest way between two stations inside a fare system, or inside an area of it."""
        nodes = self.network.fare_node
        key = (system, area, nodes[a])
        tree = self._trees.get(key)
        if tree is None:
            tree = self._trees[key] = self._tree(*key)
        return tree.get(nodes[b])

    def tables_on(self, system: str, on: date) -> list[TariffTable]:
        """The tables of a fare system that are valid on a day."""
        operator, _, own = system.partition("/")
        others = {row.table for row in self.network_line_tables(operator)}
        return [
            table
            for table in self.bands
            if table.operator == operator
            and (table.table == own if own else table.table not in others)
            and table.valid_from <= on <= (table.valid_to or OPEN_END)
            and table.table not in MIXED_KILOMETRE_TABLES
        ]

    def network_line_tables(self, operator: str) -> list[TariffTable]:
        """Tables that belong to single lines of the operator."""
        own = {
            line.system.partition("/")[2]
            for line in self.network.lines
            if line.operator == operator and "/" in line.system
        }
        return [table for table in self.bands if table.operator == operator and table.table in own]

    def changes(self, system: str, other: str) -> list[tuple[int, int]]:
        """Pairs of stations where a ride changes from one fare system to another."""
        key = (system, other)
        if key not in self._changes:
            stations = self.network.stations
            self._changes[key] = [
                (a.id, b)
                for a in stations
                if a.operator == system
                for b in self.network.interchanges[a.id]
                if stations[b].operator == other
            ]
        return self._changes[key]

    def is_area(self, table: TariffTable) -> bool:
        """Whether the table applies in an area only."""
        return (table.operator, table.table) in self._areas

    def _dated(self) -> Iterable[object]:
        yield from self.tables.tariff_tables
        yield from self.tables.special_fares
        yield from self.tables.surcharges
        yield from self.tables.transfer_discounts

    def _surcharged_tracks(self) -> dict[int, int]:
        found = {}
        for index, row in enumerate(self.tables.surcharges):
            for edge in self.network.section(row.operator, row.line, row.station_a, row.station_b):
                found[edge] = index
        return found

    def surcharged_systems(self) -> frozenset[str]:
        """Fare systems in which some ride pays a surcharge."""
        edges, lines = self.network.edges, self.network.lines
        return frozenset(lines[edges[edge].line].system for edge in self._surcharged)

    def graph(self, system: str, area: str) -> dict[int, list[tuple[int, int, int]]]:
        """Tracks as (node, tenths of a km, track) by tariff node; a whole system if no area."""
        key = (system, area)
        if key not in self._graphs:
            graph: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
            operator = system.partition("/")[0]
            allowed = self._areas[operator, area] if area else None
            node = self.network.fare_node
            for edge in self.network.edges:
                if self.network.lines[edge.line].system != system or edge.track != edge.id:
                    continue
                if allowed is None or edge.id in allowed:
                    graph[node[edge.a]].append((node[edge.b], edge.km10, edge.id))
                    graph[node[edge.b]].append((node[edge.a], edge.km10, edge.id))
            self._graphs[key] = graph
        return self._graphs[key]

    def _tree(self, system: str, area: str, source: int) -> dict[int, Distance]:
        graph = self.graph(system, area)
        if source not in graph:
            return {}
        done: dict[int, Distance] = {}
        queue: list[tuple[int, int, frozenset[int]]] = [(0, source, frozenset())]
        while queue:
            km10, node, surcharges = heapq.heappop(queue)
            if node in done:
                continue
            done[node] = Distance(km10, surcharges)
            for other, length, edge in graph[node]:
                if other not in done:
                    index = self._surcharged.get(edge)
                    passed = surcharges if index is None else surcharges | {index}
                    heapq.heappush(queue, (km10 + length, other, passed))
        return done


class FareBook:
    """The fares of one day and medium, looked up once and remembered."""

    def __init__(self, tariffs: Tariffs, on: date, medium: Medium, *, child: bool) -> None:
        self.on = on
        self.medium = medium
        self.child = child
        self.network = tariffs.network
        self._memory: dict[Any, Any] = {}
        self.tariffs = tariffs
        self._size = len(tariffs.network.stations)
        self._tables: dict[str, list[TariffTable]] = {}
        self._fares: dict[tuple[str, int], Fare] = {}
        self._yen: dict[str, dict[int, int]] = defaultdict(dict)
        self.specials = self._special_fares()
        self.discounts = self._transfer_discounts()
        self._combined: dict[tuple[str, int, str, int], int] = {}

    def yen(self, system: str, a: int, b: int) -> int:
        """Fare in yen between two stations of a fare system; the fast way to `fare`."""
        key = a * self._size + b
        known = self._yen[system]
        yen = known.get(key)
        if yen is None:
            yen = known[key] = self.fare(system, a, b).yen
        return yen

    def fare(self, system: str, a: int, b: int) -> Fare:
        """Fare between two stations with its source; NoTariffOnDate, NoFareBetween."""
        key = (system, min(a, b) * self._size + max(a, b))
        fare = self._fares.get(key)
        if fare is None:
            fare = self._fares[key] = self._look_up(system, a, b)
        return fare

    def remembered(self, key: KeyT, work_out: Callable[[KeyT], ValueT]) -> ValueT:
        """A value that depends on these fares alone, worked out once per book."""
        if key not in self._memory:
            self._memory[key] = work_out(key)
        return self._memory[key]  # type: ignore[no-any-return]

    def known(self, key: Any) -> Any:
        """What `remembered` has worked out for a key, None before that."""
        return self._memory.get(key)

    def combined_yen(self, first: tuple[str, int], last: tuple[str, int]) -> int:
        """Cheapest ride from a station of one system to one of another, before any discount.

        One change between the two systems, wherever it is cheapest.
        """
        key = (*first, *last)
        if key not in self._combined:
            (system, start), (other_system, end) = first, last
            node = self.network.fare_node
            self._combined[key] = min(
                self.yen(system, start, a) + self.yen(other_system, b, end)
                for a, b in self.tariffs.changes(system, other_system)
                if node[a] != node[start] and node[b] != node[end]
            )
        return self._combined[key]

    def _transfer_discounts(self) -> dict[tuple[str, str], int]:
        found = {
            (row.operator_a, row.operator_b): row.child_yen if self.child else row.adult_yen
            for row in self.tariffs.tables.transfer_discounts
            if row.medium == self.medium and row.valid_from <= self.on <= (row.valid_to or OPEN_END)
        }
        return found | {(b, a): yen for (a, b), yen in found.items()}

    def _special_fares(self) -> dict[tuple[str, frozenset[str]], SpecialFare]:
        return {
            (row.operator, frozenset((row.station_a, row.station_b))): row
            for row in self.tariffs.tables.special_fares
            if row.valid_from <= self.on <= (row.valid_to or OPEN_END)
        }

    @cached_property
    def special_pairs(self) -> dict[str, list[frozenset[str]]]:
        """The pairs of names that have a fare of their own, by fare system."""
        pairs: dict[str, list[frozenset[str]]] = defaultdict(list)
        for system, pair in self.specials:
            pairs[system].append(pair)
        return pairs

    def tables_of(self, system: str) -> list[TariffTable]:
        """The tables of a fare system on the book's day; NoTariffOnDate."""
        tables = self._tables.get(system)
        if tables is None:
            tables = self._tables[system] = self.tariffs.tables_on(system, self.on)
        if not tables:
            raise NoTariffOnDate(f"この日付の運賃表がありません({system})")
        return tables

    def _look_up(self, system: str, a: int, b: int) -> Fare:
        tables = self.tables_of(system)
        special = self._special(system, a, b)
        found = [fare for table in tables if (fare := self._by_table(system, table, a, b))]
        if not found and special is not None and special.ic_yen is not None:
            return self._between_two(special, tables[0], 0)
        if not found:
            a_name, b_name = (self.network.stations[end].name for end in (a, b))
            raise NoFareBetween(f"{system}の運賃表に{a_name}―{b_name}の運賃がありません")
        cheapest = min(found, key=lambda fare: fare.yen)
        if special is None:
            return cheapest
        if special.ic_yen is None:
            return Fare(cheapest.yen, cheapest.tariff, (*cheapest.notices, MAY_BE_SPECIAL))
        table = next(t for t in tables if t.table == cheapest.tariff.table)
        return self._between_two(special, table, cheapest.tariff.km10)

    def _between_two(self, special: SpecialFare, table: TariffTable, km10: int) -> Fare:
        assert special.ic_yen is not None
        days = special.valid_from, special.valid_to
        ref = TariffRef(table.operator, "特定区間", *days, "special", km10, None, 0)
        return Fare(self.in_medium(special.ic_yen, table), ref)

    def _special(self, system: str, a: int, b: int) -> SpecialFare | None:
        if a == b:
            return None
        names = self.tariffs.network.stations
        pair = frozenset((names[a].name, names[b].name))
        return self.specials.get((system, pair)) or self.specials.get(
            (system, frozenset((ANY_STATION,)))
        )

    def _by_table(self, system: str, table: TariffTable, a: int, b: int) -> Fare | None:
        area = table.table if self.tariffs.is_area(table) else ""
        distance = self.tariffs.distance(system, area, a, b)
        if distance is None or distance.km10 == 0:  # two names of one station have no fare
            return None
        band = next(
            (row for row in self.tariffs.bands[table] if distance.km10 <= row[0] * 10), None
        )
        if band is None:
            return None
        km_up_to, ic_yen = band
        surcharge, notices = self._surcharge(distance)
        yen = self.in_medium(ic_yen, table, surcharge)
        ref = TariffRef(
            table.operator,
            table.table,
            table.valid_from,
            table.valid_to,
            "band",
            distance.km10,
            km_up_to,
            surcharge,
        )
        return Fare(yen, ref, notices)

    def _surcharge(self, distance: Distance) -> tuple[int, tuple[str, ...]]:
        rows = [self.tariffs.tables.surcharges[index] for index in distance.surcharges]
        notices = (MAY_BE_SURCHARGED,) if any(row.ic_yen is None for row in rows) else ()
        return sum(row.ic_yen or 0 for row in rows if row.valid_from <= self.on), notices

    def in_medium(self, ic_yen: int, table: TariffTable, surcharge: int = 0) -> int:
        """An adult IC fare as this book charges it: by ticket, for a child."""
        adult = fare_for_medium(ic_yen, self.medium, Rounding(table.ticket_rounding)) + surcharge
        if not self.child:
            return adult
        return child_fare(adult, self.medium, Rounding(table.child_ticket_rounding))


@cache
def packaged_tariffs() -> Tariffs:
    """The fares that come with the package; built once per process."""
    return Tariffs(Network(network_tables()), fare_tables())


def _turning_points(row: object) -> Iterable[date]:
    """First day of a table, and the first day after it."""
    yield getattr(row, "valid_from")  # noqa: B009 - four row types share the two columns
    valid_to: date | None = getattr(row, "valid_to", None)
    if valid_to is not None:
        yield date.fromordinal(valid_to.toordinal() + 1)
