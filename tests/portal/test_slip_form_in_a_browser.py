"""The form of a slip in a real Chromium: what automatic saving shows and clears at once."""

import re

import pytest
from playwright.async_api import Browser, Page, expect

from portal_service.vendor_assets import copy_vendor_files
from tests.node_assets import node_modules

from .commuter_stack import YAMADA, CommuterStack
from .test_commuter_screens import expenses
from .test_station_fields_in_a_browser import NARROW, SERIOUS, WIDE, axe, browsing, fits

__all__ = ["axe", "expenses"]

expect.set_options(timeout=30_000)

W2 = "乗換案内の使用後に、明細の日付が変更されたため、定期区間控除の判定ができませんでした。"


@pytest.fixture(scope="module", autouse=True)
def third_party_scripts(request: pytest.FixtureRequest) -> None:
    """Htmx and the design tokens, as in package-lock.json."""
    copy_vendor_files(node_modules(request))


async def slip_with_a_ride(expenses: CommuterStack, page: Page) -> None:
    """A draft of 山田 with one looked-up ride of 2026/07/09, made without scripts."""
    async with expenses.signed_in(YAMADA) as yamada:
        await yamada.visit("/commuter/slips")
        await yamada.send("/commuter/slips", kind="transport")
        slip, own = yamada.path, yamada.path.rpartition("/")[2]
        await yamada.send(own, title="訪問", do="add")
        item = re.search(r'name="items.0.item_id" value="([^"]+)"', yamada.html)
        assert item
        await yamada.send(own, do=f"look_up:{item[1]}", **{"items.0.item_on": "2026/7/9"})
        await yamada.visit(
            f"{yamada.path}?start=三鷹&end=品川&via=&on=2026/7/9&medium=ic&order=charged"
        )
        best = re.search(r'name="candidate"[^>]* value="([^"]+)"', yamada.html)
        assert best
        await yamada.send("green_yen=", candidate=best[1])
    await page.goto(slip)


@pytest.mark.rule("R41", "R42", "R49")
@pytest.mark.parametrize("width", [WIDE, NARROW])
async def test_automatic_saving_shows_and_clears_the_warning_at_once(
    chromium: Browser, expenses: CommuterStack, axe: str, width: int
) -> None:
    async with browsing(chromium, expenses, width) as page:
        await slip_with_a_ride(expenses, page)
        day = page.get_by_label("日付").first
        note = page.locator("#why-submit")
        await day.fill("2026/1/9")
        await day.press("Tab")
        await expect(page.locator("#auto-saved")).to_contain_text("自動保存しました")
        await expect(page.locator(".item-warning").first).to_contain_text(W2)
        await expect(note).to_contain_text("警告のある明細が1件あります。")
        assert await fits(page)
        await page.evaluate(axe)
        assert await page.evaluate(SERIOUS) == []
        await day.fill("2026/7/9")
        await day.press("Tab")
        await expect(page.locator(".item-warning")).to_have_count(0)
        await expect(note).not_to_contain_text("警告")
