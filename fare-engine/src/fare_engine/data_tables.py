"""Rows of the data tables, network and fares, as they are delivered and before any check.

Exactly as they stand in data/*.csv (see data/SOURCES.md); a database or a feed can deliver the
same rows instead.
"""

import csv
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import date
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

RowT = TypeVar("RowT", bound="DataclassInstance")
PACKAGED = files("fare_engine") / "data"


@dataclass(frozen=True, slots=True)
class Interval:
    """A station of a line with its distance from the line's first station, in tenths of a km.

    `calc_km10`: the same in converted kilometres (換算キロ), on JR's local lines alone.
    """

    operator: str
    line: str
    seq: int
    station: str
    km10: int
    source: str
    calc_km10: int | None = None


@dataclass(frozen=True, slots=True)
class LineTotal:
    """Published size of a line, for comparison."""

    operator: str
    line: str
    stations: int
    km10: int


@dataclass(frozen=True, slots=True)
class Reading:
    """How a station name is read, in hiragana."""

    station: str
    kana: str


@dataclass(frozen=True, slots=True)
class AmbiguousName:
    """How the places of one name differ, for the question which of them is meant."""

    station: str
    why: str
    source: str


@dataclass(frozen=True, slots=True)
class Interchange:
    """A change between two stations; kind is one_station, walk or apart."""

    operator_a: str
    station_a: str
    operator_b: str
    station_b: str
    kind: str
    walk_minutes: int | None
    source: str


@dataclass(frozen=True, slots=True)
class SharedTrack:
    """A section of a line that the tariff counts as another line of the same operator."""

    operator: str
    line: str
    station_a: str
    station_b: str
    counts_as: str
    source: str


@dataclass(frozen=True, slots=True)
class LineTable:
    """A line that its operator charges by a table of its own."""

    operator: str
    line: str
    table: str
    source: str


@dataclass(frozen=True, slots=True)
class TariffTable:
    """A dated fare table and how its tickets and child tickets are rounded.

    `unconfirmed`: the medium whose fares are priced with a notice: ic, ticket, both, or empty.
    """

    operator: str
    table: str
    valid_from: date
    valid_to: date | None
    ticket_rounding: str
    child_ticket_rounding: str
    source: str
    unconfirmed: str = ""


@dataclass(frozen=True, slots=True)
class TariffBand:
    """Adult fare up to and including a distance in whole kilometres.

    A recorded ticket goes before the rounded IC fare; no IC fare means that none is known.
    """

    operator: str
    table: str
    valid_from: date
    km_up_to: int
    ic_yen: int | None
    ticket_yen: int | None = None


@dataclass(frozen=True, slots=True)
class TariffArea:
    """A section of a line inside the area of a cheaper table."""

    operator: str
    table: str
    line: str
    station_a: str
    station_b: str
    source: str


@dataclass(frozen=True, slots=True)
class SpecialFare:
    """A fare between two stations instead of the table's; no yen at all means not known."""

    operator: str
    station_a: str
    station_b: str
    valid_from: date
    valid_to: date | None
    ic_yen: int | None
    source: str
    ticket_yen: int | None = None


@dataclass(frozen=True, slots=True)
class Surcharge:
    """An amount for rides over a section, by the kilometres ridden on it where it has steps.

    Several rows of one section are its steps; no yen means not known.
    """

    operator: str
    line: str
    station_a: str
    station_b: str
    valid_from: date
    ic_yen: int | None
    source: str
    km_up_to: int | None = None


@dataclass(frozen=True, slots=True)
class TransferDiscount:
    """Yen off a ride that changes between two operators.

    No yen means that discounts exist for short rides, up to `km_up_to` km with each, of an amount
    that is not known.
    """

    operator_a: str
    operator_b: str
    valid_from: date
    valid_to: date | None
    medium: str
    adult_yen: int | None
    child_yen: int | None
    source: str
    km_up_to: int | None = None


@dataclass(frozen=True, slots=True)
class TravelSpeed:
    """Average speed of an operator, or of one of its lines."""

    operator: str
    line: str
    seconds_per_km: int
    source: str


@dataclass(frozen=True, slots=True)
class StationDates:
    """First and last day of a station in use; empty where it has no such day."""

    operator: str
    station: str
    opened: date | None
    closed: date | None
    source: str


