"""領収書 on the screens, without scripts and in a real Chromium on a phone (R98-R103)."""

import os
import re
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, FilePayload, expect

from portal_service.vendor_assets import copy_vendor_files
from tests.node_assets import node_modules

from .commuter_stack import KEIRI, SATO, SUZUKI, YAMADA, CommuterStack
from .portal_stack import PortalUser
from .test_commuter_screens import expenses
from .test_station_fields_in_a_browser import NARROW, SERIOUS, WIDE, axe, browsing, fits

__all__ = ["axe", "expenses"]

expect.set_options(timeout=30_000)
APART = {"camera", "file", "receipt_id"}
PDF = b"%PDF-1.7\ntrailer\n%%EOF\n"


@pytest.fixture(scope="module", autouse=True)
def third_party_scripts(request: pytest.FixtureRequest) -> None:
    """Htmx and the design tokens, as in package-lock.json."""
    copy_vendor_files(node_modules(request))


def png(width: int = 300, height: int = 400) -> bytes:
    """A picture that browsers show."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4) + name + body + zlib.crc32(name + body).to_bytes(4)

    size = width.to_bytes(4) + height.to_bytes(4) + b"\x08\x02\0\0\0"
    rows = b"".join(b"\0" + bytes([255, 250, 240 - y % 200]) * width for y in range(height))
    parts = (b"IHDR", size), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in parts)


async def begin(user: PortalUser) -> str:
    """A draft with one typed item, and the page of its receipts."""
    await user.visit("/commuter/slips")
    await user.send("/commuter/slips", kind="expense")
    own = user.path.rpartition("/")[2]
    await user.send(own, title="駐車場", do="add")
    item = {"items.0.item_on": "2026/7/9", "items.0.words": "駐車場", "items.0.amount_yen": "800"}
    [item_id] = re.findall(r'name="items.0.item_id" value="([^"]+)"', user.html)
    await user.send(own, do=f"receipts:{item_id}", **item, **{"items.0.payee": "駅前駐車場"})
    assert user.path.endswith(f"/items/{item_id}/receipts")
    return user.path


async def upload(user: PortalUser, *files: bytes, field: str = "file") -> None:
    """Send the form of new receipts as a browser does; an empty field sends an empty file."""
    fields = user.form("/receipts")
    plain = {name: values[0] for name, values in fields.items() if name not in APART}
    other = "camera" if field == "file" else "file"
    sent = [(field, (f"写真{n}.png", one, "image/png")) for n, one in enumerate(files, start=1)]
    empty = (other, ("", b"", "application/octet-stream"))
    reply = await user.browser.http.post(user.path, data=plain, files=[*sent, empty])
    await user._land(reply)


@pytest.mark.rule("R98", "R100")
async def test_receipts_are_added_shown_and_refused_beside_the_field(
    expenses: CommuterStack,
) -> None:
    async with expenses.signed_in(YAMADA) as yamada:
        page = await begin(yamada)
        assert 'capture="environment"' in yamada.html
        await upload(yamada)
        assert "ファイルを選んでください" in yamada.error_for("file")
        await upload(yamada, b"PK\x03\x04")
        assert yamada.status == 422
        assert "この形式は登録できません" in yamada.error_for("file")
        await upload(yamada, bytes(10 * 1024 * 1024 + 1))
        assert "10MBまで" in yamada.error_for("file")
        await upload(yamada, png(), PDF)
        assert "領収書を2件登録しました。" in yamada.text
        await upload(yamada, png(20, 20), b"nothing")
        assert "「写真2.png」" in yamada.error_for("file")
        assert "1件は登録しました" in yamada.error_for("file")
        files = re.findall(r'href="(/commuter/receipts/[^"]+)"', yamada.html)
        picture = await yamada.browser.http.get(files[-1])
        assert picture.content == png()
        assert picture.headers["x-content-type-options"] == "nosniff"
        assert picture.headers["content-security-policy"] == "default-src 'none'; sandbox"
        await yamada.visit(page.partition("/items/")[0])
        assert yamada.html.count('class="receipt-picture"') == 2


@pytest.mark.rule("R61", "R102")
async def test_the_approver_sees_receipts_and_accounting_finds_them(
    expenses: CommuterStack,
) -> None:
    async with expenses.signed_in(YAMADA) as yamada:
        slip = (await begin(yamada)).partition("/items/")[0]
        await upload(yamada, png(), field="camera")
        [address] = set(re.findall(r'href="(/commuter/receipts/[^"]+)"', yamada.html))
        await yamada.visit(slip)
        await yamada.send(slip.rpartition("/")[2], do="step:submit")
        await yamada.send("/submit")
        assert "申請しました。" in yamada.text
    async with expenses.signed_in(SUZUKI) as suzuki:
        assert (await suzuki.browser.http.get(address)).status_code == 404
    async with expenses.signed_in(SATO) as sato:
        await sato.visit(slip)
        assert address in sato.html
        assert (await sato.browser.http.get(address)).content == png()
    async with expenses.signed_in(KEIRI) as keiri:
        await keiri.visit("/commuter/receipts?payee=駅前&first=2026/7/1&most_yen=1,000")
        assert address in keiri.html
        await keiri.visit("/commuter/receipts?first=2026/7/10")
        assert "条件に合う領収書はありません" in keiri.text
        await keiri.visit("/commuter/receipts?first=きのう")
        assert keiri.status == 422
        assert "日付" in keiri.error_for("first")


@pytest.fixture
async def filed(expenses: CommuterStack) -> AsyncIterator[str]:
    """The page of the receipts of an item in a draft."""
    async with expenses.signed_in(YAMADA) as yamada:
        yield await begin(yamada)


@pytest.mark.rule("R98", "R100")
@pytest.mark.parametrize("width", [WIDE, NARROW])
async def test_in_a_browser(
    chromium: Browser, expenses: CommuterStack, filed: str, axe: str, width: int
) -> None:
    async with browsing(chromium, expenses, width) as page:
        await page.goto(filed)
        await page.get_by_label("カメラで撮影する").first.set_input_files(
            FilePayload(name="IMG_0001.png", mimeType="image/png", buffer=png())
        )
        await page.get_by_role("button", name="登録").click()
        await expect(page.get_by_text("領収書を1件登録しました。")).to_be_visible()
        shown = page.get_by_role("img", name="領収書 IMG_0001.png")
        assert await shown.evaluate("one => one.decode().then(() => one.naturalWidth)") == 300
        await page.get_by_text("差し替える", exact=True).first.click()
        await page.get_by_label("ファイルを選ぶ").first.set_input_files(
            FilePayload(name="second.pdf", mimeType="application/pdf", buffer=PDF)
        )
        await page.get_by_role("button", name="差し替える").click()
        await expect(page.get_by_text("第2版").first).to_be_visible()
        await page.get_by_text("取り消す", exact=True).first.click()
        await page.evaluate(axe)
        assert await page.evaluate(SERIOUS) == []
        assert await fits(page)
        if folder := os.environ.get("SCREENSHOTS"):
            await page.screenshot(path=Path(folder) / f"receipts-{width}.png", full_page=True)
        await page.get_by_label("取り消す理由").fill("別の明細のもの")
        await page.get_by_role("button", name="取り消す").click()
        await expect(page.get_by_text("取消済み").first).to_be_visible()
        await page.goto(filed.partition("/items/")[0])
        await page.evaluate(axe)
        assert await page.evaluate(SERIOUS) == []
        assert await fits(page)
