"""Backup commands: `madoguchi backup`, `restore` and `events reconcile`, for all databases."""

import asyncio
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit, urlunsplit

import typer
from rich.console import Console

from commuter_service.adapters.receipt_store import (
    FolderStore,
    ReceiptStore,
    ReceiptStoreUnavailable,
    receipt_store_of,
)
from commuter_service.settings import ReceiptStoreSettings
from event_contracts import SUBSCRIPTIONS
from madoguchi.backup import BackupRefused, ToolFailed, back_up, read_manifest
from madoguchi.backup import restore as restore_all
from madoguchi.cli.options import DATA_FOLDER, PREFIX, Data, Prefix, Server
from madoguchi.embedded import postgres
from madoguchi.receipt_files import RestoredReceipts
from madoguchi.reconcile import Finding, reconcile
from madoguchi.services import PACKAGES
from shared.postgres_connection import DatabaseUnavailable
from shared.rabbitmq import Topology

console = Console()
NO_STORE = "Receipts were left out: COMMUTER_RECEIPTS_FOLDER or ..._BUCKET is not set."

backup_command = typer.Typer(add_completion=False)
restore_command = typer.Typer(add_completion=False)


@backup_command.command()
def backup(
    to: Annotated[Path, typer.Option("--to", help="an empty or new folder")],
    data: Data = DATA_FOLDER,
    server: Server = None,
    prefix: Prefix = PREFIX,
) -> None:
    """Dump the databases of all services, consistent at one instant, while the product runs.

    Receipts are copied with them, from the folder or the bucket that COMMUTER_RECEIPTS_... name.
    """

    async def dump() -> None:
        databases = _databases(await _admin(data, server), prefix)
        receipts = await back_up(databases, to, _receipts(data, server))
        if receipts is None:
            console.print(NO_STORE)
            return
        console.print(f"{receipts.copied} receipt file(s) copied.")
        _print_missing(receipts.missing)

    _run(dump())
    console.print(f"Backed up to {to}.")


@restore_command.command()
def restore(  # noqa: PLR0913, PLR0917 - every flag is an argument
    source: Annotated[Path, typer.Option("--from", help="what `backup` wrote")],
    data: Data = DATA_FOLDER,
    server: Server = None,
    prefix: Prefix = PREFIX,
    rabbitmq: Annotated[
        str | None,
        typer.Option(help="amqp://...: its queues are purged (they are newer than the backup)"),
    ] = None,
    event_prefix: Annotated[str, typer.Option(help="as given to `up`")] = "",
) -> None:
    """Fill empty databases from a backup; no service may be running on them."""

    async def load() -> None:
        read_manifest(source)
        admin = await _admin(data, server)
        await _make_missing(admin, prefix, data)
        broker = (rabbitmq, Topology(SUBSCRIPTIONS, prefix=event_prefix)) if rabbitmq else None
        receipts = _receipts(data, server)
        done = await restore_all(source, _databases(admin, prefix), broker, receipts)
        console.print(f"Restored as of {done.taken_at}; {done.sent_again} event(s) are sent again.")
        _print_receipts(done.receipts)
        _print_result(done.findings)

    _run(load())


def _receipts(data: Path, server: str | None) -> ReceiptStore | None:
    """The store that COMMUTER_RECEIPTS_... name, or the all-in-one's; None: there is none."""
    settings = ReceiptStoreSettings(_env_prefix="COMMUTER_")
    if settings.receipts_folder or settings.receipts_bucket:
        return receipt_store_of(settings)
    return FolderStore(data / "receipts") if server is None else None


def _print_receipts(receipts: RestoredReceipts | None) -> None:
    if receipts is None:
        console.print(NO_STORE)
        return
    console.print(f"{receipts.put_back} receipt file(s) put back, {receipts.kept} were there.")
    _print_missing(receipts.missing)
    if receipts.unnamed:
        console.print(
            f"{len(receipts.unnamed)} receipt file(s) were uploaded after the backup and have no"
            " row. The service removes them a day after their upload; copy what you need:"
        )
        _print_keys(receipts.unnamed)


def _print_missing(keys: Sequence[str]) -> None:
    if keys:
        console.print(f"{len(keys)} receipt file(s) are missing or damaged:", style="red")
        _print_keys(keys)


def _print_keys(keys: Sequence[str]) -> None:
    for key in keys:
        console.print(f"  {key}", soft_wrap=True, markup=False, highlight=False)


def compare(data: Path, server: str | None, prefix: str) -> None:
    """List subscribers that are ahead of their publisher or need events deleted from its log."""

    async def look() -> None:
        databases = _databases(await _admin(data, server), prefix)
        _print_result(await reconcile({name: databases[name] for name in SUBSCRIPTIONS}))

    _run(look())


def _print_result(findings: Sequence[Finding]) -> None:
    for finding in findings:
        console.print(str(finding), soft_wrap=True, markup=False, highlight=False)
    if findings:
        console.print(f"{len(findings)} inconsistent stream(s); see docs/backup.md.")
        raise typer.Exit(1)
    console.print("The services are consistent.")


async def _admin(data: Path, server: str | None) -> str:
    if server is not None:
        return server
    return await asyncio.to_thread(_start_embedded, data)


def _start_embedded(data: Path) -> str:
    data.mkdir(parents=True, exist_ok=True)
    return postgres.start_embedded(data.resolve())


def _databases(admin_url: str, prefix: str) -> dict[str, str]:
    """The superuser URL of each service's database, and of the portal's."""
    parts = urlsplit(admin_url)
    return {name: urlunsplit(parts._replace(path=f"/{prefix}{name}")) for name in PACKAGES}


async def _make_missing(admin_url: str, prefix: str, data: Path) -> None:
    """Create the all-in-one's databases; databases with another prefix must exist already."""
    if prefix == PREFIX:
        kept = postgres.Secrets(data / "secrets.json")
        for service in PACKAGES:
            await postgres.make_database(admin_url, service, kept)


def _run(work: Coroutine[object, None, None]) -> None:
    try:
        asyncio.run(work)
    except ReceiptStoreUnavailable:
        console.print("The store of receipts does not answer.", style="red")
        raise typer.Exit(1) from None
    except (BackupRefused, ToolFailed, DatabaseUnavailable) as refused:
        console.print(str(refused), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
