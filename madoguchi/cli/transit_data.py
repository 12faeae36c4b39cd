"""Transit data commands: `madoguchi commuter ...` imports stations, lines and fares."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from madoguchi.cli.databases import opened
from madoguchi.cli.options import Data, Url, group
from madoguchi.cli.output import print_line
from shared.clock import SystemClock

if TYPE_CHECKING:
    from fare_engine.gtfs.editions import Merged
    from fare_engine.gtfs.feed_import import Imported

commuter = group("Network and tariffs of the route search.")
BROKEN = 1


@commuter.command("load-network")
def load_network(
    tables: Annotated[
        Path | None, typer.Option("--tables", help="a folder of tables; default: the bundled ones")
    ] = None,
    data: Data = None,
    database: Url = None,
) -> None:
    """Validate all tables, store them as an edition, and activate it; or change nothing."""
    from fare_engine.data_tables import PACKAGED, network_tables
    from fare_engine.fares.tariff_checks import FareTableBroken
    from fare_engine.network.checks import NetworkTableBroken
    from fare_engine.network.network import Network
    from fare_engine.network.services import stops_left_out

    try:
        edition, is_new = asyncio.run(_load(tables, data, database))
    except (NetworkTableBroken, FareTableBroken) as fault:
        print_line(f"読み込みませんでした: {fault}")
        raise typer.Exit(BROKEN) from None
    left_out = stops_left_out(Network(network_tables(tables or PACKAGED)))
    if left_out:
        print_line(f"注意: 路線データにない停車駅 {len(left_out)}件は、検索に使われません")
    print_line(f"{edition} を{'読み込みました' if is_new else 'もう一度有効にしました'}")


async def _load(tables: Path | None, data: Path | None, url: str | None) -> tuple[str, bool]:
    from commuter_service.actions.network_editions import load_edition
    from fare_engine.data_tables import PACKAGED, fare_tables, network_tables

    folder = tables or PACKAGED
    network, fares = network_tables(folder), fare_tables(folder)
    async with opened("commuter", data, url) as database, database.transaction() as tx:
        return await load_edition(tx, network, fares, now=SystemClock().now())


@commuter.command("import-gtfs")
def import_gtfs(
    feed: Annotated[Path, typer.Argument(exists=True, help="GTFS-JP, a zip or a folder")],
    name: Annotated[
        str, typer.Option("--name", help="tells several feeds of one operator apart")
    ] = "",
    data: Data = None,
    database: Url = None,
) -> None:
    """Add a GTFS-JP feed, rail or bus, to the active edition; or change nothing (exit code 1).

    An earlier import of the feed keeps its days. Prints what was imported and what was left out.
    """
    from fare_engine.fares.tariff_checks import FareTableBroken
    from fare_engine.gtfs.archive import FeedUnreadable
    from fare_engine.gtfs.feed_import import imported
    from fare_engine.gtfs.report import import_report
    from fare_engine.network.checks import NetworkTableBroken

    try:
        addition = imported(feed, name, print_progress)
        edition, result = asyncio.run(_add(addition, data, database))
    except (FeedUnreadable, NetworkTableBroken, FareTableBroken) as fault:
        print_line(f"取り込みませんでした: {fault}")
        raise typer.Exit(BROKEN) from None
    for line in import_report(addition, result):
        print_line(line)
    print_line(f"{edition} を有効にしました")


def print_progress(text: str) -> None:
    """One line of progress on standard error, which a script can drop."""
    typer.echo(text, err=True)


async def _add(addition: Imported, data: Path | None, url: str | None) -> tuple[str, Merged]:
    from commuter_service.actions.network_editions import load_edition
    from commuter_service.adapters import network_store
    from fare_engine.fares.tariffs import packaged_tariffs
    from fare_engine.gtfs.editions import merged

    async with opened("commuter", data, url) as database, database.transaction() as tx:
        edition = await network_store.newest(tx)
        base = await network_store.tariffs_of(tx, edition) if edition else packaged_tariffs()
        result = merged(base.network.tables, base.tables, addition)
        print_progress("データベースに書き込んでいます")
        loaded, _ = await load_edition(tx, result.network, result.fares, now=SystemClock().now())
        return loaded, result
