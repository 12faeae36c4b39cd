"""Script behaviour in a real Chromium: dialogs, revealed fields, single submission, phone width."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page

from portal_service.vendor_assets import copy_vendor_files
from shared.auth import Principal
from shared.testing.people import SATO, YAMADA
from tests.node_assets import node_modules

from .portal_stack import PortalStack


@pytest.fixture(scope="module", autouse=True)
def third_party_scripts(request: pytest.FixtureRequest) -> None:
    """Htmx and the design tokens, as in package-lock.json."""
    copy_vendor_files(node_modules(request))


@asynccontextmanager
async def browsing(
    chromium: Browser, portal_stack: PortalStack, who: Principal, width: int = 1280
) -> AsyncIterator[Page]:
    """A page of a signed-in person; errors in the browser's console fail the test."""
    complaints: list[str] = []

    def record(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and "status of 4" not in message.text:
            complaints.append(f"{message.text} {message.location}")

    context = await chromium.new_context(
        viewport={"width": width, "height": 900}, locale="ja-JP", base_url=portal_stack.site.portal
    )
    page = await context.new_page()
    page.set_default_timeout(30_000)  # generous for a busy machine
    await page.goto("/auth/login?next=/")
    await page.click(f"button[value='{who.user_id}']")
    await page.wait_for_url("**/")
    page.on("console", record)  # from here on, as the issuer of the tests serves no styles
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    await context.close()
    assert complaints == []


@pytest.mark.rule("D89", "D91", "D93")
async def test_reporting_a_return_with_dialog_and_keyboard(
    chromium: Browser, portal_stack: PortalStack
) -> None:
    async with browsing(chromium, portal_stack, YAMADA) as page:
        await page.goto("/contracts/C1001/return/entry")
        assert not await page.is_visible("#field-unreturned_reason")
        await page.check("text=未返却確定")
        assert await page.is_visible("#field-unreturned_reason")
        assert not await page.is_visible("#field-received_on")
        await page.check("text=返却済み")
        await page.fill("#field-received_on", "2025/7/16")
        await page.click("main button:text-is('確認')")
        await page.wait_for_selector("#wrong-received_on")
        assert await page.input_value("#field-received_on") == "2025/7/16"
        assert await page.evaluate("document.activeElement.closest('.notice-error') !== null")
        await page.fill("#field-received_on", "2025/7/1")
        await page.click("main button:text-is('確認')")
        await page.wait_for_selector("dialog[open]")
        assert await page.evaluate("document.activeElement.textContent") == "戻る"
        await page.keyboard.press("Escape")
        await page.wait_for_selector("dialog", state="detached")
        assert await page.input_value("#field-received_on") == "2025/7/1"
        await page.click("main button:text-is('確認')")
        await page.dblclick("dialog button:text-is('OK')")
        await page.wait_for_url(re.compile(r"/sent$"))
        assert "送信が完了しました" in await page.inner_text("main")


@pytest.mark.rule("D35")
async def test_a_click_on_a_row_selects_it(chromium: Browser, portal_stack: PortalStack) -> None:
    async with browsing(chromium, portal_stack, SATO) as page:
        await page.goto("/contracts?mode=general&final_from=2020/1")
        await page.click("tr:has-text('C1002') td[data-label='ステータス']")
        await page.click("button:text-is('顧客詳細')")
        await page.wait_for_url("**/contracts/C1002")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/contracts?mode=general&final_from=2020/1",
        "/contracts/C1005",
        "/contracts/C1005/result",
        "/contracts/C1005/resplit",
        "/contracts/C1005/return/entry",
        "/contracts/C1005/assignment",
        "/transfers?from_store=S10",
        "/returns",
        "/returns/approvals",
        "/dashboard",
        "/substitutes",
    ],
)
async def test_nothing_overflows_on_a_phone(
    chromium: Browser, portal_stack: PortalStack, path: str
) -> None:
    async with browsing(chromium, portal_stack, SATO, width=360) as page:
        await page.goto(path)
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
        assert await page.locator("h1").count() == 1
