"""Editions of a feed: a new one keeps the days of the one before (R38)."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from fare_engine.data_tables import FareTables, NetworkTables, fare_tables, network_tables
from fare_engine.fares.pricing import Terms, price
from fare_engine.fares.tariffs import NoFareBetween, NoTariffOnDate, Tariffs
from fare_engine.gtfs.archive import FeedUnreadable
from fare_engine.gtfs.editions import Merged, merged
from fare_engine.gtfs.feed_import import Imported, imported
from fare_engine.gtfs.report import import_report
from fare_engine.network.network import Network
from fare_engine.network.station_closures import StationClosed, refuse_closed
from fare_engine.network.station_lookup import find_place
from fare_engine.routing.route_text import parse_route

WriteFeed = Callable[..., Path]
OLD, NEW = date(2026, 4, 1), date(2026, 7, 1)
MAIN = "a,1,A,B,\nb,1,A,C,\na,1,B,C,"


@pytest.fixture
def edition(write_feed: WriteFeed, tmp_path: Path) -> Callable[..., Imported]:
    """A feed of みどり野バス from a day on, with two prices."""

    def of(first: date, yen: int, stops: str = "ABC", rules: str = MAIN, **more: str) -> Imported:
        return imported(
            write_feed(
                tmp_path / str(first),
                {"1": (more.get("title", "本線"), [stops])},
                f"a,{yen},JPY\nb,{yen + 50},JPY",
                rules,
                feed_info=f"feed_start_date\n{first:%Y%m%d}\n",
                agency=f"agency_name\n{more.get('operator', 'みどり野バス')}\n",
            ),
            more.get("name", ""),
        )

    return of


def stacked(*feeds: Imported) -> Merged:
    network, fares = network_tables(), fare_tables()
    for feed in feeds:
        result = merged(network, fares, feed)
        network, fares = result.network, result.fares
    return result


def yen(tables: Merged, route: str, on: date) -> int:
    tariffs = Tariffs(Network(tables.network), tables.fares)
    return price(parse_route(tariffs.network, route), Terms(on), (), tariffs).through_yen


Edition = Callable[..., Imported]


@pytest.mark.rule("R38")
@pytest.mark.parametrize("newest_last", [True, False])
def test_each_day_has_the_fare_of_its_edition(edition: Edition, newest_last: bool) -> None:
    feeds = [edition(OLD, 200), edition(NEW, 210)]
    tables = stacked(*(feeds if newest_last else feeds[::-1]))
    for on, expected in ((OLD, 200), (date(2026, 6, 30), 200), (NEW, 210), (date(2030, 1, 1), 210)):
        assert yen(tables, "A停:本線:B停", on) == expected
    with pytest.raises(NoTariffOnDate):
        yen(tables, "A停:本線:B停", date(2026, 3, 31))
    assert tables.ended == ()


def test_the_same_edition_again_changes_nothing(edition: Edition) -> None:
    once = stacked(edition(OLD, 200), edition(NEW, 210))
    assert merged(once.network, once.fares, edition(NEW, 210)) == once


def test_a_corrected_edition_replaces_its_fares(edition: Edition) -> None:
    tables = stacked(edition(OLD, 200), edition(NEW, 999), edition(NEW, 210))
    assert yen(tables, "A停:本線:B停", NEW) == 210
    assert yen(tables, "A停:本線:B停", OLD) == 200


def test_a_third_edition_keeps_both_before(edition: Edition) -> None:
    third = date(2026, 10, 1)
    tables = stacked(edition(OLD, 200), edition(NEW, 210), edition(third, 220))
    assert [yen(tables, "A停:本線:C停", on) for on in (OLD, NEW, third)] == [250, 260, 270]


@pytest.mark.rule("R38", "R39")
def test_a_stop_that_is_gone_is_priced_on_its_days_and_closed_after_them(edition: Edition) -> None:
    tables = stacked(edition(OLD, 200), edition(NEW, 210, "ABD", "a,1,A,B,\nb,1,A,D,"))
    assert yen(tables, "A停:本線:C停", OLD) == 250
    assert yen(tables, "A停:本線:B停", OLD) == 200
    assert yen(tables, "A停:本線:D停", NEW) == 260
    with pytest.raises(NoFareBetween):
        yen(tables, "A停:本線:D停", OLD)
    network = Network(tables.network)
    refuse_closed(network, [find_place(network, "C停")], date(2026, 6, 30))
    with pytest.raises(StationClosed):
        refuse_closed(network, [find_place(network, "C停")], NEW)
    assert tables.ended == (("みどり野バス", "本線(2026-06-30まで)"),)


def test_a_stop_that_comes_back_is_open_again(edition: Edition) -> None:
    third = date(2026, 10, 1)
    tables = stacked(
        edition(OLD, 200), edition(NEW, 210, "ABD", "a,1,A,B,\nb,1,A,D,"), edition(third, 220)
    )
    assert [yen(tables, "A停:本線:C停", on) for on in (OLD, third)] == [250, 270]
    assert yen(tables, "A停:本線:D停", NEW) == 260
    network = Network(tables.network)
    refuse_closed(network, [find_place(network, "C停")], third)


def test_a_line_that_is_gone_is_priced_on_its_days_only(
    edition: Edition, write_feed: WriteFeed, tmp_path: Path
) -> None:
    both = write_feed(
        tmp_path / "both",
        {"1": ("本線", ["ABC"]), "2": ("支線", ["BX"])},
        "a,200,JPY",
        "a,1,A,B,\na,2,B,X,",
    )
    tables = stacked(imported(both), edition(NEW, 210))
    assert yen(tables, "B停:支線:X停", OLD) == 200
    with pytest.raises(StationClosed):
        yen(tables, "B停:支線:X停", NEW)
    report = "\n".join(import_report(edition(NEW, 210), tables))
    assert "過去の日付だけで使う路線: 1路線(支線)" in report


def test_an_edition_between_two_others_is_refused(edition: Edition) -> None:
    before = stacked(edition(OLD, 200), edition(NEW, 210))
    with pytest.raises(FeedUnreadable, match="2026/07/01からの版が取り込み済み"):
        merged(before.network, before.fares, edition(date(2026, 5, 1), 205))


def test_two_feeds_of_one_operator_have_names(edition: Edition) -> None:
    day = stacked(edition(OLD, 200))
    night = edition(OLD, 400, "ABX", "a,1,A,B,\nb,1,A,X,", title="夜行線")
    with pytest.raises(FeedUnreadable, match="--nameで名前を付けて"):
        merged(day.network, day.fares, night)
    named = edition(OLD, 400, "ABX", "a,1,A,B,\nb,1,A,X,", title="夜行線", name="夜行")
    tables = merged(day.network, day.fares, named)
    assert yen(tables, "A停:本線:B停", OLD) == 200
    assert yen(tables, "A停:夜行線:B停", OLD) == 400
    clash = edition(NEW, 300, name="別")
    with pytest.raises(FeedUnreadable, match="路線「本線」は別のデータ"):
        merged(tables.network, tables.fares, clash)


def test_an_operator_of_the_delivered_tables_is_refused(edition: Edition) -> None:
    with pytest.raises(FeedUnreadable, match="標準の運賃表にある"):
        stacked(edition(OLD, 200, operator="JR東日本"))


def without_feeds(network: NetworkTables, fares: FareTables) -> tuple[object, ...]:
    own = [row for row in network.intervals if not row.source.startswith("GTFS:")]
    return own, fares.tariff_bands, [r for r in fares.special_fares if "みどり野" not in r.operator]


def test_the_delivered_tables_stay_as_they_are(edition: Edition) -> None:
    tables = stacked(edition(OLD, 200), edition(NEW, 210, "ABD"))
    assert without_feeds(tables.network, tables.fares) == without_feeds(
        network_tables(), fare_tables()
    )
