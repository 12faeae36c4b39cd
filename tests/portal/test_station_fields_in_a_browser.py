"""Station fields in a real Chromium: names complete by keyboard and by click, choices resubmit."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Locator, Page, ViewportSize, expect

from shared.auth import Principal
from tests.node_assets import node_modules

from .commuter_stack import YAMADA, CommuterStack
from .test_station_fields import expenses

__all__ = ["expenses"]

NARROW, WIDE = 360, 1280
APPLICATION = "/commuter/my-passes/new"
SERIOUS = """
    async () => (await axe.run(document, {resultTypes: ['violations']})).violations
      .filter(({impact}) => ['serious', 'critical'].includes(impact)).map(({id}) => id)
"""


@pytest.fixture(scope="module")
def axe(request: pytest.FixtureRequest) -> str:
    return (node_modules(request) / "axe-core" / "axe.min.js").read_text()


@asynccontextmanager
async def browsing(
    chromium: Browser,
    expenses: CommuterStack,
    width: int,
    *,
    scripts: bool = True,
    who: Principal = YAMADA,
) -> AsyncIterator[Page]:
    """A person's page, usually 山田太郎's; errors of scripts fail the test."""
    faults: list[str] = []
    context = await chromium.new_context(
        viewport=ViewportSize(width=width, height=800),
        locale="ja-JP",
        base_url=expenses.site.portal,
        bypass_csp=True,  # only for axe; the policy is tested elsewhere
        java_script_enabled=scripts,
    )
    page = await context.new_page()
    page.set_default_timeout(30_000)
    page.on("pageerror", lambda error: faults.append(str(error)))
    await page.goto("/auth/login?next=/")
    await page.click(f"button[value='{who.user_id}']")
    await page.wait_for_url("**/")
    yield page
    await context.close()
    assert faults == []


async def fits(page: Page) -> bool:
    return bool(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def options(page: Page) -> Locator:
    return page.locator("[role=listbox] [role=option]:visible")


@pytest.mark.parametrize("width", [WIDE, NARROW])
async def test_a_name_is_completed_by_keyboard(
    chromium: Browser, expenses: CommuterStack, axe: str, width: int
) -> None:
    async with browsing(chromium, expenses, width) as page:
        await page.goto(APPLICATION)
        start = page.get_by_role("combobox", name="出発駅")
        await start.press_sequentially("shinj")
        await expect(options(page).first).to_contain_text("新宿")
        await expect(start).to_have_attribute("aria-expanded", "true")
        assert await fits(page)
        await start.press("ArrowDown")
        await start.press("ArrowDown")
        await start.press("ArrowUp")
        chosen = page.locator("[role=option][aria-selected=true]")
        await expect(start).to_have_attribute(
            "aria-activedescendant", await chosen.get_attribute("id") or "none"
        )
        await page.evaluate(axe)
        assert await page.evaluate(SERIOUS) == []
        await start.press("Enter")
        await expect(start).to_have_value("新宿")
        await expect(start).to_have_attribute("aria-expanded", "false")
        assert page.url.endswith(APPLICATION)  # Enter took the name and sent nothing


async def test_escape_and_tab_close_the_list(chromium: Browser, expenses: CommuterStack) -> None:
    async with browsing(chromium, expenses, WIDE) as page:
        await page.goto(APPLICATION)
        start = page.get_by_role("combobox", name="出発駅")
        await start.press_sequentially("しぶ")
        await expect(options(page).first).to_contain_text("渋谷")
        await start.press("Escape")
        await expect(options(page)).to_have_count(0)
        await expect(start).to_have_value("しぶ")
        await start.press("ArrowUp")
        await expect(options(page).first).to_be_visible()
        await start.press("Tab")
        await expect(options(page)).to_have_count(0)
        await expect(start).to_have_value("しぶ")


async def test_a_complete_name_covers_nothing(chromium: Browser, expenses: CommuterStack) -> None:
    async with browsing(chromium, expenses, WIDE) as page:
        await page.goto(APPLICATION)
        start = page.get_by_role("combobox", name="出発駅")
        async with page.expect_response(re.compile("/commuter/stations")):
            await start.fill("新宿")
        await expect(page.locator("[role=listbox] [data-name=新宿]")).to_have_count(1)
        await expect(options(page)).to_have_count(0)
        await start.press("ArrowDown")
        await expect(options(page).nth(1)).to_be_visible()


@pytest.mark.parametrize("width", [WIDE, NARROW])
async def test_one_of_two_places_is_chosen_by_a_click(
    chromium: Browser, expenses: CommuterStack, axe: str, width: int
) -> None:
    async with browsing(chromium, expenses, width) as page:
        await page.goto(APPLICATION)
        await page.fill("input[name=start]", "東京")
        end = page.get_by_role("combobox", name="到着駅")
        await end.press_sequentially("小川町")
        await options(page).filter(has_text="小川町(都営)").click()
        await expect(end).to_have_value("小川町(都営)")
        await end.fill("小川町")
        await end.press("Escape")
        await page.click("button:text-is('乗換案内')")
        wrong = page.locator("#wrong-end")
        await expect(wrong).to_have_text(
            "「小川町」という駅は複数あります。どの駅か選んでください。"
        )
        assert await fits(page)
        await page.evaluate(axe)
        assert await page.evaluate(SERIOUS) == []
        await (
            page.get_by_role("group", name="到着駅の候補")
            .get_by_text("小川町(東武・JR東日本)")
            .click()
        )
        await expect(page.locator("input[name=candidate]").first).to_be_attached()
        await expect(page.locator("input[name=end]")).to_have_value("小川町(東武・JR東日本)")
        await expect(page.locator("input[name=start]")).to_have_value("東京")


async def test_enter_sends_what_is_typed_and_not_a_choice(
    chromium: Browser, expenses: CommuterStack
) -> None:
    async with browsing(chromium, expenses, WIDE, scripts=False) as page:
        await page.goto(APPLICATION)
        await page.fill("input[name=start]", "市谷")
        await page.fill("input[name=end]", "東京")
        await page.press("input[name=end]", "Enter")
        await page.fill("input[name=start]", "新宿")
        await page.press("input[name=start]", "Enter")
        await expect(page.locator("input[name=candidate]").first).to_be_attached()
        await expect(page.locator("input[name=start]")).to_have_value("新宿")


@pytest.mark.parametrize("width", [WIDE, NARROW])
async def test_a_way_outside_the_area_is_typed_by_hand(
    chromium: Browser, expenses: CommuterStack, axe: str, width: int
) -> None:
    async with browsing(chromium, expenses, width) as page:
        await page.goto("/commuter/slips")
        await page.get_by_role("button", name="交通費精算", exact=True).click()
        await page.get_by_role("button", name="明細を追加").click()
        await page.fill("input[name='items.0.item_on']", "2026/7/9")
        await page.get_by_role("button", name=re.compile("^乗換案内")).click()
        await page.fill("input[name=start]", "東京")
        await page.fill("input[name=end]", "新大阪")
        await page.get_by_role("button", name="検索").click()
        await expect(page.locator("#wrong-end")).to_have_text(
            "新大阪(大阪府): 対象外の地域です。金額を手入力してください。"
        )
        assert await fits(page)
        await page.evaluate(axe)
        assert await page.evaluate(SERIOUS) == []
        await page.get_by_role("button", name="金額を手入力する").click()
        await expect(page.locator("input[name='items.0.words']")).to_have_value("東京―新大阪")
        await page.fill("input[name='items.0.amount_yen']", "8910")
