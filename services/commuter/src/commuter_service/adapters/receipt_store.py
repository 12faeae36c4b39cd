"""Store of receipt files: a folder, or a bucket of an S3-compatible store.

A file is written whole, once, under a new key, and read whole; a key is never written again. What
a store answers to `put` is final: only then does a row name the key (actions/receipts.py). Keys
begin with the day on which they were made, so that files without a row are found by day.

The bucket is reached by obstore (the object_store library of Apache Arrow): signing, retries and
checksums are its own.
"""

import asyncio
import os
import tempfile
from collections.abc import Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from commuter_service.settings import ReceiptStoreSettings
from shared.errors import Kind, Refusal
from shared.trace_context import new_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class ReceiptStoreUnavailable(Refusal):
    """The store does not answer; nothing was kept."""

    code: ClassVar[str] = "RECEIPT_STORE_UNAVAILABLE"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE
    message = "領収書の保存先が応答しません。しばらくしてから、もう一度お試しください"


class ReceiptStoreMissing(Refusal):
    """No store is set."""

    code: ClassVar[str] = "RECEIPT_STORE_MISSING"
    kind: ClassVar[Kind] = Kind.CONFLICT
    message = "領収書の保存先が設定されていません。システム管理者にご連絡ください"


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A file in the store, and when it was written."""

    key: str
    written_at: datetime


class ReceiptStore(Protocol):
    """Where receipts are kept. All raise ReceiptStoreUnavailable."""

    async def put(self, key: str, content: bytes) -> None:
        """Keep a file; it is safe once this returns."""

    async def get(self, key: str) -> bytes | None:
        """A file, or None if it is not there."""

    async def delete(self, key: str) -> None:
        """Remove a file; it may be gone already."""

    async def keys_of(self, day: date) -> Sequence[StoredKey]:
        """The files that were made on a day (UTC)."""


def new_key(now: datetime) -> str:
    """The key of a new file."""
    return f"{now:%Y-%m-%d}/{new_id()}"


class NoStore:
    """Nothing is set: every upload is refused."""

    async def put(self, key: str, content: bytes) -> None:  # noqa: ARG002
        """Raises ReceiptStoreMissing."""
        raise ReceiptStoreMissing

    async def get(self, key: str) -> bytes | None:  # noqa: ARG002
        """Raises ReceiptStoreMissing."""
        raise ReceiptStoreMissing

    async def delete(self, key: str) -> None:
        """Nothing is there."""

    async def keys_of(self, day: date) -> Sequence[StoredKey]:  # noqa: ARG002
        """Nothing is there."""
        return ()


@dataclass(frozen=True, slots=True)
class FolderStore:
    """A folder of this machine; a file is on the disk before `put` returns."""

    folder: Path

    async def put(self, key: str, content: bytes) -> None:
        """Write beside, flush to the disk, then rename."""
        try:
            await asyncio.to_thread(self._write, self.folder / key, content)
        except OSError as cause:
            raise ReceiptStoreUnavailable from cause

    async def get(self, key: str) -> bytes | None:
        """Read it."""
        try:
            return await asyncio.to_thread((self.folder / key).read_bytes)
        except FileNotFoundError:
            return None
        except OSError as cause:
            raise ReceiptStoreUnavailable from cause

    async def delete(self, key: str) -> None:
        """Unlink it."""
        await asyncio.to_thread((self.folder / key).unlink, missing_ok=True)

    async def keys_of(self, day: date) -> Sequence[StoredKey]:
        """The files of the day's folder."""
        return await asyncio.to_thread(self._listed, day)

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(path)
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def _listed(self, day: date) -> Sequence[StoredKey]:
        folder = self.folder / day.isoformat()
        if not folder.is_dir():
            return ()
        return [
            StoredKey(
                f"{day.isoformat()}/{one.name}",
                datetime.fromtimestamp(one.stat().st_mtime).astimezone(),
            )
            for one in folder.iterdir()
        ]


@dataclass(frozen=True, slots=True)
class BucketStore:
    """A bucket; requests that take longer than `timeout_s` in all have failed."""

    bucket: S3Store
    timeout_s: float

    async def put(self, key: str, content: bytes) -> None:
        """One request with the checksum of its body."""
        async with self._answering():
            await obstore.put_async(self.bucket, key, content, use_multipart=False)

    async def get(self, key: str) -> bytes | None:
        """The whole object."""
        async with self._answering():
            try:
                found = await obstore.get_async(self.bucket, key)
                return bytes(await found.bytes_async())
            except (NotFoundError, FileNotFoundError):
                return None

    async def delete(self, key: str) -> None:
        """One request."""
        async with self._answering():
            await obstore.delete_async(self.bucket, key)

    async def keys_of(self, day: date) -> Sequence[StoredKey]:
        """The objects whose keys begin with the day."""
        async with self._answering():
            listed = await obstore.list(self.bucket, day.isoformat()).collect_async()
        return [StoredKey(one["path"], one["last_modified"]) for one in listed]

    @asynccontextmanager
    async def _answering(self) -> "AsyncIterator[None]":
        try:
            async with asyncio.timeout(self.timeout_s):
                yield
        except (BaseError, OSError) as cause:  # a timeout is an OSError, too
            raise ReceiptStoreUnavailable from cause


def receipt_store_of(settings: ReceiptStoreSettings) -> ReceiptStore:
    """The store that the settings name."""
    if settings.receipts_folder:
        return FolderStore(settings.receipts_folder)
    access_key, secret_key = settings.receipts_access_key, settings.receipts_secret_key
    if not settings.receipts_bucket or not access_key or not secret_key:
        return NoStore()
    endpoint = settings.receipts_endpoint
    bucket = S3Store(
        settings.receipts_bucket,
        region=settings.receipts_region,
        access_key_id=access_key.get_secret_value(),
        secret_access_key=secret_key.get_secret_value(),
        checksum_algorithm="SHA256",
        endpoint=endpoint or f"https://s3.{settings.receipts_region}.amazonaws.com",
        client_options={
            "timeout": timedelta(seconds=settings.receipts_timeout_s),
            "allow_http": bool(endpoint and endpoint.startswith("http://")),
        },
        retry_config={
            "max_retries": 2,
            "retry_timeout": timedelta(seconds=settings.receipts_timeout_s),
        },
    )
    return BucketStore(bucket, settings.receipts_timeout_s)
