"""What does a GTFS-JP feed add to network and tariffs: rail or bus, Fares v1 or v2?

A feed is a folder or zip of tables. Its agencies become operators, the stop patterns of its routes
lines, its zone fares fares between two stations. Directions, platforms and timetables are left out:
a fare needs none of them. What the feed says and our tables cannot hold is in `problems` and
left out; nothing is guessed.
"""

import csv
import io
import math
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

from fare_engine.errors import FareError
from fare_engine.gtfs.fares import PairFares, pair_fares
from fare_engine.network.tables import (
    BusLine,
    FareTables,
    Interval,
    LineTable,
    NetworkTables,
    Reading,
    SpecialFare,
    TariffTable,
    TravelSpeed,
)

Rows = list[dict[str, str]]
BUS_TYPES = frozenset({"3", "11", *map(str, range(200, 210)), *map(str, range(700, 717))})
NEEDED = ("agency", "routes", "trips", "stops", "stop_times", "feed_info")
EARTH_KM = 6371.0
WHOLE_FEED = "普通"


class FeedUnreadable(FareError):
    """The file is no feed, or a table or column that the standard demands is missing."""

    code: ClassVar[str] = "FEED_UNREADABLE"


@dataclass(frozen=True, slots=True)
class Imported:
    """The tables of a feed, and what could not be taken over, in Japanese."""

    network: NetworkTables
    fares: FareTables
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Pattern:
    """The stops of a line by name, with positions and the seconds that the ride takes."""

    operator: str
    line: str
    route: str
    is_bus: bool
    stops: tuple[str, ...]
    km10: tuple[int, ...]
    seconds: int


def read_feed(path: Path) -> dict[str, Rows]:
    """All tables of a feed by name without ending; FeedUnreadable."""
    try:
        texts = dict(_texts(path))
    except (OSError, zipfile.BadZipFile, UnicodeDecodeError) as fault:
        raise FeedUnreadable(f"GTFSを読み込めません: {path.name}({fault})") from None
    feed = {name: list(csv.DictReader(io.StringIO(text))) for name, text in texts.items()}
    missing = [name for name in NEEDED if not feed.get(name)]
    if missing:
        raise FeedUnreadable(f"GTFSに必要なファイルがありません: {'、'.join(missing)}")
    return {
        name: [{k.strip(): (v or "").strip() for k, v in row.items() if k} for row in rows]
        for name, rows in feed.items()
    }


def imported(feed: Mapping[str, Rows]) -> Imported:
    """The tables of a feed; FeedUnreadable where a demanded column is missing."""
    try:
        return _imported(feed)
    except (KeyError, ValueError) as fault:
        raise FeedUnreadable(f"GTFSの列が読み取れません: {fault}") from None


def merged(
    network: NetworkTables, fares: FareTables, addition: Imported
) -> tuple[NetworkTables, FareTables]:
    """Tables with the feed's operators added, or put in the place of an earlier import of them."""
    operators = {row.operator for row in addition.network.intervals}
    return (
        replace(network, **_joined(network, addition.network, operators)),
        replace(fares, **_joined(fares, addition.fares, operators)),
    )


def _joined(
    base: NetworkTables | FareTables, more: NetworkTables | FareTables, operators: set[str]
) -> dict[str, Any]:
    tables: dict[str, Any] = {}
    for name in (field.name for field in fields(base)):
        kept = [row for row in getattr(base, name) if not _belongs(row, operators)]
        added = getattr(more, name)
        if name == "readings":  # a name that is known keeps its reading
            known = {row.station for row in kept}
            added = [row for row in added if row.station not in known]
        tables[name] = (*kept, *added)
    return tables


def _belongs(row: object, operators: set[str]) -> bool:
    return str(getattr(row, "operator", "")).partition("/")[0] in operators


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    if path.is_dir():
        for file in sorted(path.glob("*.txt")):
            yield file.stem, file.read_text(encoding="utf-8-sig")
        return
    with zipfile.ZipFile(path) as packed:
        for name in packed.namelist():
            if name.endswith(".txt"):
                yield Path(name).stem, packed.read(name).decode("utf-8-sig")


