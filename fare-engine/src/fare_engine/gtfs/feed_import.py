"""GTFS-JP import: what a feed adds to network and tariffs, rail or bus, Fares v1 or v2.

Agencies become operators, stop patterns lines, zone fares fares between two stations. What the feed
says and our tables cannot hold is left out and in `notices`; nothing is guessed.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from fare_engine.data_tables import (
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
from fare_engine.gtfs.archive import LIMITS, FeedArchive, FeedUnreadable, Limits, Progress
from fare_engine.gtfs.fares import read_fares
from fare_engine.gtfs.lines import FareTable, far_namesakes, fare_tables_of, stop_names, two_fares
from fare_engine.gtfs.notices import Notice, Notices
from fare_engine.gtfs.stop_patterns import Stop, read_patterns, read_routes, read_stops

SOURCE = "GTFS:"
"""Before the feed's name in the `source` of every row that came from it."""


@dataclass(frozen=True, slots=True)
class Imported:
    """The tables of a feed from its first day on, and what could not be taken over."""

    source: str
    first_day: date
    network: NetworkTables
    fares: FareTables
    notices: tuple[Notice, ...]

    @property
    def operators(self) -> frozenset[str]:
        """The operators of the feed."""
        return frozenset([row.operator for row in self.network.intervals])


def imported(
    path: Path,
    name: str = "",
    progress: Progress = lambda _: None,
    limits: Limits = LIMITS,
) -> Imported:
    """Read a feed, a zip or a folder. `name` tells the feeds of one operator apart.

    FeedUnreadable where it is no feed, or where what the standard demands is missing or wrong.
    """
    notices = Notices()
    with FeedArchive(path, progress, limits) as archive:
        first_day = _first_day(archive, notices)
        stops, routes = read_stops(archive), read_routes(archive, notices)
        patterns = read_patterns(archive, routes, stops, notices)
        rules = read_fares(archive, routes, stops, notices)
        kana = _readings(archive, stops)
    progress("路線と運賃を組み合わせています")
    tables = fare_tables_of(patterns, rules)
    if not tables:
        raise FeedUnreadable("二つ以上の停留所に停まる便がありません")
    _report_fares(tables, rules.file, notices)
    for stop, km in far_namesakes(patterns).items():
        notices.add(
            "stops",
            0,
            "同じ名前の停留所が離れた場所にあり、一つの停留所として扱います",
            "経路の候補に注意し、提供元に区別できる名前を依頼してください",
            example=f"{stop}: {km:.0f}km",
        )
    source = SOURCE + (name or "、".join(dict.fromkeys(table.operator for table in tables)))
    return Imported(
        source,
        first_day,
        _network_tables(tables, kana, source),
        _fare_tables(tables, first_day, source),
        notices.all(),
    )


def _network_tables(
    tables: Sequence[FareTable], kana: Mapping[str, str], source: str
) -> NetworkTables:
    lines = [(table.operator, table, line) for table in tables for line in table.lines]
    return NetworkTables(
        intervals=tuple(
            Interval(operator, line.name, seq, stop, km10, source)
            for operator, _, line in lines
            for seq, (stop, km10) in enumerate(zip(line.stops, line.km10, strict=True), start=1)
        ),
        line_totals=(),
        readings=tuple(Reading(name, kana.get(name) or name) for name in stop_names(tables)),
        ambiguous_names=(),
        interchanges=(),
        shared_tracks=(),
        line_tables=tuple(
            LineTable(operator, line.name, table.name, source)
            for operator, table, line in lines
            if table.own
        ),
        travel_speeds=tuple(
            TravelSpeed(operator, line.name, line.seconds_per_km, source)
            for operator, _, line in lines
        ),
        bus_lines=tuple(
            BusLine(operator, line.name, source) for operator, _, line in lines if line.is_bus
        ),
    )


def _fare_tables(tables: Sequence[FareTable], first_day: date, source: str) -> FareTables:
    dated, special = [], []
    for table in tables:
        priced = [(pair, yen) for pair, yen in sorted(table.fares.items()) if yen is not None]
        if not priced:
            continue  # its lines are known and have no fare
        row = TariffTable(table.operator, table.name, first_day, None, "up", "up", source)
        dated.append(row)
        system = f"{table.operator}/{table.name}" if table.own else table.operator
        special += [
            SpecialFare(system, a, b, first_day, None, yen, source) for (a, b), yen in priced
        ]
    return FareTables(tuple(dated), (), (), tuple(special), (), ())


def _report_fares(tables: Sequence[FareTable], file: str, notices: Notices) -> None:
    for table in tables:
        for a, b in two_fares(table):
            notices.add(
                file,
                0,
                f"{table.name}: 運賃が複数ある区間は、どの運賃も取り込みませんでした",
                "金額を手入力してください",
                example=f"{a}―{b}",
            )
        if not table.fares:
            notices.add(
                file,
                0,
                "運賃のない路線があります",
                "この路線の金額は手入力してください",
                example=table.name,
            )


def _first_day(archive: FeedArchive, notices: Notices) -> date:
    """The day from which the feed holds: of feed_info, else the first day that a calendar has."""
    if "feed_info" not in archive:
        notices.add(
            "feed_info", 0, "ファイルがありません", "GTFS-JPでは必須です。提供元に確認してください"
        )
    dates = ("feed_start_date", "feed_end_date")
    for row, (start, end) in archive.rows("feed_info", (), dates):
        if end:
            notices.add(
                "feed_info",
                row,
                f"データの期限は{_day('feed_info', row, end):%Y/%m/%d}です。"
                "それより後の日も、次のデータを取り込むまでこの運賃で計算します",
                "期限の前に新しいデータを取り込んでください",
            )
        if start:
            return _day("feed_info", row, start)
    days = list(_calendar_days(archive))
    if not days:
        raise FeedUnreadable("feed_info.txtにもcalendar.txtにも開始日がありません")
    first = min(days)
    notices.add(
        "feed_info",
        0,
        f"開始日(feed_start_date)がないため、運行の最初の日({first:%Y/%m/%d})からとしました",
        "日が違うときは、提供元にfeed_start_dateの記載を依頼してください",
    )
    return first


def _calendar_days(archive: FeedArchive) -> Iterator[date]:
    for row, (day,) in archive.rows("calendar", ("start_date",)):
        yield _day("calendar", row, day)
    for row, (day, kind) in archive.rows("calendar_dates", ("date",), ("exception_type",)):
        if kind != "2":  # a day without service
            yield _day("calendar_dates", row, day)


def _day(file: str, row: int, text: str) -> date:
    try:
        if len(text) != len("YYYYMMDD") or not text.isascii():
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise FeedUnreadable.at(file, row, f"「{text}」は日付(YYYYMMDD)ではありません") from None


def _readings(archive: FeedArchive, stops: Mapping[str, Stop]) -> dict[str, str]:
    """Kana by stop name, from translations.txt in its present form or the older one."""
    kana: dict[str, str] = defaultdict(str)
    columns = (
        ("translation",),
        ("language", "lang", "table_name", "field_value", "record_id", "trans_id"),
    )
    for _, (text, new, old, table, value, record, trans) in archive.rows("translations", *columns):
        if (new or old).lower() == "ja-hrkt" and table in ("", "stops"):
            name = value or (stops[record].name if record in stops else "") or trans
            kana[name] = text
    return kana
