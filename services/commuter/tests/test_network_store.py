"""Editions of network and tariffs in the database, loaded by the command."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from shutil import copytree, make_archive

import pytest
from sqlalchemy import Table, func, select
from typer.testing import CliRunner

from commuter_service.actions.network_editions import load_edition
from commuter_service.adapters import network_store
from fare_engine.data_tables import (
    PACKAGED,
    StationDates,
    edition_of,
    fare_tables,
    network_tables,
)
from fare_engine.fares.pricing import Terms, price
from fare_engine.fares.tariffs import Tariffs, packaged_tariffs
from fare_engine.network.checks import NetworkTableBroken
from fare_engine.routing.route_text import parse_route
from madoguchi.cli.main import main
from shared.db import Database

FEEDS = Path(__file__).parents[3] / "fare-engine/tests/feeds"
NOON = datetime(2026, 4, 1, 3, tzinfo=UTC)
NewDatabase = Callable[[str], Awaitable[str]]


async def rows(database: Database, name: str) -> int:
    async with database.transaction() as tx:
        return (await tx.execute(select(func.count()).select_from(table_of(name)))).scalar_one()


async def in_force(database: Database) -> Tariffs:
    async with database.transaction() as tx:
        return await network_store.tariffs_in_force(tx)


def table_of(name: str) -> Table:
    return network_store.METADATA.tables[f"network_{name}"]


async def test_what_is_stored_is_what_is_read(new_database: NewDatabase) -> None:
    database = Database(await new_database("commuter_service"))
    network, fares = network_tables(), fare_tables()
    async with database.transaction() as tx:
        edition, is_new = await load_edition(tx, network, fares, now=NOON)
    assert is_new
    async with database.transaction() as tx:
        again = await network_store.tariffs_of(tx, edition)
    assert (again.network.tables, again.tables) == (network, fares)
    assert again.edition == edition == packaged_tariffs().edition
    await database.close()


async def test_the_edition_loaded_last_is_in_force(new_database: NewDatabase) -> None:
    database = Database(await new_database("commuter_service"))
    network, fares = network_tables(), fare_tables()
    closed = StationDates("JR東日本", "四ツ谷", None, date(2026, 3, 31), "test")
    later = replace(network, station_dates=(*network.station_dates, closed))
    try:
        assert (await in_force(database)).edition == edition_of(network, fares)
        for hour, tables in enumerate((network, later)):
            async with database.transaction() as tx:
                now = NOON + timedelta(hours=hour)
                await load_edition(tx, tables, fares, now=now)
        assert (await in_force(database)).edition == edition_of(later, fares)
        assert (await in_force(database)).network.days_of
        assert await in_force(database) is await in_force(database)
        async with database.transaction() as tx:
            first = await load_edition(tx, network, fares, now=NOON + timedelta(days=1))
        assert first == (edition_of(network, fares), False)
        assert (await in_force(database)).edition == edition_of(network, fares)
        assert await rows(database, "edition") == 2
    finally:
        await database.close()


async def test_broken_tables_write_nothing(new_database: NewDatabase) -> None:
    database = Database(await new_database("commuter_service"))
    network = network_tables()
    short = replace(network, intervals=network.intervals[1:])
    with pytest.raises(NetworkTableBroken):
        async with database.transaction() as tx:
            await load_edition(tx, short, fare_tables(), now=NOON)
    assert await rows(database, "edition") == 0
    await database.close()


async def test_the_command_loads_the_delivered_tables_or_a_folder(
    new_database: NewDatabase, tmp_path: Path
) -> None:
    url = await new_database("commuter_service")
    command = ["commuter", "load-network", "--database", url]
    output = await run(command)
    assert output == (0, f"{packaged_tariffs().edition} を読み込みました\n")
    assert (await run(command))[1].endswith("もう一度有効にしました\n")
    folder = tmp_path / "tables"
    copytree(str(PACKAGED), folder)
    with (folder / "service_stops.csv").open("a", encoding="utf-8") as stops:
        stops.write("1,99,東京メトロ,銀座線,銀座線,渋谷西,360\n")
    code, said = await run([*command, "--tables", str(folder)])
    assert code == 0
    assert said.startswith("注意: 路線データにない停車駅 1件は、検索に使われません\n")
    intervals = (folder / "intervals.csv").read_text().splitlines(keepends=True)
    (folder / "intervals.csv").write_text("".join(intervals[:3] + intervals[4:]))
    code, said = await run([*command, "--tables", str(folder)])
    assert code == 1
    assert said.startswith("読み込みませんでした: ")
    database = Database(url)
    assert await rows(database, "edition") == 2
    await database.close()


async def test_the_command_adds_a_zipped_feed_to_the_edition_in_force(
    new_database: NewDatabase, tmp_path: Path
) -> None:
    url = await new_database("commuter_service")
    feed = make_archive(str(tmp_path / "rail"), "zip", FEEDS / "rail")
    command = ["commuter", "import-gtfs", feed, "--database", url]
    code, said = await run(command)
    assert code == 0, said
    assert said.splitlines()[:2] == [
        "データ: みどり野鉄道(2026/03/14から)",
        "みどり野鉄道: 1路線、4停留所、5区間の運賃",
    ]
    assert "注意: fare_rules.txt: 普通: 運賃が複数ある区間は" in said
    assert said.endswith(" を有効にしました\n")
    stored = await newest_of(url)
    for text, yen in (("立川:みどり野線:みどり野", 240), ("三鷹:中央線:東京", 440)):
        route = parse_route(stored.network, text)
        assert price(route, Terms(date(2026, 4, 1)), (), stored).through_yen == yen


async def test_a_feed_that_is_none_is_refused_and_nothing_is_written(
    new_database: NewDatabase,
) -> None:
    url = await new_database("commuter_service")
    wrong = str(FEEDS / "README.md")
    code, said = await run(["commuter", "import-gtfs", wrong, "--database", url])
    assert code == 1
    assert said.startswith("取り込みませんでした: GTFSを読み込めません: README.md")
    database = Database(url)
    assert await rows(database, "edition") == 0
    await database.close()


@pytest.mark.rule("R38")
async def test_a_second_feed_keeps_the_fares_of_the_days_before(
    new_database: NewDatabase, tmp_path: Path
) -> None:
    url = await new_database("commuter_service")
    later = copytree(FEEDS / "rail", tmp_path / "later")
    for file, old, new in (
        ("feed_info.txt", "20260314,20270313", "20261001,20270930"),
        ("fare_attributes.txt", "C,240", "C,260"),
    ):
        text = (later / file).read_text(encoding="utf-8").replace(old, new)
        (later / file).write_text(text, encoding="utf-8")
    for folder in (FEEDS / "rail", later):
        code, said = await run(["commuter", "import-gtfs", str(folder), "--database", url])
        assert code == 0, said
    stored = await newest_of(url)
    route = parse_route(stored.network, "立川:みどり野線:みどり野")
    for on, yen in ((date(2026, 9, 30), 240), (date(2026, 10, 1), 260)):
        assert price(route, Terms(on), (), stored).through_yen == yen


async def newest_of(url: str) -> Tariffs:
    database = Database(url)
    async with database.transaction() as tx:
        edition = await network_store.newest(tx)
        assert edition
        stored = await network_store.tariffs_of(tx, edition)
    await database.close()
    return stored


async def run(command: list[str]) -> tuple[int, str]:
    """The command has an event loop of its own, so it runs in a thread."""
    result = await asyncio.to_thread(CliRunner().invoke, main, command)
    return result.exit_code, result.stdout
