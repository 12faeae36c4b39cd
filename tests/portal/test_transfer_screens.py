"""総合振込 on the screens, without scripts and in a real Chromium (R104-R106)."""

import os
from pathlib import Path

import pytest
from playwright.async_api import Browser

from portal_service.vendor_assets import copy_vendor_files
from tests.node_assets import node_modules

from .commuter_stack import KEIRI, SUZUKI, YAMADA, CommuterStack
from .portal_stack import PortalUser
from .test_commuter_screens import expenses
from .test_slip_desk_screens import approve, file_slip
from .test_station_fields_in_a_browser import NARROW, SERIOUS, WIDE, axe, browsing, fits

__all__ = ["axe", "expenses"]

PAYER = {
    "enabled": "yes", "client_code": "12345", "client": "カ）マドグチ", "bank_code": "0001",
    "bank": "ミズホ", "branch_code": "005", "branch": "マルノウチ", "account_type": "2",
    "number": "7654321",
}  # fmt: skip
ACCOUNT = {
    "bank_code": "0009", "branch_code": "123", "account_type": "1", "number": "34567",
    "holder": "ヤマダ タロウ",
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def third_party_scripts(request: pytest.FixtureRequest) -> None:
    """Htmx and the design tokens, as in package-lock.json."""
    copy_vendor_files(node_modules(request))


async def settle_one(expenses: CommuterStack) -> None:
    async with expenses.signed_in(YAMADA) as yamada:
        slip = await file_slip(yamada, "客先訪問", "2026/7/9", "1,200")
    async with expenses.signed_in(SUZUKI) as suzuki:
        other = await file_slip(suzuki, "客先訪問", "2026/7/9", "700")
    await approve(expenses, slip, other)
    async with expenses.signed_in(KEIRI) as keiri:
        for one in (slip, other):
            await keiri.visit(f"{one}/settle")
            await keiri.send("/settle")


async def switch_on(keiri: PortalUser) -> None:
    await keiri.visit("/commuter/transfers/settings")
    await keiri.send("/settings", **{**PAYER, "client": "髙橋自動車"})
    assert "髙" in keiri.error_for("client")
    await keiri.send("/settings", **PAYER)
    assert "総合振込の設定を保存しました。" in keiri.text


@pytest.mark.rule("R104", "R106")
async def test_accounting_pays_by_a_transfer_file(expenses: CommuterStack) -> None:
    async with expenses.signed_in(YAMADA) as yamada:
        await yamada.visit("/commuter/my-account")
        assert "口座への振込を利用していません" in yamada.text
    await settle_one(expenses)
    async with expenses.signed_in(KEIRI) as keiri:
        await switch_on(keiri)
    async with expenses.signed_in(YAMADA) as yamada:
        await yamada.visit("/commuter/my-account")
        await yamada.send("/my-account", **{**ACCOUNT, "holder": "山田 太郎", "number": "x"})
        assert "カタカナで入力してください" in yamada.error_for("holder")
        assert "7桁まで" in yamada.error_for("number")
        assert yamada.form("/my-account")["holder"] == ["山田 太郎"]
        await yamada.send("/my-account", **ACCOUNT)
        assert "****567" in yamada.text
        assert "34567" not in yamada.html
    async with expenses.signed_in(KEIRI) as keiri:
        await keiri.visit("/commuter/transfers")
        assert "次の社員の立替金は振込データに入りません： 鈴木 花子 （700円）" in keiri.text
        await keiri.send("/transfers", pay_on="2026/7/11")
        assert "営業日" in keiri.error_for("pay_on")
        await keiri.send("/transfers", pay_on="2026/7/15")
        assert "振込データ1を作りました（1名、1,200円）。" in keiri.text
        [address] = [one for one in keiri.html.split('"') if one.endswith("/zengin.txt")]
        content = (await keiri.browser.http.get(address)).content
        assert content.split(b"\r\n")[2][:19] == b"8000001000000001200"
        await keiri.visit(address.replace("zengin.txt", "cancellation"))
        await keiri.send("/cancellation", comment="口座の変更")
        assert "取り消し済み" in keiri.text


@pytest.mark.parametrize("width", [WIDE, NARROW])
async def test_pages_fit_and_are_accessible(
    chromium: Browser, expenses: CommuterStack, axe: str, width: int
) -> None:
    await settle_one(expenses)
    async with expenses.signed_in(KEIRI) as keiri:
        await switch_on(keiri)
    async with expenses.signed_in(YAMADA) as yamada:
        await yamada.visit("/commuter/my-account")
        await yamada.send("/my-account", **ACCOUNT)
    async with browsing(chromium, expenses, width, who=KEIRI) as page:
        for name in ("transfers", "transfers/settings", "bank-accounts", "my-account", "receipts"):
            await page.goto(f"/commuter/{name}")
            await page.evaluate(axe)
            assert await page.evaluate(SERIOUS) == [], name
            assert await fits(page), name
            if folder := os.environ.get("SCREENSHOTS"):
                picture = f"{name.replace('/', '-')}-{width}.png"
                await page.screenshot(path=Path(folder) / picture, full_page=True)
