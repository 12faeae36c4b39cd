"""Receipts in a backup, from a folder and from a bucket: each row finds its file again."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from commuter_service.adapters.receipt_store import (
    FolderStore,
    ReceiptStore,
    new_key,
    receipt_store_of,
)
from commuter_service.settings import ReceiptStoreSettings
from madoguchi.backup import back_up, restore
from madoguchi.receipt_files import BackedUpReceipts
from shared.clock import SystemClock
from shared.testing.databases import TestDatabases, with_database
from shared.testing.s3_server import s3_server

RECEIPT = """
    INSERT INTO receipt (receipt_id, dealer_id, employee_id, slip_id, item_id, newest, payee)
    VALUES (gen_random_uuid(), 'D01', 'D01-E101', gen_random_uuid(), gen_random_uuid(), 1, '')
    RETURNING receipt_id
"""
VERSION = """
    INSERT INTO receipt_version VALUES ($1, 1, 'D01', 'a.jpg', 'image/jpeg', 3, $2, $3, now(), 'E',
                                        'E')
"""


@dataclass
class Product:
    """A commuter database with receipts, an empty one to restore into, and their store."""

    url: str
    empty_url: str
    store: ReceiptStore

    async def add(self, content: bytes) -> str:
        """A receipt with its file."""
        key = new_key(SystemClock().now())
        await self.store.put(key, content)
        connection = await asyncpg.connect(self.url)
        receipt_id = await connection.fetchval(RECEIPT)
        await connection.execute(VERSION, receipt_id, hashlib.sha256(content).hexdigest(), key)
        await connection.close()
        return key


@pytest.fixture(scope="module")
async def s3() -> AsyncIterator[str]:
    async with s3_server() as url:
        yield url


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path, s3: str) -> ReceiptStore:
    if request.param == "folder":
        return FolderStore(tmp_path / "store")
    bucket = {
        "receipts_bucket": "receipts",
        "receipts_endpoint": s3,
        "receipts_access_key": "test",
        "receipts_secret_key": "test-secret",
    }
    return receipt_store_of(ReceiptStoreSettings.model_validate(bucket))


@pytest.fixture
async def product(
    databases: TestDatabases, postgres_url: str, store: ReceiptStore
) -> AsyncIterator[Product]:
    url = databases.superuser_url(await databases.create("commuter_service"))
    name = f"{databases.run}_restored"
    admin = await asyncpg.connect(postgres_url)
    await admin.execute(f"CREATE DATABASE {name} OWNER {databases.role} TEMPLATE template0")
    yield Product(url, with_database(postgres_url, name), store)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.mark.rule("R131")
async def test_receipts_come_back_with_their_rows(product: Product, tmp_path: Path) -> None:
    lost, kept, gone = [await product.add(content) for content in (b"abc", b"def", b"ghi")]
    await product.store.delete(gone)  # while the databases were dumped
    folder = tmp_path / "backup"
    done = await back_up({"commuter": product.url}, folder, product.store)
    assert done == BackedUpReceipts(copied=2, missing=[gone])
    files = [one for one in (folder / "receipts").rglob("*") if one.is_file()]
    assert {one.stat().st_mode & 0o777 for one in files} == {0o600}

    later = new_key(SystemClock().now() + timedelta(seconds=1))
    await product.store.put(later, b"uploaded after the backup")
    await product.store.delete(lost)
    restored = await restore(folder, {"commuter": product.empty_url}, None, product.store)
    assert restored.receipts is not None
    assert (restored.receipts.put_back, restored.receipts.kept) == (1, 1)
    assert restored.receipts.missing == [gone]
    assert list(restored.receipts.unnamed) == [later]
    assert await product.store.get(lost) == b"abc"
    assert await product.store.get(kept) == b"def"


@pytest.mark.rule("R131")
async def test_a_damaged_file_is_replaced_by_that_of_the_backup(
    product: Product, tmp_path: Path
) -> None:
    key = await product.add(b"abc")
    await back_up({"commuter": product.url}, tmp_path / "backup", product.store)
    await product.store.put(key, b"xyz")
    damaged = await back_up({"commuter": product.url}, tmp_path / "second", product.store)
    assert damaged == BackedUpReceipts(copied=0, missing=[key])
    databases = {"commuter": product.empty_url}
    restored = await restore(tmp_path / "backup", databases, None, product.store)
    assert restored.receipts is not None
    assert (restored.receipts.put_back, restored.receipts.missing) == (1, [])
    assert await product.store.get(key) == b"abc"
