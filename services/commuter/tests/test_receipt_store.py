"""Receipt stores: a folder, and a bucket of a server that speaks S3, behave alike (R101)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from commuter_service.adapters.receipt_store import (
    BucketStore,
    FolderStore,
    ReceiptStore,
    ReceiptStoreUnavailable,
    new_key,
    receipt_store_of,
)
from commuter_service.settings import CommuterSettings
from shared.clock import SystemClock
from shared.testing.s3_server import s3_server

NEEDED = {"database_url": "x", "rabbitmq_url": "x", "issuer": "x", "jwks_url": "x"}


def bucket_at(endpoint: str, **more: object) -> ReceiptStore:
    values = {
        "receipts_bucket": "receipts",
        "receipts_endpoint": endpoint,
        "receipts_access_key": "test",
        "receipts_secret_key": "test-secret",
        **more,
    }
    return receipt_store_of(CommuterSettings.model_validate({**NEEDED, **values}))


@pytest.fixture(scope="module")
async def s3() -> AsyncIterator[str]:
    """A server with an empty bucket."""
    async with s3_server() as url:
        yield url


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path, s3: str) -> ReceiptStore:
    return FolderStore(tmp_path) if request.param == "folder" else bucket_at(s3)


@pytest.mark.rule("R101")
async def test_a_file_is_kept_listed_by_day_and_removed(store: ReceiptStore) -> None:
    now = SystemClock().now()
    key, other = new_key(now), new_key(now - timedelta(days=3))
    large = bytes(range(256)) * 40_000  # 10 MB
    await store.put(key, large)
    await store.put(other, b"x")
    assert await store.get(key) == large
    [listed] = await store.keys_of(now.date())
    assert listed.key == key
    assert abs(listed.written_at - now) < timedelta(minutes=5)
    await store.delete(key)
    assert await store.get(key) is None
    assert await store.keys_of(now.date()) == []
    assert await store.get(other) == b"x"


@pytest.mark.rule("R101")
async def test_a_bucket_that_refuses_or_does_not_answer_is_unavailable(s3: str) -> None:
    missing = bucket_at(s3, receipts_bucket="elsewhere")

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(1)
        writer.close()

    silent = await asyncio.start_server(hold, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    late = bucket_at(f"http://127.0.0.1:{port}", receipts_timeout_s=0.5)
    for store in (missing, late):
        with pytest.raises(ReceiptStoreUnavailable):
            await store.put("2026-01-01/x", b"x")
    silent.close()
    await silent.wait_closed()


def test_the_settings_name_one_store(tmp_path: Path) -> None:
    folder = {"receipts_folder": str(tmp_path)}
    assert receipt_store_of(CommuterSettings.model_validate({**NEEDED, **folder})) == FolderStore(
        tmp_path
    )
    assert isinstance(bucket_at("http://127.0.0.1:9"), BucketStore)
    for wrong in (
        {**folder, "receipts_bucket": "b", "receipts_access_key": "a", "receipts_secret_key": "s"},
        {"receipts_bucket": "b"},
        {"scan_clamd": "/run/clamd.sock", "scan_command": "clamscan -"},
    ):
        with pytest.raises(ValueError, match="COMMUTER_"):
            CommuterSettings.model_validate({**NEEDED, **wrong})
