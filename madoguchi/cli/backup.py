"""Backup commands: `madoguchi backup`, `restore` and `events reconcile`, for all databases."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit, urlunsplit

import typer

from madoguchi.cli.failures import ExitCode
from madoguchi.cli.options import DATA_FOLDER, PREFIX, Folder, Prefix, Server, single
from madoguchi.cli.output import print_json, print_line
from madoguchi.packages import PACKAGES

if TYPE_CHECKING:
    from commuter_service.adapters.receipt_store import ReceiptStore
    from madoguchi.receipt_files import RestoredReceipts
    from madoguchi.reconcile import Finding
    from shared.event_chain import ChainCheck

NO_STORE = "Receipts were left out: COMMUTER_RECEIPTS_FOLDER or ..._BUCKET is not set."

backup_command = single()
restore_command = single()


@backup_command.command()
def backup(
    to: Annotated[Path, typer.Option("--to", help="an empty or new folder")],
    data: Folder = DATA_FOLDER,
    server: Server = None,
    prefix: Prefix = PREFIX,
) -> None:
    """Dump the databases of all services, consistent at one instant, while the product runs.

    Receipts are copied with them, from the folder or the bucket that COMMUTER_RECEIPTS_... name.
    """

    async def dump() -> None:
        from madoguchi.backup import back_up

        databases = _databases(await _admin(data, server), prefix)
        receipts = await back_up(databases, to, _receipts(data, server))
        if receipts is None:
            print_line(NO_STORE)
            return
        print_line(f"{receipts.copied} receipt file(s) copied.")
        _print_missing(receipts.missing)

    _run(dump())
    print_line(f"Backed up to {to}.")


@restore_command.command()
def restore(  # noqa: PLR0913, PLR0917 - every flag is an argument
    source: Annotated[Path, typer.Option("--from", help="what `backup` wrote")],
    data: Folder = DATA_FOLDER,
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
        from event_contracts import SUBSCRIPTIONS
        from madoguchi.backup import read_manifest
        from madoguchi.backup import restore as restore_all
        from shared.rabbitmq import Topology

        read_manifest(source)
        admin = await _admin(data, server)
        await _make_missing(admin, prefix, data)
        broker = (rabbitmq, Topology(SUBSCRIPTIONS, prefix=event_prefix)) if rabbitmq else None
        receipts = _receipts(data, server)
        done = await restore_all(source, _databases(admin, prefix), broker, receipts)
        print_line(f"Restored as of {done.taken_at}; {done.sent_again} event(s) are sent again.")
        _print_receipts(done.receipts)
        _print_result(done.findings)

    _run(load())


def _receipts(data: Path, server: str | None) -> ReceiptStore | None:
    """The store that COMMUTER_RECEIPTS_... name, or the all-in-one's; None: there is none."""
    from commuter_service.adapters.receipt_store import FolderStore, receipt_store_of
    from commuter_service.settings import ReceiptStoreSettings

    settings = ReceiptStoreSettings(_env_prefix="COMMUTER_")
    if settings.receipts_folder or settings.receipts_bucket:
        return receipt_store_of(settings)
    return FolderStore(data / "receipts") if server is None else None


def _print_receipts(receipts: RestoredReceipts | None) -> None:
    if receipts is None:
        print_line(NO_STORE)
        return
    print_line(f"{receipts.put_back} receipt file(s) put back, {receipts.kept} were there.")
    _print_missing(receipts.missing)
    if receipts.unnamed:
        print_line(
            f"{len(receipts.unnamed)} receipt file(s) were uploaded after the backup and have no"
            " row. The service removes them a day after their upload; copy what you need:"
        )
        _print_keys(receipts.unnamed)


def _print_missing(keys: Sequence[str]) -> None:
    if keys:
        print_line(f"{len(keys)} receipt file(s) are missing or damaged:")
        _print_keys(keys)


def _print_keys(keys: Sequence[str]) -> None:
    for key in keys:
        print_line(f"  {key}")


def compare(data: Path, server: str | None, prefix: str, *, as_json: bool = False) -> None:
    """List subscribers that are ahead of their publisher or need events deleted from its log."""

    async def look() -> None:
        from event_contracts import SUBSCRIPTIONS
        from madoguchi.reconcile import reconcile, verify_logs

        databases = _databases(await _admin(data, server), prefix)
        services = {name: databases[name] for name in SUBSCRIPTIONS}
        logs, found = await verify_logs(services), await reconcile(services)
        broken = sum(len(log.breaks) for log in logs.values())
        if as_json:
            print_json({"logs": logs, "streams": found})
            raise typer.Exit(ExitCode.REFUSED if found or broken else ExitCode.DONE)
        _print_logs(logs)
        if broken:
            print_line(f"{broken} event(s) are not what was written; see docs/runbook.md.")
        _print_result(found)
        if broken:
            raise typer.Exit(ExitCode.REFUSED)

    _run(look())


def _print_logs(checks: Mapping[str, ChainCheck]) -> None:
    """One line for each log, and one for each break of its chain."""
    for service, check in checks.items():
        counts = f"{check.events:,} events, {check.linked:,} linked, {check.erased:,} erased"
        print_line(f"{service}: {counts}, head {check.head[:16]}")
        for broken in check.breaks:
            print_line(f"    {broken}")


def _print_result(findings: Sequence[Finding]) -> None:
    for finding in findings:
        print_line(str(finding))
    if findings:
        print_line(f"{len(findings)} inconsistent stream(s); see docs/backup.md.")
        raise typer.Exit(1)
    print_line("The services are consistent.")


async def _admin(data: Path, server: str | None) -> str:
    if server is not None:
        return server
    return await asyncio.to_thread(_start_embedded, data)


def _start_embedded(data: Path) -> str:
    from madoguchi.embedded import postgres

    data.mkdir(parents=True, exist_ok=True)
    return postgres.start_embedded(data.resolve())


def _databases(admin_url: str, prefix: str) -> dict[str, str]:
    """The superuser URL of each service's database, and of the portal's."""
    parts = urlsplit(admin_url)
    return {name: urlunsplit(parts._replace(path=f"/{prefix}{name}")) for name in PACKAGES}


async def _make_missing(admin_url: str, prefix: str, data: Path) -> None:
    """Create the all-in-one's databases; databases with another prefix must exist already."""
    from madoguchi.embedded import postgres

    if prefix == PREFIX:
        kept = postgres.Secrets(data / "secrets.json")
        for service in PACKAGES:
            await postgres.make_database(admin_url, service, kept)


def _run(work: Coroutine[object, None, None]) -> None:
    from commuter_service.adapters.receipt_store import ReceiptStoreUnavailable
    from madoguchi.backup import BackupRefused, ToolFailed

    try:
        asyncio.run(work)
    except ReceiptStoreUnavailable:
        typer.echo("The store of receipts does not answer.", err=True)
        raise typer.Exit(1) from None
    except (BackupRefused, ToolFailed) as refused:
        typer.echo(" ".join(str(refused).split()), err=True)
        raise typer.Exit(1) from None
