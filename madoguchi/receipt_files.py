"""Receipt files of a backup: copied after the databases' snapshots, and put back after a restore.

A file is in the store before its row is written and is never changed, so that every file of a
snapshot can be copied later; only the deletion after the years of retention may come in between.
"""

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from commuter_service.adapters.receipt_store import FolderStore, ReceiptStore
from shared.postgres_connection import connect

FOLDER = "receipts"
PORTION = 1000
NAMED = "SELECT key, sha256 FROM receipt_version ORDER BY key"
HAS_RECEIPTS = "SELECT to_regclass('receipt_version') IS NOT NULL"


@dataclass(frozen=True, slots=True)
class BackedUpReceipts:
    """How many files were copied, and those that the database names and the store lacks."""

    copied: int
    missing: Sequence[str]


@dataclass(frozen=True, slots=True)
class RestoredReceipts:
    """Files put back, files that were there, files that are lost, and files without a row.

    `unnamed` were uploaded after the backup; the service removes them a day after their upload.
    """

    put_back: int
    kept: int
    missing: Sequence[str]
    unnamed: Sequence[str]


async def back_up_receipts(
    url: str, snapshot: str, store: ReceiptStore, folder: Path
) -> BackedUpReceipts:
    """Copy every file that a snapshot of the commuter database names."""
    target, copied, missing = FolderStore(folder / FOLDER), 0, []
    target.folder.mkdir(mode=0o700)
    async for key, sha256 in _named(url, snapshot):
        content = await store.get(key)
        if content is None or _hash(content) != sha256:
            missing.append(key)
            continue
        await target.put(key, content)
        copied += 1
    return BackedUpReceipts(copied, missing)


async def restore_receipts(
    url: str, store: ReceiptStore, folder: Path, taken_at: datetime, now: datetime
) -> RestoredReceipts:
    """Put back what the restored rows name and the store lacks."""
    source, put_back, kept = FolderStore(folder / FOLDER), 0, 0
    missing, newer = [], {key async for key in _keys_since(store, taken_at, now)}
    async for key, sha256 in _named(url):
        newer.discard(key)
        found = await store.get(key)
        if found is not None and _hash(found) == sha256:
            kept += 1
            continue
        content = await source.get(key)
        if content is None or _hash(content) != sha256:
            missing.append(key)
            continue
        await store.put(key, content)
        put_back += 1
    return RestoredReceipts(put_back, kept, missing, sorted(newer))


async def _named(url: str, snapshot: str | None = None) -> AsyncIterator[tuple[str, str]]:
    """Key and hash of every version; nothing where the database is from before receipts."""
    connection: asyncpg.Connection = await connect(url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            if snapshot is not None:
                await connection.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
            if await connection.fetchval(HAS_RECEIPTS):
                async for row in connection.cursor(NAMED, prefetch=PORTION):
                    yield row["key"], row["sha256"]
    finally:
        await connection.close()


async def _keys_since(store: ReceiptStore, taken_at: datetime, now: datetime) -> AsyncIterator[str]:
    since = taken_at.replace(microsecond=0)  # a bucket tells whole seconds
    day = since.astimezone(UTC).date()
    while day <= now.astimezone(UTC).date():
        for one in await store.keys_of(day):
            if one.written_at >= since:
                yield one.key
        day += timedelta(days=1)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