def _imported(feed: Mapping[str, Rows]) -> Imported:
    problems: list[str] = []
    patterns = list(_patterns(feed, problems))
    priced = pair_fares(feed)
    fares = _fare_tables(feed, patterns, priced)
    problems += priced.problems
    names = list(dict.fromkeys(stop for pattern in patterns for stop in pattern.stops))
    kana = _readings(feed)
    own = not priced.whole_feed
    network = NetworkTables(
        intervals=tuple(row for pattern in patterns for row in _intervals(pattern)),
        line_totals=(),
        readings=tuple(Reading(name, kana.get(name, name)) for name in names),
        ambiguous_names=(),
        interchanges=(),
        shared_tracks=(),
        line_tables=tuple(
            LineTable(one.operator, one.line, one.line, "gtfs") for one in patterns if own
        ),
        travel_speeds=tuple(
            TravelSpeed(one.operator, one.line, one.seconds * 10 // one.km10[-1], "gtfs")
            for one in patterns
        ),
        bus_lines=tuple(BusLine(one.operator, one.line, "gtfs") for one in patterns if one.is_bus),
    )
    return Imported(network, fares, tuple(dict.fromkeys(problems)))


def _fare_tables(
    feed: Mapping[str, Rows], patterns: Sequence[_Pattern], priced: PairFares
) -> FareTables:
    first, last = _validity(feed)
    groups: dict[tuple[str, str], list[_Pattern]] = defaultdict(list)
    for one in patterns:
        groups[one.operator, WHOLE_FEED if priced.whole_feed else one.line].append(one)
    tables, special = [], []
    for (operator, table), lines in groups.items():
        tables.append(TariffTable(operator, table, first, last, "up", "up", "gtfs"))
        system = operator if priced.whole_feed else f"{operator}/{table}"
        stops = list(dict.fromkeys(stop for line in lines for stop in line.stops))
        for i, a in enumerate(stops):
            for b in stops[:i]:
                yen = priced.between(lines[0].route, a, b)
                if yen is not None:
                    special.append(SpecialFare(system, b, a, first, last, yen, "gtfs"))
    return FareTables(tuple(tables), (), (), tuple(special), (), ())


def _validity(feed: Mapping[str, Rows]) -> tuple[date, date | None]:
    info = feed["feed_info"][0]
    first = datetime.strptime(info["feed_start_date"], "%Y%m%d").date()  # noqa: DTZ007 - a day
    end = info.get("feed_end_date", "")
    return first, datetime.strptime(end, "%Y%m%d").date() if end else None  # noqa: DTZ007


def _intervals(pattern: _Pattern) -> Iterator[Interval]:
    for seq, (stop, km10) in enumerate(zip(pattern.stops, pattern.km10, strict=True), start=1):
        yield Interval(pattern.operator, pattern.line, seq, stop, km10, "gtfs")


def _readings(feed: Mapping[str, Rows]) -> dict[str, str]:
    """Kana by stop name, from translations.txt in its present form or the older one."""
    name_of = {row["stop_id"]: row["stop_name"] for row in feed["stops"]}
    kana = {}
    for row in feed.get("translations", []):
        if (row.get("language") or row.get("lang", "")).lower() != "ja-hrkt":
            continue
        if row.get("table_name", "stops") == "stops":
            said = row.get("field_value") or name_of.get(row.get("record_id", ""), "")
            kana[said or row.get("trans_id", "")] = row["translation"]
    return kana


def _patterns(feed: Mapping[str, Rows], problems: list[str]) -> Iterator[_Pattern]:
    """The longest stop pattern of each route, and those that do not run along a longer one."""
    agencies = {row.get("agency_id", ""): row["agency_name"] for row in feed["agency"]}
    only = next(iter(agencies.values()))
    stops = {row["stop_id"]: row for row in feed["stops"]}
    calls: dict[str, Rows] = defaultdict(list)
    for row in feed["stop_times"]:
        calls[row["trip_id"]].append(row)
    trips: dict[str, list[str]] = defaultdict(list)
    for row in feed["trips"]:
        trips[row["route_id"]].append(row["trip_id"])
    for route in feed["routes"]:
        operator = agencies.get(route.get("agency_id", ""), only)
        title = route.get("route_long_name") or route.get("route_short_name") or operator
        served: list[Sequence[str]] = []
        for trip in _longest_first([calls[trip] for trip in trips[route["route_id"]]]):
            names = [stops[call["stop_id"]]["stop_name"] for call in trip]
            if len(set(names)) != len(names):
                problems.append(f"{title}: 同じ停留所に二度停まる系統は取り込めません")
                names = _until_repeated(names)
            if len(names) > 1 and not any(_runs_along(names, line) for line in served):
                number = f"({len(served) + 1})" if served else ""
                served.append(names)
                places = [stops[call["stop_id"]] for call in trip[: len(names)]]
                yield _Pattern(
                    operator,
                    title + number,
                    route["route_id"],
                    route["route_type"] in BUS_TYPES,
                    tuple(names),
                    tuple(_kilometres(places)),
                    _seconds(trip[: len(names)]),
                )


def _longest_first(trips: Iterable[Rows]) -> list[Rows]:
    """Each different sequence of stops once."""
    found: dict[tuple[str, ...], Rows] = {}
    for trip in trips:
        ordered = sorted(trip, key=lambda call: int(call["stop_sequence"]))
        found.setdefault(tuple(call["stop_id"] for call in ordered), ordered)
    return sorted(found.values(), key=len, reverse=True)


def _runs_along(names: Sequence[str], line: Sequence[str]) -> bool:
    """Whether a pattern stops at some of a line's stops in its order, there or back."""
    for way in (line, line[::-1]):
        ahead = iter(way)
        if all(name in ahead for name in names):
            return True
    return False


def _until_repeated(names: Sequence[str]) -> list[str]:
    kept: list[str] = []
    for name in names:
        if name in kept:
            break
        kept.append(name)
    return kept


def _kilometres(stops: Sequence[Mapping[str, str]]) -> Iterator[int]:
    """Tenths of a kilometre as the crow flies from stop to stop; only the search reads them."""
    at = 0
    yield at
    for one, other in pairwise(stops):
        at += max(1, round(10 * _distance(one, other)))
        yield at


def _distance(one: Mapping[str, str], other: Mapping[str, str]) -> float:
    a, b = (math.radians(float(stop["stop_lat"])) for stop in (one, other))
    across = math.radians(float(other["stop_lon"]) - float(one["stop_lon"]))
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(across / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(half))


def _seconds(trip: Sequence[Mapping[str, str]]) -> int:
    """Duration of a trip; at least a minute. Hours may pass 24."""

    def clock(text: str) -> int:
        hours, minutes, seconds = (int(part) for part in text.split(":"))
        return hours * 3600 + minutes * 60 + seconds

    return max(60, clock(trip[-1]["arrival_time"]) - clock(trip[0]["departure_time"]))
