"""Receipts of slip items: uploaded, replaced, cancelled, found again, and never lost (R98-R103)."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pypdf import PdfReader
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from commuter_service.actions.receipts import delete_expired_receipts, delete_unused_files
from commuter_service.adapters.receipt_store import (
    FolderStore,
    ReceiptStoreUnavailable,
    StoredKey,
    new_key,
)
from shared.clock import SystemClock
from shared.db import EVERY_DEALER

from ..receipt_files import heic, jpeg, pdf, png  # noqa: TID252 - files for all tests
from .conftest import (
    ADMIN,
    CHIEF,
    HANAKO,
    HEAD,
    OTHER_ADMIN,
    STRANGER,
    TARO,
    CommuterApi,
    line,
    refused,
)

Serve = Callable[..., AbstractAsyncContextManager[CommuterApi]]


def typed(yen: int, **more: Any) -> dict[str, Any]:
    return {"item_on": "2022/07/11", "words": "駐車場", "amount_yen": yen, **more}


@dataclass
class Uploads:
    """The service with a store, and what its people upload."""

    api: CommuterApi
    store: FolderStore

    async def send(
        self, who: Any, slip: Any, content: bytes, *, path: str | None = None, **more: Any
    ) -> httpx.Response:
        """An upload to the first item, or to another path below the slip."""
        place = path or f"items/{slip['items'][0]['item_id']}/receipts"
        headers = {"Content-Type": "application/octet-stream"}
        more.setdefault("params", {"name": "領収書.jpg"})
        return await self.api.request(
            who,
            "POST",
            f"/slips/{slip['slip_id']}/{place}",
            content=content,
            headers=headers,
            version=slip["version"],
            **more,
        )

    async def added(self, slip: Any, content: bytes, who: Any = TARO) -> Any:
        """The slip after an upload that must succeed."""
        answer = await self.send(who, slip, content)
        assert answer.status_code == 201, answer.text
        return await self.api.get(who, f"/slips/{slip['slip_id']}")

    async def file(self, who: Any, receipt: Any, number: int = 1) -> httpx.Response:
        path = f"/receipts/{receipt['receipt_id']}/versions/{number}/file"
        return await self.api.request(who, "GET", path)

    def files(self) -> list[Path]:
        return [one for one in self.store.folder.rglob("*") if one.is_file()]


@pytest.fixture
async def uploads(
    commuter_api: CommuterApi, commuter_api_url: str, serve: Serve, tmp_path: Path
) -> AsyncIterator[Uploads]:
    store = FolderStore(tmp_path / "receipts")
    async with serve(commuter_api_url, receipts=store) as api:
        yield Uploads(api, store)


def only(slip: Any) -> Any:
    [receipt] = slip["items"][0]["receipts"]
    return receipt


@pytest.mark.rule("R100", "R101")
async def test_a_receipt_is_kept_with_hash_time_and_person(uploads: Uploads) -> None:
    slip = await uploads.api.slip(typed(800))
    slip = await uploads.added(slip, jpeg())
    receipt = only(slip)
    assert receipt["versions"] == [
        {
            "number": 1,
            "file_name": "領収書.jpg",
            "media_type": "image/jpeg",
            "size": len(jpeg()),
            "sha256": hashlib.sha256(jpeg()).hexdigest(),
            "stored_at": "2022-07-11T01:00:00Z",
            "stored_by_name": "営業太郎",
            "shown": True,
        }
    ]
    assert slip["items"][0]["receipt"] is True
    assert slip["receipts_yen"] == 800
    assert slip["trail"][-1]["action_japanese"] == "領収書の登録"
    assert (await uploads.file(TARO, receipt)).content == jpeg()


@pytest.mark.rule("R100")
async def test_a_new_version_replaces_and_the_old_one_stays(uploads: Uploads) -> None:
    slip = await uploads.added(await uploads.api.slip(typed(800)), jpeg())
    path = f"receipts/{only(slip)['receipt_id']}/versions"
    assert (await uploads.send(TARO, slip, pdf(), path=path)).status_code == 201
    slip = await uploads.api.get(TARO, f"/slips/{slip['slip_id']}")
    assert [one["media_type"] for one in only(slip)["versions"]] == [
        "image/jpeg", "application/pdf",
    ]  # fmt: skip
    assert (await uploads.file(TARO, only(slip), 1)).content == jpeg()
    assert (await uploads.file(TARO, only(slip), 2)).content == pdf()
    cancel = f"/slips/{slip['slip_id']}/receipts/{only(slip)['receipt_id']}/cancellation"
    answer = await uploads.api.request(TARO, "POST", cancel, {}, version=slip["version"])
    refused(answer, 422, "RECEIPT_REASON_MISSING")
    body = {"reason": "別の明細のもの"}
    await uploads.api.post(TARO, cancel, body, version=slip["version"])
    slip = await uploads.api.get(TARO, f"/slips/{slip['slip_id']}")
    assert (only(slip)["reason"], only(slip)["cancelled_by_name"]) == ("別の明細のもの", "営業太郎")
    assert (await uploads.file(TARO, only(slip), 2)).content == pdf()
    refused(await uploads.send(TARO, slip, png(), path=path), 409, "RECEIPT_CANCELLED")


@pytest.mark.rule("R100")
@pytest.mark.parametrize("change", ["UPDATE receipt_version SET sha256 = 'x'",
                                    "DELETE FROM receipt_version"])  # fmt: skip
async def test_the_database_itself_refuses_to_change_a_version(
    uploads: Uploads, change: str
) -> None:
    await uploads.added(await uploads.api.slip(typed(800)), jpeg())
    with pytest.raises(DBAPIError, match="never changed"):
        await uploads.api.sql(change)
    assert await uploads.api.count("receipt_version") == 1


@pytest.mark.rule("R100")
async def test_the_pdf_lists_the_newest_versions(uploads: Uploads) -> None:
    slip = await uploads.added(await uploads.api.slip(typed(800)), jpeg())
    path = f"/slips/{slip['slip_id']}/print.pdf"
    answer = await uploads.api.request(TARO, "GET", path)
    shown = "".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
    assert "領収書 領収書.jpg（第1版" in shown.replace("\n", "")
    assert hashlib.sha256(jpeg()).hexdigest()[:16] in shown.replace("\n", "")


@pytest.mark.rule("R101")
async def test_the_same_file_sent_again_is_one_receipt(uploads: Uploads) -> None:
    slip = await uploads.api.slip(typed(800))
    first, again = await uploads.send(TARO, slip, jpeg()), await uploads.send(TARO, slip, jpeg())
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert first.headers["etag"] == again.headers["etag"]
    assert len(uploads.files()) == 1


@pytest.mark.rule("R98")
@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "RECEIPT_EMPTY"),
        (b"PK\x03\x04", "RECEIPT_TYPE"),
        (jpeg(10_000, 6_000), "RECEIPT_PIXELS"),
        (bytes(11 * 1024 * 1024), "RECEIPT_TOO_LARGE"),
    ],
)
async def test_a_wrong_file_is_refused_beside_its_field(
    uploads: Uploads, content: bytes, code: str
) -> None:
    slip = await uploads.api.slip(typed(800))
    error = refused(await uploads.send(TARO, slip, content), 422, "FORM_ERRORS")["errors"][0]
    assert (error["field"], error["code"]) == ("file", code)
    assert uploads.files() == []
    kept = await uploads.api.get(TARO, f"/slips/{slip['slip_id']}")
    assert kept["version"] == slip["version"]


@pytest.mark.rule("R103")
@pytest.mark.parametrize(
    ("content", "shown"),
    [(jpeg(), "inline"), (png(), "inline"), (pdf(), "attachment"), (heic(), "attachment")],
)
async def test_a_receipt_is_never_a_page(uploads: Uploads, content: bytes, shown: str) -> None:
    slip = await uploads.added(await uploads.api.slip(typed(800)), content)
    headers = (await uploads.file(TARO, only(slip))).headers
    assert headers["content-disposition"].startswith(shown)
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"


@pytest.mark.rule("R99")
async def test_from_30000_yen_a_slip_needs_a_receipt_or_a_reason(uploads: Uploads) -> None:
    reason = {"no_invoice_reason": "海外の事業者"}
    slip = await uploads.api.slip(typed(30_000, **reason))
    path = f"/slips/{slip['slip_id']}/submit"
    answer = await uploads.api.request(TARO, "POST", path, {}, version=slip["version"])
    [error] = refused(answer, 422, "FORM_ERRORS")["errors"]
    assert (error["field"], error["code"]) == ("items.0.no_receipt_reason", "RECEIPT_MISSING")
    slip = await uploads.added(slip, jpeg())
    slip = await uploads.api.step(TARO, slip, "submit")
    assert slip["status"] == "pending"
    other = await uploads.api.slip(typed(30_000, **reason, no_receipt_reason="紛失"))
    assert (await uploads.api.step(TARO, other, "submit"))["status"] == "pending"


@pytest.mark.rule("R61", "R100")
async def test_who_sees_a_receipt_and_who_adds_one(uploads: Uploads) -> None:
    slip = await uploads.added(await uploads.api.slip(typed(800)), jpeg())
    receipt = only(slip)
    for who in (HANAKO, CHIEF, ADMIN, STRANGER, OTHER_ADMIN):
        assert (await uploads.file(who, receipt)).status_code == 404, who.name
        assert (await uploads.send(who, slip, png())).status_code == 404, who.name
    slip = await uploads.api.step(TARO, slip, "submit")
    for who, status in ((CHIEF, 200), (HEAD, 200), (ADMIN, 200), (HANAKO, 404), (STRANGER, 404)):
        assert (await uploads.file(who, receipt)).status_code == status, who.name
    refused(await uploads.send(TARO, slip, png()), 409, "SLIP_STEP_NOT_POSSIBLE")


@pytest.mark.rule("R100")
async def test_an_item_that_was_removed_comes_back_with_its_receipts(uploads: Uploads) -> None:
    slip = await uploads.added(await uploads.api.slip(typed(800), typed(300)), jpeg())
    lost, kept = slip["items"]
    slip = await uploads.api.save(TARO, slip, line(kept))
    assert await uploads.api.count("receipt") == 1
    back = {**line(lost), "item_id": None, "restored_id": lost["item_id"]}
    foreign = {**typed(5), "restored_id": kept["item_id"]}
    slip = await uploads.api.save(TARO, slip, back, line(kept), foreign)
    assert [one["versions"][0]["number"] for one in slip["items"][0]["receipts"]] == [1]
    assert len({item["item_id"] for item in slip["items"]}) == 3


@pytest.mark.rule("R102")
async def test_accounting_finds_receipts_by_date_amount_and_payee(uploads: Uploads) -> None:
    for day, yen, payee in (
        ("2022/07/01", 800, "日本駐車場"),
        ("2022/07/09", 1500, "東京タクシー"),
    ):
        slip = await uploads.api.slip(typed(yen, payee=payee) | {"item_on": day})
        slip = await uploads.added(slip, jpeg(yen, 10))
        await uploads.api.step(TARO, slip, "submit")
    await uploads.added(await uploads.api.slip(typed(800)), png())  # a draft stays at home

    async def found(**wanted: Any) -> list[str]:
        page = await uploads.api.get(ADMIN, "/accounting/receipts", params=wanted)
        return [one["payee"] for one in page["items"]]

    assert await found() == ["東京タクシー", "日本駐車場"]
    assert await found(first="2022-07-02", last="2022-07-31") == ["東京タクシー"]
    assert await found(last="2022-07-08") == ["日本駐車場"]
    assert await found(least_yen=801) == ["東京タクシー"]
    assert await found(most_yen=800, payee="駐車") == ["日本駐車場"]
    assert await found(most_yen=800, payee="タクシー") == []
    assert (await uploads.api.get(OTHER_ADMIN, "/accounting/receipts"))["items"] == []


@pytest.mark.rule("R102")
async def test_a_removed_receipt_is_still_found_by_what_it_proved(uploads: Uploads) -> None:
    slip = await uploads.added(await uploads.api.slip(typed(800, payee="駅前駐車場")), jpeg())
    slip = await uploads.api.step(TARO, slip, "submit")
    slip = await uploads.api.step(TARO, slip, "withdraw")
    slip = await uploads.api.save(TARO, slip, typed(5))
    [one] = (await uploads.api.get(ADMIN, "/accounting/receipts"))["items"]
    assert (one["item_on"], one["amount_yen"], one["payee"]) == ("2022-07-11", 800, "駅前駐車場")
    assert one["removed"] is True
    assert (await uploads.file(ADMIN, one["receipt"])).content == jpeg()


@dataclass
class BrokenStore:
    """A store that answers late, or not at all."""

    folder: FolderStore
    fails: bool = True
    kept: dict[str, bytes] = field(default_factory=dict)

    async def put(self, key: str, content: bytes) -> None:
        if self.fails:
            raise ReceiptStoreUnavailable
        await asyncio.sleep(0.3)
        await self.folder.put(key, content)

    async def get(self, key: str) -> bytes | None:
        return await self.folder.get(key)

    async def delete(self, key: str) -> None:
        await self.folder.delete(key)

    async def keys_of(self, day: date) -> Sequence[StoredKey]:
        return await self.folder.keys_of(day)


@pytest.mark.rule("R101")
async def test_a_store_that_fails_leaves_no_row_and_one_that_is_slow_loses_nothing(
    commuter_api: CommuterApi, commuter_api_url: str, serve: Serve, tmp_path: Path
) -> None:
    store = BrokenStore(FolderStore(tmp_path))
    async with serve(commuter_api_url, receipts=store) as api:
        uploads = Uploads(api, store.folder)
        slip = await commuter_api.slip(typed(800))
        refused(await uploads.send(TARO, slip, jpeg()), 503, "RECEIPT_STORE_UNAVAILABLE")
        assert await api.count("receipt") == 0
        store.fails = False
        slow = asyncio.create_task(uploads.send(TARO, slip, jpeg()))
        await asyncio.sleep(0.1)
        assert await api.count("receipt") == 0
        assert (await slow).status_code == 201
        assert await api.count("receipt") == 1


@pytest.mark.rule("R101")
async def test_without_a_store_the_upload_says_so(commuter_api: CommuterApi) -> None:
    slip = await commuter_api.slip(typed(800))
    answer = await Uploads(commuter_api, FolderStore(Path("/nowhere"))).send(TARO, slip, jpeg())
    refused(answer, 409, "RECEIPT_STORE_MISSING")


@pytest.mark.rule("R101")
async def test_a_changed_or_lost_file_is_not_passed_off_as_the_receipt(uploads: Uploads) -> None:
    slip = await uploads.added(await uploads.api.slip(typed(800)), jpeg())
    [path] = uploads.files()
    path.write_bytes(png())
    refused(await uploads.file(TARO, only(slip)), 503, "RECEIPT_DAMAGED")
    path.unlink()
    refused(await uploads.file(TARO, only(slip)), 503, "RECEIPT_DAMAGED")


@pytest.mark.rule("R101")
async def test_files_without_a_row_go_a_day_later_and_those_with_one_stay(
    uploads: Uploads,
) -> None:
    now = SystemClock().now()
    unused, used = new_key(now), new_key(now)
    for key in (unused, used):
        await uploads.store.put(key, jpeg())
    await uploads.added(await uploads.api.slip(typed(800)), jpeg())
    await uploads.api.sql(
        "INSERT INTO receipt_version SELECT receipt_id, 2, dealer_id, file_name, media_type, size,"
        " sha256, :key, stored_at, stored_by, stored_by_name FROM receipt_version",
        key=used,
    )
    database = uploads.api.database
    assert await delete_unused_files(database, uploads.store, now + timedelta(hours=23)) == 0
    assert await delete_unused_files(database, uploads.store, now + timedelta(hours=49)) == 1
    assert await uploads.store.get(unused) is None
    assert await uploads.store.get(used) == jpeg()


@pytest.mark.rule("R101")
async def test_receipts_go_after_the_years_of_retention(uploads: Uploads) -> None:
    await uploads.added(await uploads.api.slip(typed(800)), jpeg())
    now, database = uploads.api.clock.now(), uploads.api.database
    early, late = now + timedelta(days=12 * 365), now + timedelta(days=12 * 366 + 1)
    assert await delete_expired_receipts(database, uploads.store, early) == 0
    assert await delete_expired_receipts(database, uploads.store, late) == 1
    assert uploads.files() == []
    assert await uploads.api.count("receipt") == 0
    async with database.transaction(EVERY_DEALER) as tx:
        actions = (await tx.execute(text("SELECT action FROM trail"))).scalars().all()
    assert "add_receipt" in actions


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