@dataclass(frozen=True, slots=True)
class LineAlias:
    """Another name that people type for a line."""

    operator: str
    line: str
    alias: str
    source: str


@dataclass(frozen=True, slots=True)
class FarPlatform:
    """The platforms of a line at its end, far from those of the other lines of the station.

    `minutes` of a change between them, where others take five.
    """

    operator: str
    station: str
    line: str
    minutes: int
    source: str


@dataclass(frozen=True, slots=True)
class BusLine:
    """A line that is a bus: a pass over it is not guaranteed (R10)."""

    operator: str
    line: str
    source: str


@dataclass(frozen=True, slots=True)
class Service:
    """A stop pattern that trains run in both directions; `name` where people name the whole.

    `runs`: trains a weekday, both directions together.
    """

    id: int
    name: str
    runs: int


@dataclass(frozen=True, slots=True)
class ServiceStop:
    """A stop of a service; operator, line and train are those ridden to the next stop.

    `line`: the fare line, empty where the way is over several; `train`: the name that people know;
    `minutes10`: tenths of a minute from the first stop.
    """

    service: int
    seq: int
    operator: str
    line: str
    train: str
    station: str
    minutes10: int


@dataclass(frozen=True, slots=True)
class NetworkTables:
    """Everything that describes tracks, stations and changes."""

    intervals: tuple[Interval, ...]
    line_totals: tuple[LineTotal, ...]
    readings: tuple[Reading, ...]
    ambiguous_names: tuple[AmbiguousName, ...]
    interchanges: tuple[Interchange, ...]
    shared_tracks: tuple[SharedTrack, ...]
    line_tables: tuple[LineTable, ...]
    travel_speeds: tuple[TravelSpeed, ...]
    station_dates: tuple[StationDates, ...] = ()
    bus_lines: tuple[BusLine, ...] = ()
    services: tuple[Service, ...] = ()
    service_stops: tuple[ServiceStop, ...] = ()
    line_aliases: tuple[LineAlias, ...] = ()
    far_platforms: tuple[FarPlatform, ...] = ()


@dataclass(frozen=True, slots=True)
class FareTables:
    """Everything that describes prices."""

    tariff_tables: tuple[TariffTable, ...]
    tariff_bands: tuple[TariffBand, ...]
    tariff_areas: tuple[TariffArea, ...]
    special_fares: tuple[SpecialFare, ...]
    surcharges: tuple[Surcharge, ...]
    transfer_discounts: tuple[TransferDiscount, ...]


def network_tables(folder: Traversable = PACKAGED) -> NetworkTables:
    """Read the network tables of a folder: those that come with the package, or others."""
    return NetworkTables(**_tables(folder, NetworkTables))


def fare_tables(folder: Traversable = PACKAGED) -> FareTables:
    """Read the fare tables of a folder: those that come with the package, or others."""
    return FareTables(**_tables(folder, FareTables))


def row_types(tables: type[NetworkTables | FareTables]) -> dict[str, type[Any]]:
    """The row type of each table, by the table's name."""
    return {name: get_args(hint)[0] for name, hint in get_type_hints(tables).items()}


def edition_of(network: NetworkTables, fares: FareTables) -> str:
    """Short digest over all rows: the name of this edition. Every priced item names it."""
    return hashlib.sha256(repr((network, fares)).encode()).hexdigest()[:12]


def _tables(folder: Traversable, tables: type[NetworkTables | FareTables]) -> dict[str, Any]:
    return {name: tuple(_rows(folder, name, row)) for name, row in row_types(tables).items()}


def _rows(folder: Traversable, name: str, row_type: type[RowT]) -> Iterator[RowT]:
    text = (folder / f"{name}.csv").read_text(encoding="utf-8")
    hints = get_type_hints(row_type)
    rows = csv.reader(text.splitlines())
    header = next(rows)
    columns = [(header.index(field.name), _reader(hints[field.name])) for field in fields(row_type)]
    for row in filter(None, rows):
        yield row_type(*[read(row[at]) if read else row[at] for at, read in columns])


def _reader(hint: Any) -> Callable[[str], int | date | None] | None:
    """What reads the text of a column; None where the text itself is meant."""
    if hint is str:
        return None
    read: Callable[[str], int | date] = date.fromisoformat if hint in (date, date | None) else int
    return lambda text: read(text) if text else None
