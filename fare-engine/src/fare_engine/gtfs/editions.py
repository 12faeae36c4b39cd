"""Feed editions: a feed's rows join the tables, and an earlier import of it keeps its days (R38).

The newer edition's lines and stations are in force. Fares of the older one end the day before the
newer begins; a line that no longer runs stays for those days, its stations closed after them.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, TypeVar

from fare_engine.data_tables import (
    FareTables,
    LineTable,
    NetworkTables,
    Reading,
    StationDates,
    row_types,
)
from fare_engine.gtfs.archive import FeedUnreadable
from fare_engine.gtfs.feed_import import SOURCE, Imported
from fare_engine.gtfs.lines import runs_along

TablesT = TypeVar("TablesT", NetworkTables, FareTables)
Title = tuple[str, str]
"""Operator and line, or operator and fare table."""
FIRST_SOURCE = "gtfs"  # of rows that were imported before feeds had names


@dataclass(frozen=True, slots=True)
class Merged:
    """All tables with the feed, and the lines that ended with it."""

    network: NetworkTables
    fares: FareTables
    ended: tuple[Title, ...]


def merged(network: NetworkTables, fares: FareTables, feed: Imported) -> Merged:
    """Tables with the feed added, before or behind earlier editions of it.

    FeedUnreadable where its lines belong to another source, or its days lie between two editions.
    """
    _refuse_foreign(network, feed)
    known, rest = _split(network, feed)
    known_fares, rest_fares = _split(fares, feed)
    days = {row.valid_from for row in known_fares.tariff_tables}
    older, newer = replace(feed, network=known, fares=known_fares), feed
    if days and feed.first_day < min(days):  # an older edition, imported later
        older, newer = feed, replace(older, first_day=min(days))
    elif days and feed.first_day < max(days) and feed.first_day not in days:
        raise FeedUnreadable(
            f"{max(days):%Y/%m/%d}からの版が取り込み済みで、{feed.first_day:%Y/%m/%d}からの版を"
            "その前に入れられません。古い順に取り込んでください"
        )
    older = _remaining(_ended(older, newer), newer, rest)
    ended = dict.fromkeys((row.operator, row.line) for row in older.network.intervals)
    return Merged(
        _sum(_sum(rest, older.network), newer.network),
        _sum(_sum(rest_fares, older.fares), newer.fares),
        tuple(ended),
    )


def _refuse_foreign(network: NetworkTables, feed: Imported) -> None:
    operators = feed.operators
    titles = {(row.operator, row.line) for row in feed.network.intervals}
    known = set()
    for row in network.intervals:
        if row.operator not in operators:
            continue
        if _is_of(row, feed, operators):
            known.add((row.operator, row.line))
        elif not row.source.startswith(SOURCE):
            raise FeedUnreadable(
                f"事業者「{row.operator}」は標準の運賃表にあるため、取り込めません"
            )
        elif (row.operator, row.line) in titles:
            raise FeedUnreadable(
                f"{row.operator}の路線「{row.line}」は別のデータ({row.source.removeprefix(SOURCE)})"
                "から取り込み済みです。同じデータの新しい版なら、同じ名前を--nameで指定してください"
            )
    if known and not known & titles:
        raise FeedUnreadable(
            f"同じ事業者の{len(known)}路線が取り込み済みで、共通の路線がありません。"
            "別のデータとして加えるときは、--nameで名前を付けてください"
        )


def _ended(older: Imported, newer: Imported) -> Imported:
    """The older edition with its fares up to the day before the newer; later ones are replaced."""
    last = newer.first_day - timedelta(days=1)
    changed: dict[str, Any] = {
        name: tuple(
            replace(row, valid_to=min(row.valid_to or last, last))
            for row in getattr(older.fares, name)
            if row.valid_from <= last
        )
        for name in ("tariff_tables", "special_fares")
    }
    return replace(older, fares=replace(older.fares, **changed))


def _remaining(older: Imported, newer: Imported, rest: NetworkTables) -> Imported:
    """The older edition without the lines that the newer has too, or that never had a fare.

    A line whose name the newer gives to other stops, and its fare table, carry their last day in
    their names: 本線(2026-06-30まで). A route text with 本線 finds both.
    """
    last = newer.first_day - timedelta(days=1)
    stops, new_stops = _stops(older.network), _stops(newer.network)
    table, new_table = _tables(older.network), _tables(newer.network)
    priced = {row.operator for row in older.fares.special_fares}
    names: dict[Title, str] = {}
    copied: dict[Title, str] = {}
    for title, served in stops.items():
        operator, line = title
        same = title in new_stops and table.get(title) == new_table.get(title)
        if _system(title, table) not in priced or (same and runs_along(served, new_stops[title])):
            continue
        names[title] = line
        own = operator, table.get(title, "")
        if title in new_stops or own in new_stops:
            names[title] = _until(line, last)
            if own[1]:
                copied[own] = _until(own[1], last)
    network = _lines_left(older.network, names, copied)
    served_now = {(r.operator, r.station) for t in (rest, newer.network) for r in t.intervals}
    used = {_system(title, new_table) for title in new_stops}
    used |= {_system(title, _tables(network)) for title in _stops(network)}
    return replace(
        older,
        network=replace(network, station_dates=_closings(network, served_now, last, older.source)),
        fares=_fares_left(older.fares, copied, used),
    )


def _lines_left(
    network: NetworkTables, names: Mapping[Title, str], copied: Mapping[Title, str]
) -> NetworkTables:
    """The rows of the named lines under their new names."""
    tables: dict[str, Any] = {"readings": network.readings}
    for name in ("intervals", "travel_speeds", "bus_lines"):
        tables[name] = tuple(
            replace(row, line=names[row.operator, row.line])
            for row in getattr(network, name)
            if (row.operator, row.line) in names
        )
    tables["line_tables"] = tuple(
        LineTable(
            row.operator,
            names[row.operator, row.line],
            copied.get((row.operator, row.table), row.table),
            row.source,
        )
        for row in network.line_tables
        if (row.operator, row.line) in names
    )
    empty: dict[str, Any] = dict.fromkeys(row_types(NetworkTables), ())
    return NetworkTables(**(empty | tables | {"station_dates": network.station_dates}))


def _fares_left(fares: FareTables, copied: Mapping[Title, str], used: set[str]) -> FareTables:
    """The fares of the systems in use, and those of the copied tables under their new names."""
    new_system = {f"{title[0]}/{title[1]}": f"{title[0]}/{new}" for title, new in copied.items()}
    tables = [
        replace(row, table=copied[row.operator, row.table])
        for row in fares.tariff_tables
        if (row.operator, row.table) in copied
    ]
    special = [
        replace(row, operator=new_system[row.operator])
        for row in fares.special_fares
        if row.operator in new_system
    ]
    return replace(
        fares,
        tariff_tables=tuple(
            row
            for row in (*fares.tariff_tables, *tables)
            if f"{row.operator}/{row.table}" in used or row.operator in used
        ),
        special_fares=tuple(r for r in (*fares.special_fares, *special) if r.operator in used),
    )


def _closings(
    network: NetworkTables, served: set[Title], last: date, source: str
) -> tuple[StationDates, ...]:
    """The last days of the stations that only lines of the past serve."""
    past = dict.fromkeys((row.operator, row.station) for row in network.intervals)
    dated = {(row.operator, row.station): row for row in network.station_dates}
    return tuple(
        dated.get(one) or StationDates(*one, None, last, source)
        for one in past
        if one not in served
    )


def _until(name: str, last: date) -> str:
    return f"{name}({last}まで)"


def _stops(network: NetworkTables) -> dict[Title, list[str]]:
    stops: dict[Title, list[str]] = defaultdict(list)
    for row in network.intervals:
        stops[row.operator, row.line].append(row.station)
    return stops


def _tables(network: NetworkTables) -> dict[Title, str]:
    return {(row.operator, row.line): row.table for row in network.line_tables}


def _system(title: Title, tables: Mapping[Title, str]) -> str:
    return f"{title[0]}/{tables[title]}" if title in tables else title[0]


def _is_of(row: object, feed: Imported, operators: frozenset[str]) -> bool:
    source = getattr(row, "source", "")
    operator = str(getattr(row, "operator", "")).partition("/")[0]
    return source == feed.source or (source == FIRST_SOURCE and operator in operators)


def _split(tables: TablesT, feed: Imported) -> tuple[TablesT, TablesT]:
    """The rows of the feed, and all others. Rows without a source are no feed's."""
    own: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    operators = feed.operators
    for name, rows in _rows(tables).items():
        own[name] = tuple([row for row in rows if _is_of(row, feed, operators)])
        rest[name] = tuple([row for row in rows if not _is_of(row, feed, operators)])
    return type(tables)(**own), type(tables)(**rest)


def _rows(tables: NetworkTables | FareTables) -> dict[str, tuple[Any, ...]]:
    return {name: getattr(tables, name) for name in row_types(type(tables))}


def _sum(tables: TablesT, more: TablesT) -> TablesT:
    return type(tables)(**_joined(tables, more))


def _joined(
    tables: NetworkTables | FareTables, more: NetworkTables | FareTables
) -> dict[str, tuple[Any, ...]]:
    """All rows; a name that is known keeps its reading."""
    added = _rows(more)
    joined = {name: (*rows, *added[name]) for name, rows in _rows(tables).items()}
    readings: dict[str, Reading] = {}
    for row in joined.get("readings", ()):
        readings.setdefault(row.station, row)
    return joined | ({"readings": tuple(readings.values())} if readings else {})
