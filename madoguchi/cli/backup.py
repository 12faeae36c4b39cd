"""Backup commands: `madoguchi backup`, `restore` and `events reconcile`, for all databases."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit, urlunsplit

import typer
from rich.console import Console

from event_contracts import SUBSCRIPTIONS
from madoguchi.backup import BackupRefused, ToolFailed, back_up, read_manifest
from madoguchi.backup import restore as restore_all
from madoguchi.cli.options import DATA_FOLDER, PREFIX, Data, Prefix, Server
from madoguchi.embedded import postgres
from madoguchi.reconcile import Finding, reconcile, verify_logs
from madoguchi.services import PACKAGES
from shared.event_chain import ChainCheck
from shared.postgres_connection import DatabaseUnavailable
from shared.rabbitmq import Topology

console = Console()

backup_command = typer.Typer(add_completion=False)
restore_command = typer.Typer(add_completion=False)


@backup_command.command()
def backup(
    to: Annotated[Path, typer.Option("--to", help="an empty or new folder")],
    data: Data = DATA_FOLDER,
    server: Server = None,
    prefix: Prefix = PREFIX,
) -> None:
    """Dump the databases of all services, consistent at one instant, while the product runs."""

    async def dump() -> None:
        await back_up(_databases(await _admin(data, server), prefix), to)

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
        done = await restore_all(source, _databases(admin, prefix), broker)
        console.print(f"Restored as of {done.taken_at}; {done.sent_again} event(s) are sent again.")
        _print_result(done.findings)

    _run(load())


def compare(data: Path, server: str | None, prefix: str) -> None:
    """List subscribers that are ahead of their publisher or need events deleted from its log."""

    async def look() -> None:
        databases = _databases(await _admin(data, server), prefix)
        services = {name: databases[name] for name in SUBSCRIPTIONS}
        broken = _print_logs(await verify_logs(services))
        _print_result(await reconcile(services))
        if broken:
            raise typer.Exit(1)

    _run(look())


def _print_line(line: str) -> None:
    console.print(line, soft_wrap=True, markup=False, highlight=False)


def _print_logs(checks: Mapping[str, ChainCheck]) -> bool:
    """One line for each log, and one for each break of its chain; whether there was one."""
    for service, check in checks.items():
        counts = f"{check.events:,} events, {check.linked:,} linked, {check.erased:,} erased"
        _print_line(f"{service}: {counts}, head {check.head[:16]}")
        for broken in check.breaks:
            _print_line(f"    {broken}")
    count = sum(len(check.breaks) for check in checks.values())
    if count:
        _print_line(f"{count} event(s) are not what was written; see docs/runbook.md.")
    return count > 0


def _print_result(findings: Sequence[Finding]) -> None:
    for finding in findings:
        _print_line(str(finding))
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
    except (BackupRefused, ToolFailed, DatabaseUnavailable) as refused:
        console.print(str(refused), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
