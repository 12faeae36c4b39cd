"""Feeds in the format of GTFS-JP become stations, lines and fares."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from shutil import copytree

import pytest

from fare_engine.fares.explanation import Explanation, PassUse
from fare_engine.fares.pricing import Terms, price
from fare_engine.fares.tariffs import NoFareBetween, NoTariffOnDate, Tariffs
from fare_engine.gtfs.feed import FeedUnreadable, Imported, imported, merged, read_feed
from fare_engine.network.network import Network
from fare_engine.network.tables import fare_tables, network_tables
from fare_engine.routing.candidates import Order, SearchRequest, candidates
from fare_engine.routing.route_text import parse_pass, parse_route
from fare_engine.rules.bus_policy import BUS_NOTICE, BusPolicy
from fare_engine.rules.fare_rounding import Medium

FEEDS = Path(__file__).parent / "feeds"
DAY = date(2026, 4, 1)


def of(feed: str) -> Imported:
    return imported(read_feed(FEEDS / feed))


@pytest.fixture(scope="module")
def tariffs() -> Tariffs:
    """The delivered tables with both feeds."""
    network, fares = merged(network_tables(), fare_tables(), of("rail"))
    network, fares = merged(network, fares, of("bus"))
    return Tariffs(Network(network), fares)


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
    assert any("みどり野中央" in problem and "複数" in problem for problem in of("rail").problems)
    with pytest.raises(NoFareBetween):
        priced(tariffs, "みどり野中央:みどり野線:みどり野")


def test_fares_hold_from_the_first_to_the_last_day_of_the_feed(tariffs: Tariffs) -> None:
    route = parse_route(tariffs.network, "立川:みどり野線:みどり野")
    for day in (date(2026, 3, 14), date(2027, 3, 13)):
        assert price(route, Terms(day), (), tariffs).through_yen == 240
    for day in (date(2026, 3, 13), date(2027, 3, 14)):
        with pytest.raises(NoTariffOnDate):
            price(route, Terms(day), (), tariffs)


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


def test_a_pattern_that_returns_is_cut_and_reported() -> None:
    feed = of("bus")
    assert any("二度停まる" in problem for problem in feed.problems)
    rows = [row.station for row in feed.network.intervals if row.line == "10"]
    assert rows == ["立川駅北口", "市役所前", "けやき団地"]


def test_the_search_goes_over_imported_lines(tariffs: Tariffs) -> None:
    for order in Order:
        best = candidates(SearchRequest("三鷹", "みどり野", DAY, order=order), tariffs)[0]
        assert str(best.route) == "三鷹:JR東日本/中央線:立川:みどり野鉄道/みどり野線:みどり野"
        assert best.through_yen == 253 + 240


def test_a_second_import_replaces_the_first() -> None:
    once = merged(network_tables(), fare_tables(), of("rail"))
    assert merged(*once, of("rail")) == once


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
        imported(read_feed(broken(tmp_path, file, change)))


def test_foreign_money_and_zones_passed_are_left_out_and_reported(tmp_path: Path) -> None:
    folder = broken(
        tmp_path, "fare_attributes.txt", lambda text: text.replace("C,240,JPY", "C,2,USD")
    )
    rules = (folder / "fare_rules.txt").read_text().splitlines()
    rules = [f"{line}," for line in rules]
    rules[0], rules[1] = f"{rules[0]}contains_id", f"{rules[1]}S3"
    (folder / "fare_rules.txt").write_text("\n".join(rules))
    feed = imported(read_feed(folder))
    assert any("USD" in problem for problem in feed.problems)
    assert any("contains_id" in problem for problem in feed.problems)
    assert {row.ic_yen for row in feed.fares.special_fares} == {160, 200}
