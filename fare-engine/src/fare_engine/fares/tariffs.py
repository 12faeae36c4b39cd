"""Fares between two stations of an operator on a day (F11, F12, F15, F20, R38).

The fare follows the tariff, not the ride: the shortest way inside the operator's system, which is
the cheapest one too, since bands only rise. Until 2026-03-13 JR had three tables; the cheapest of
those whose area holds both ends and a way between them is charged. Where no IC fare is recorded
the ticket is charged, with a notice.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import cache, cached_property
from typing import Any, ClassVar, Protocol, TypeVar

from fare_engine.data_tables import (
    FareTables,
    SpecialFare,
    TariffBand,
    TariffTable,
    TransferDiscount,
    edition_of,
    fare_tables,
    network_tables,
)
from fare_engine.errors import FareError
from fare_engine.fares.fare_with_source import MAY_BE_SPECIAL, UNCONFIRMED, Fare, TariffRef
from fare_engine.fares.table_fares import JOINT_ADDITION, LOCAL_TABLE, TableFares, is_valid
from fare_engine.fares.tariff_checks import check_fare_tables
from fare_engine.fares.tariff_distances import Distance, Distances
from fare_engine.network.network import Network
from fare_engine.rules.fare_rounding import Medium

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")
ANY_STATION = "*"
TYPE_THE_AMOUNT = "金額を手入力してください。"


class NoTariffOnDate(FareError):
    """The operator has no recorded fare table for the day."""

    code: ClassVar[str] = "NO_TARIFF_ON_DATE"


class NoFareBetween(FareError):
    """No fare is recorded: stations not joined inside the system, or beyond the last band."""

    code: ClassVar[str] = "NO_FARE_BETWEEN"


class Tariffs:
    """All fare tables over one network, all days."""

    def __init__(self, network: Network, tables: FareTables) -> None:
        check_fare_tables(tables)
        self.network = network
        self.tables = tables
        self.bands: dict[TariffTable, list[TariffBand]] = {}
        by_key = {(row.operator, row.table, row.valid_from): row for row in tables.tariff_tables}
        for table in tables.tariff_tables:
            self.bands[table] = []
        for band in tables.tariff_bands:
            table = by_key[band.operator, band.table, band.valid_from]
            self.bands[table].append(band)
        areas: dict[tuple[str, str], set[int]] = defaultdict(set)
        for area in tables.tariff_areas:
            edges = network.section(area.operator, area.line, area.station_a, area.station_b)
            areas[area.operator, area.table].update(network.edges[e].track for e in edges)
        self.distances = Distances(network, areas, self._sections())
        self._days = sorted({day for table in self._dated() for day in _turning_points(table)})
        self._changes: dict[tuple[str, str], list[tuple[int, int]]] = {}
        self._books: dict[tuple[int, Medium, bool], FareBook] = {}

    @cached_property
    def edition(self) -> str:
        """The name of this edition of network and fares."""
        return edition_of(self.network.tables, self.tables)

    def book(self, on: date, medium: Medium, *, child: bool = False) -> "FareBook":
        """The fares of one day in one medium. Days between two revisions share a book."""
        epoch = sum(day <= on for day in self._days)
        key = (epoch, medium, child)
        if key not in self._books:
            self._books[key] = FareBook(self, on, medium, child=child)
        return self._books[key]

    def distance(self, system: str, area: str, a: int, b: int) -> Distance | None:
        """How far apart two stations are in a fare system, or inside an area of it."""
        nodes = self.network.fare_node
        return self.distances.charged(system, area, nodes[a], nodes[b])

    def tables_on(self, system: str, on: date) -> list[TariffTable]:
        """The tables of a fare system that are valid on a day."""
        operator, _, own = system.partition("/")
        others = {row.table for row in self.network_line_tables(operator)}
        return [
            table
            for table in self.bands
            if table.operator == operator
            and (table.table == own if own else table.table not in others)
            and table.valid_from <= on <= (table.valid_to or date.max)
            and table.table not in (LOCAL_TABLE, JOINT_ADDITION)
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
        return (table.operator, table.table) in self.distances.areas

    def _dated(self) -> Iterable[object]:
        yield from self.tables.tariff_tables
        yield from self.tables.special_fares
        yield from self.tables.surcharges
        yield from self.tables.transfer_discounts

    def _sections(self) -> dict[int, int]:
        """Surcharged section by edge: the index of the section's first row."""
        found: dict[int, int] = {}
        for index, row in enumerate(self.tables.surcharges):
            for edge in self.network.section(row.operator, row.line, row.station_a, row.station_b):
                found.setdefault(edge, index)
        return found

    def surcharged_systems(self) -> frozenset[str]:
        """Fare systems in which some ride pays a surcharge."""
        edges, lines = self.network.edges, self.network.lines
        return frozenset(lines[edges[edge].line].system for edge in self.distances.sections)


