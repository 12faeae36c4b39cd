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
    from madoguchi.reconcile import Finding
    from shared.event_chain import ChainCheck

backup_command = single()
restore_command = single()


@backup_command.command()
def backup(
    to: Annotated[Path, typer.Option("--to", help="an empty or new folder")],
    data: Folder = DATA_FOLDER,
    server: Server = None,
    prefix: Prefix = PREFIX,
) -> None:
    """Dump the databases of all services, consistent at one instant, while the product runs."""

    async def dump() -> None:
        from madoguchi.backup import back_up

        await back_up(_databases(await _admin(data, server), prefix), to)

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
        done = await restore_all(source, _databases(admin, prefix), broker)
        print_line(f"Restored as of {done.taken_at}; {done.sent_again} event(s) are sent again.")
        _print_result(done.findings)

    _run(load())


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
    from madoguchi.backup import BackupRefused, ToolFailed

    try:
        asyncio.run(work)
    except (BackupRefused, ToolFailed) as refused:
        typer.echo(" ".join(str(refused).split()), err=True)
        raise typer.Exit(1) from None
