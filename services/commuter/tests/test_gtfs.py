"""Feeds in the format of GTFS-JP become stations, lines and fares."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from shutil import copytree, make_archive

import pytest
from typer.testing import CliRunner

from commuter_service.adapters.network_store import newest, tariffs_of
from commuter_service.engine.fares.explanation import Explanation, PassUse
from commuter_service.engine.fares.pricing import Terms, price
from commuter_service.engine.fares.tariffs import NoFareBetween, NoTariffOnDate, Tariffs
from commuter_service.engine.gtfs.feed import FeedUnreadable, Imported, imported, merged, read_feed
from commuter_service.engine.network.network import Network
from commuter_service.engine.network.tables import fare_tables, network_tables
from commuter_service.engine.routing.candidates import Order, SearchRequest, candidates
from commuter_service.engine.routing.route_text import parse_pass, parse_route
from commuter_service.rules.bus_policy import BUS_NOTICE, BusPolicy
from commuter_service.rules.fare_rounding import Medium
from madoguchi.cli.main import main
from shared.db import Database

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


def test_two_fares_for_one_pair_are_told_and_neither_is_taken(tariffs: Tariffs) -> None:
    assert any("みどり野中央" in told and "複数" in told for told in of("rail").problems)
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


def test_a_pattern_that_comes_back_is_cut_and_told() -> None:
    told = of("bus")
    assert any("二度停まる" in problem for problem in told.problems)
    rows = [row.station for row in told.network.intervals if row.line == "10"]
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


def test_foreign_money_and_zones_passed_are_left_out_and_told(tmp_path: Path) -> None:
    folder = broken(
        tmp_path, "fare_attributes.txt", lambda text: text.replace("C,240,JPY", "C,2,USD")
    )
    rules = (folder / "fare_rules.txt").read_text().splitlines()
    rules = [f"{line}," for line in rules]
    rules[0], rules[1] = f"{rules[0]}contains_id", f"{rules[1]}S3"
    (folder / "fare_rules.txt").write_text("\n".join(rules))
    told = imported(read_feed(folder))
    assert any("USD" in problem for problem in told.problems)
    assert any("contains_id" in problem for problem in told.problems)
    assert {row.ic_yen for row in told.fares.special_fares} == {160, 200}


async def test_the_command_adds_a_zipped_feed_to_the_edition_in_force(
    new_database: Callable[[str], Awaitable[str]], tmp_path: Path
) -> None:
    url = await new_database("commuter_service")
    feed = make_archive(str(tmp_path / "rail"), "zip", FEEDS / "rail")
    command = ["commuter", "import-gtfs", feed, "--database", url]
    result = await asyncio.to_thread(CliRunner().invoke, main, command)
    assert result.exit_code == 0, result.output
    assert (
        "注意: みどり野中央―みどり野" in result.output
        or "注意: みどり野―みどり野中央" in result.output
    )
    assert "1路線、5区間" in result.output
    database = Database(url)
    async with database.transaction() as tx:
        edition = await newest(tx)
        assert edition
        stored = await tariffs_of(tx, edition)
    await database.close()
    assert priced(stored, "立川:みどり野線:みどり野").through_yen == 240
    assert priced(stored, "三鷹:中央線:東京").through_yen == 440
    wrong = [*command[:2], str(FEEDS / "README.md"), *command[3:]]
    refused = await asyncio.to_thread(CliRunner().invoke, main, wrong)
    assert refused.exit_code == 1
    assert refused.output.startswith("取り込みませんでした: ")