class FaresOfAll(Protocol):
    """The fares between all stations of a system, once they are known."""

    def between(self, a: int, b: int) -> int | None:
        """In yen; None where none is recorded."""


class FareBook:
    """The fares of one day and medium, looked up once and remembered."""

    def __init__(self, tariffs: Tariffs, on: date, medium: Medium, *, child: bool) -> None:
        self.on = on
        self.medium = medium
        self.child = child
        self.network = tariffs.network
        self._memory: dict[Any, Any] = {}
        self.matrices: dict[str, FaresOfAll] = {}
        self.tariffs = tariffs
        self.by_tables = TableFares(tariffs.bands, tariffs.tables.surcharges, on, medium, child)
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
            every = self.matrices.get(system)
            yen = every.between(a, b) if every else None
            yen = known[key] = self.fare(system, a, b).yen if yen is None else yen
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
        return {
            pair: yen
            for row in self._discount_rows()
            if (yen := row.child_yen if self.child else row.adult_yen) is not None
            for pair in ((row.operator_a, row.operator_b), (row.operator_b, row.operator_a))
        }

    def may_be_discounted(self, first: Fare, second: Fare) -> bool:
        """Whether two neighbouring fares may have a discount together that is not recorded."""
        pair = {first.tariff.operator, second.tariff.operator}
        longest = max(first.tariff.km10, second.tariff.km10)
        return any(
            {row.operator_a, row.operator_b} == pair and longest <= (row.km_up_to or 0) * 10
            for row in self._discount_rows()
            if row.adult_yen is None
        )

    def _discount_rows(self) -> Iterator[TransferDiscount]:
        for row in self.tariffs.tables.transfer_discounts:
            if row.medium == self.medium and is_valid(row.valid_from, row.valid_to, self.on):
                yield row

    def _special_fares(self) -> dict[tuple[str, frozenset[str]], SpecialFare]:
        return {
            (row.operator, frozenset((row.station_a, row.station_b))): row
            for row in self.tariffs.tables.special_fares
            if is_valid(row.valid_from, row.valid_to, self.on)
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
            operator = system.partition("/")[0]
            if any(table.operator == operator for table in self.tariffs.bands):
                raise NoTariffOnDate(f"この日付の運賃表がありません({system})")
            raise NoTariffOnDate(f"{operator}の運賃は登録されていません。{TYPE_THE_AMOUNT}")
        return tables

    def _look_up(self, system: str, a: int, b: int) -> Fare:
        tables = self.tables_of(system)
        special = self._special(system, a, b)
        found = [fare for table in tables if (fare := self._by_table(system, table, a, b))]
        if not found and special is not None and _has_yen(special):
            return self._between_two(special, tables[0], 0)
        if not found:
            a_name, b_name = (self.network.stations[end].name for end in (a, b))
            raise NoFareBetween(
                f"{a_name}―{b_name}({system})の運賃は登録されていません。{TYPE_THE_AMOUNT}"
            )
        cheapest = min(found, key=lambda fare: fare.yen)
        if special is None or (cheapest.tariff.operator != special.operator.partition("/")[0]):
            return cheapest
        if not _has_yen(special):
            return Fare(cheapest.yen, cheapest.tariff, (*cheapest.notices, MAY_BE_SPECIAL))
        table = next((t for t in tables if t.table == cheapest.tariff.table), tables[0])
        return self._between_two(special, table, cheapest.tariff.km10)

    def _between_two(self, special: SpecialFare, table: TariffTable, km10: int) -> Fare:
        days = special.valid_from, special.valid_to
        ref = TariffRef(table.operator, "特定区間", *days, "special", km10, None, 0)
        yen = self.by_tables.in_medium(special.ic_yen, table, ticket_yen=special.ticket_yen)
        notices = self.by_tables.notices(table, special.ic_yen)
        if special.source == "unconfirmed":
            notices = tuple(dict.fromkeys((*notices, UNCONFIRMED)))
        return Fare(yen, ref, notices)

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
        fare = self.by_tables.by_distance(table, distance)
        if fare is None or self.medium is Medium.TICKET or area:
            return fare
        nodes = self.network.fare_node
        ridden = self.tariffs.distances.shortest(system, area, nodes[a], nodes[b])
        if ridden == distance or self.by_tables.by_distance(table, ridden) == fare:
            return fare
        # Whether an IC card is charged from 東京, as a ticket is, is not confirmed.
        return Fare(fare.yen, fare.tariff, tuple(dict.fromkeys((*fare.notices, UNCONFIRMED))))


def _has_yen(special: SpecialFare) -> bool:
    return special.ic_yen is not None or special.ticket_yen is not None


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
