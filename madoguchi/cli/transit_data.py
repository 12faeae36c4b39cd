"""Transit data commands: `madoguchi commuter ...` imports stations, lines and fares."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from commuter_service.actions.network_editions import load_edition
from commuter_service.adapters import network_store
from fare_engine.fares.tariff_checks import FareTableBroken
from fare_engine.fares.tariffs import packaged_tariffs
from fare_engine.gtfs.feed import FeedUnreadable, Imported, imported, merged, read_feed
from fare_engine.network.checks import NetworkTableBroken
from fare_engine.network.network import Network
from fare_engine.network.services import stops_left_out
from fare_engine.network.tables import PACKAGED, fare_tables, network_tables
from madoguchi.cli.events import own_database, print_line
from madoguchi.cli.options import DATA_FOLDER, Data, Url
from shared.clock import SystemClock
from shared.db import Database

commuter = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Network and tariffs of the route search."
)
BROKEN = 1


@commuter.command("load-network")
def load_network(
    tables: Annotated[
        Path | None, typer.Option("--tables", help="a folder of tables; default: the bundled ones")
    ] = None,
    data: Data = DATA_FOLDER,
    database: Url = None,
) -> None:
    """Validate all tables, store them as an edition, and activate it; or change nothing."""
    try:
        edition, is_new = asyncio.run(_load(tables, data, database))
    except (NetworkTableBroken, FareTableBroken) as fault:
        print_line(f"読み込みませんでした: {fault}")
        raise typer.Exit(BROKEN) from None
    left_out = stops_left_out(Network(network_tables(tables or PACKAGED)))
    if left_out:
        print_line(f"注意: 路線データにない停車駅 {len(left_out)}件は、検索に使われません")
    print_line(f"{edition} を{'読み込みました' if is_new else 'もう一度有効にしました'}")


async def _load(tables: Path | None, data: Path, url: str | None) -> tuple[str, bool]:
    folder = tables or PACKAGED
    network, fares = network_tables(folder), fare_tables(folder)
    database = Database(url or await own_database("commuter", data))
    try:
        async with database.transaction() as tx:
            return await load_edition(tx, network, fares, now=SystemClock().now())
    finally:
        await database.close()


@commuter.command("import-gtfs")
def import_gtfs(
    feed: Annotated[Path, typer.Argument(exists=True, help="GTFS-JP, a zip or a folder")],
    data: Data = DATA_FOLDER,
    database: Url = None,
) -> None:
    """Add the operators of a GTFS-JP feed, rail or bus, to the active edition."""
    try:
        addition = imported(read_feed(feed))
        edition = asyncio.run(_add(addition, data, database))
    except (FeedUnreadable, NetworkTableBroken, FareTableBroken) as fault:
        print_line(f"取り込みませんでした: {fault}")
        raise typer.Exit(BROKEN) from None
    for problem in addition.problems:
        print_line(f"注意: {problem}")
    lines = {(row.operator, row.line) for row in addition.network.intervals}
    pairs = len(addition.fares.special_fares)
    print_line(f"{edition}: {len(lines)}路線、{pairs}区間の運賃を取り込みました")


async def _add(addition: Imported, data: Path, url: str | None) -> str:
    database = Database(url or await own_database("commuter", data))
    try:
        async with database.transaction() as tx:
            edition = await network_store.newest(tx)
            base = await network_store.tariffs_of(tx, edition) if edition else packaged_tariffs()
            network, fares = merged(base.network.tables, base.tables, addition)
            now = SystemClock().now()
            return (await load_edition(tx, network, fares, now=now))[0]
    finally:
        await database.close()
