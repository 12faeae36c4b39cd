"""Accounting's desk and 月次締め in a real Chromium, wide and on a phone."""

import os
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from portal_service.vendor_assets import copy_vendor_files
from tests.node_assets import node_modules

from .commuter_stack import KEIRI, YAMADA, CommuterStack
from .test_commuter_screens import expenses
from .test_slip_desk_screens import approve, file_slip
from .test_station_fields_in_a_browser import NARROW, SERIOUS, WIDE, axe, browsing, fits

__all__ = ["axe", "expenses"]

expect.set_options(timeout=30_000)


@pytest.fixture(scope="module", autouse=True)
def third_party_scripts(request: pytest.FixtureRequest) -> None:
    """Htmx and the design tokens, as in package-lock.json."""
    copy_vendor_files(node_modules(request))


async def looks_right(page: Page, axe: str, name: str, width: int) -> None:
    """The page fits, axe finds nothing serious; SCREENSHOTS names a folder for pictures."""
    await page.evaluate(axe)
    assert await page.evaluate(SERIOUS) == [], name
    assert await fits(page), name
    if folder := os.environ.get("SCREENSHOTS"):
        await page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)


@pytest.mark.rule("R91", "R93")
@pytest.mark.parametrize("width", [WIDE, NARROW])
async def test_accounting_settles_a_filter_and_closes_the_month(
    chromium: Browser, expenses: CommuterStack, axe: str, width: int
) -> None:
    async with expenses.signed_in(YAMADA) as yamada:
        slips = [await file_slip(yamada, f"客先訪問{n}", "2026/6/30", "1,200") for n in range(2)]
        await file_slip(yamada, "下書き", "2026/6/29", "300", submit=False)
    await approve(expenses, *slips)
    async with browsing(chromium, expenses, width, who=KEIRI) as page:
        await page.goto("/commuter/desk?status=approved&month=2026/6")
        await expect(page.get_by_text("客先訪問0")).to_be_visible()
        await looks_right(page, axe, "desk", width)
        await page.get_by_role("button", name="この条件の2件すべてを精算").click()
        await expect(page.get_by_role("dialog")).to_contain_text("2,400円")
        await looks_right(page, axe, "desk-question", width)
        await page.get_by_role("button", name="OK").click()
        await expect(page.get_by_text("2件、合計 2,400円 を精算しました。")).to_be_visible()
        await looks_right(page, axe, "desk-settled", width)
        await page.goto("/commuter/months/2026-06")
        await looks_right(page, axe, "month", width)
        await page.get_by_role("button", name="2026年6月を締める").click()
        await page.get_by_role("button", name="OK").click()
        await expect(page.get_by_text("2026年6月を締めました。")).to_be_visible()
        await looks_right(page, axe, "month-closed", width)
        for name in ("months", "passes"):
            await page.goto(f"/commuter/{name}")
            await looks_right(page, axe, name, width)
