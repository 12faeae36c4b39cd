"""Feeds in the format of GTFS-JP become stations, lines and fares."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from shutil import copytree

import pytest

from fare_engine.data_tables import fare_tables, network_tables
from fare_engine.fares.explanation_model import Explanation, PassUse
from fare_engine.fares.pricing import Terms, price
from fare_engine.fares.tariffs import NoFareBetween, NoTariffOnDate, Tariffs
from fare_engine.gtfs.archive import FeedUnreadable
from fare_engine.gtfs.editions import merged
from fare_engine.gtfs.feed_import import Imported, imported
from fare_engine.network.network import Network
from fare_engine.routing.candidates import Order, SearchRequest, candidates
from fare_engine.routing.route_text import parse_pass, parse_route
from fare_engine.rules.bus_policy import BUS_NOTICE, BusPolicy
from fare_engine.rules.fare_rounding import Medium

FEEDS = Path(__file__).parent / "feeds"
DAY = date(2026, 4, 1)


def of(feed: str) -> Imported:
    return imported(FEEDS / feed)


@pytest.fixture(scope="module")
def tariffs() -> Tariffs:
    """The delivered tables with both feeds."""
    rail = merged(network_tables(), fare_tables(), of("rail"))
    both = merged(rail.network, rail.fares, of("bus"))
    return Tariffs(Network(both.network), both.fares)


def priced(tariffs: Tariffs, route: str, *passes: str, **terms: object) -> Explanation:
    own = [parse_pass(tariffs.network, text, str(i)) for i, text in enumerate(passes)]
    on = Terms(DAY, **terms)  # type: ignore[arg-type]
    return price(parse_route(tariffs.network, route), on, own, tariffs)


def test_a_line_has_each_station_once_whatever_the_platforms() -> None:
    rows = of("rail").network.intervals
    assert [row.station for row in rows] == ["立川", "泉が丘", "みどり野中央", "みどり野"]
    assert {(row.operator, row.line) for row in rows} == {("みどり野鉄道", "みどり野線")}
    assert [row.km10 for row in rows] == [0, 11, 33, 55]
    readings = {row.station: row.kana for row in of("rail").network.readings}
    assert readings["泉が丘"] == "いずみがおか"
    assert readings["みどり野"] == "みどりの"


@pytest.mark.parametrize(
    ("start", "end", "yen"),
    [("立川", "泉が丘", 160), ("みどり野", "立川", 240), ("みどり野", "泉が丘", 200)],
)
def test_zone_fares_of_the_first_kind(tariffs: Tariffs, start: str, end: str, yen: int) -> None:
    assert priced(tariffs, f"{start}:みどり野線:{end}").through_yen == yen


def test_two_fares_for_one_pair_are_reported_and_neither_is_used(tariffs: Tariffs) -> None:
    (notice,) = [one for one in of("rail").notices if "複数" in one.fact]
    assert "みどり野―みどり野中央" in notice.fact
    with pytest.raises(NoFareBetween):
        priced(tariffs, "みどり野中央:みどり野線:みどり野")


def test_fares_hold_from_the_first_day_and_the_end_of_the_feed_is_reported(
    tariffs: Tariffs,
) -> None:
    route = parse_route(tariffs.network, "立川:みどり野線:みどり野")
    for day in (date(2026, 3, 14), date(2027, 3, 13), date(2027, 3, 14)):
        assert price(route, Terms(day), (), tariffs).through_yen == 240
    with pytest.raises(NoTariffOnDate):
        price(route, Terms(date(2026, 3, 13)), (), tariffs)
    assert any("期限は2027/03/13" in notice.fact for notice in of("rail").notices)


@pytest.mark.rule("F3")
def test_a_pass_on_an_imported_line_is_deducted(tariffs: Tariffs) -> None:
    ride = priced(tariffs, "立川:みどり野線:みどり野", "立川:みどり野線:泉が丘")
    assert (ride.through_yen, ride.charged_yen) == (240, 200)


@pytest.mark.parametrize(
    ("route", "ic", "ticket"),
    [
        ("立川駅北口:10:市役所前", 178, 180),
        ("けやき団地:10:立川駅北口", 227, 230),
        ("立川駅北口:深夜急行:けやき団地", 460, 460),
    ],
)
def test_fares_of_the_second_kind(tariffs: Tariffs, route: str, ic: int, ticket: int) -> None:
    assert priced(tariffs, route).through_yen == ic
    assert priced(tariffs, route, medium=Medium.TICKET).through_yen == ticket


@pytest.mark.rule("R10", "F17")
def test_an_imported_bus_is_a_bus(tariffs: Tariffs) -> None:
    mixed = "三鷹:中央線:立川:徒歩:立川駅北口:10:けやき団地"
    with pytest.raises(Exception, match="徒歩"):  # no change on foot is recorded in the feed
        priced(tariffs, mixed)
    ride = priced(tariffs, "立川駅北口:10:けやき団地", "立川駅北口:10:けやき団地")
    assert (ride.charged_yen, ride.passes[0].use) == (227, PassUse.NOT_ON_ROUTE)
    assert not ride.passes[0].guaranteed
    assert BUS_NOTICE in [notice.message for notice in ride.notices]
    none = priced(
        tariffs,
        "立川駅北口:10:けやき団地",
        "立川駅北口:10:けやき団地",
        bus_policy=BusPolicy.NONE,
    )
    assert none.passes[0].use is PassUse.BUS_EXCLUDED


def test_a_pattern_that_returns_is_part_of_the_line_and_nothing_is_reported() -> None:
    feed = of("bus")
    assert [row.station for row in feed.network.intervals if row.line == "10"] == [
        "立川駅北口",
        "市役所前",
        "けやき団地",
    ]
    assert feed.notices == ()


def test_the_search_goes_over_imported_lines(tariffs: Tariffs) -> None:
    for order in Order:
        best = candidates(SearchRequest("三鷹", "みどり野", DAY, order=order), tariffs)[0]
        assert str(best.route) == "三鷹:JR東日本/中央線:立川:みどり野鉄道/みどり野線:みどり野"
        assert best.through_yen == 253 + 240


def test_a_second_import_replaces_the_first() -> None:
    once = merged(network_tables(), fare_tables(), of("rail"))
    assert merged(once.network, once.fares, of("rail")) == once


def broken(tmp_path: Path, file: str, change: Callable[[str], str]) -> Path:
    folder = copytree(FEEDS / "rail", tmp_path / "feed")
    (folder / file).write_text(change((folder / file).read_text()))
    return folder


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("stops.txt", lambda _: "stop_id,stop_name\n"),
        ("stops.txt", lambda text: text.replace("stop_lat", "lat")),
        ("stop_times.txt", lambda text: text.replace("S3", "S9")),
        ("feed_info.txt", lambda text: text.replace("20260314", "2026")),
        ("fare_attributes.txt", lambda text: text.replace("160", "百六十")),
    ],
)
def test_a_broken_feed_is_refused(tmp_path: Path, file: str, change: Callable[[str], str]) -> None:
    with pytest.raises(FeedUnreadable):
        imported(broken(tmp_path, file, change))


def test_foreign_money_is_left_out_and_reported_with_its_row(tmp_path: Path) -> None:
    folder = broken(
        tmp_path, "fare_attributes.txt", lambda text: text.replace("C,240,JPY", "C,2,USD")
    )
    feed = imported(folder)
    (notice,) = [one for one in feed.notices if "USD" in one.fact]
    assert (notice.file, notice.row) == ("fare_attributes", 4)
    assert str(notice).startswith("fare_attributes.txt 4行目: ")
    assert {row.ic_yen for row in feed.fares.special_fares} == {160, 200}
