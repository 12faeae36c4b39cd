"""Deletion of expired receipts: a process that ends in between leaves no row and no file (R130)."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import pytest

from commuter_service.actions.receipts import delete_expired_receipts
from commuter_service.adapters.receipt_store import FolderStore

from ..receipt_files import jpeg  # noqa: TID252 - files for all tests
from .test_receipts import Uploads, typed, uploads

__all__ = ["uploads"]


@dataclass(frozen=True, slots=True)
class KilledBeforeDelete(FolderStore):
    """A folder whose process ends before a file is removed."""

    async def delete(self, key: str) -> None:
        raise asyncio.CancelledError(key)


@pytest.mark.rule("R130")
async def test_a_process_that_ends_between_row_and_file_leaves_neither(uploads: Uploads) -> None:
    for _ in range(2):
        await uploads.added(await uploads.api.slip(typed(800)), jpeg())
    database = uploads.api.database
    late = uploads.api.clock.now() + timedelta(days=12 * 366 + 1)
    with pytest.raises(asyncio.CancelledError):
        await delete_expired_receipts(database, KilledBeforeDelete(uploads.store.folder), late)
    assert (await uploads.api.count("receipt_version"), len(uploads.files())) == (0, 2)
    assert await uploads.api.count("receipt_deletion") == 2
    assert await delete_expired_receipts(database, uploads.store, late + timedelta(hours=1)) == 2
    assert (uploads.files(), await uploads.api.count("receipt_deletion")) == ([], 0)
    assert await delete_expired_receipts(database, uploads.store, late + timedelta(hours=2)) == 0
