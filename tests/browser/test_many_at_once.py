"""Many customers are moved at once: all of one staff member, or rows from one to another."""

import re

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from tests.running_product import Product
from tools.screens import sign_in

MOST_CLICKS = 5
COUNT_CLICKS = """
    addEventListener("click", () => (sessionStorage.clicks = Number(sessionStorage.clicks || 0) + 1), true);
"""  # noqa: E501


@pytest.mark.rule("D135", "D136")
def test_all_customers_of_one_person_in_five_clicks(browser: Browser, product: Product) -> None:
    context = browser.new_context(
        viewport=ViewportSize(width=1280, height=720), locale="ja-JP", base_url=product.url
    )
    context.add_init_script(COUNT_CLICKS)
    page = context.new_page()
    sign_in(page, "D01-M100")
    page.goto("/transfers?from_staff=E101")
    expect(page.locator(".folded > summary")).to_contain_text("変更前スタッフ E101")
    page.evaluate("sessionStorage.clicks = 0")
    eligible = page.locator("input[name=checked]:enabled").count()
    barred = page.locator("input[name=checked]:disabled").count()
    assert (eligible > 10, barred > 0) == (True, True)
    page.get_by_role("checkbox", name="すべて選択").check()
    chosen = f"{eligible}件を選択中（選択できない{barred}件を除く）"
    expect(page.locator("[data-chosen]")).to_have_text(chosen)
    assert page.locator("tr:has(input[name=checked]:disabled) select:enabled").count() == 0
    page.select_option("select[name=all_to_staff]", "M100")  # one click more, below
    page.get_by_role("button", name="一括反映").last.click()
    expect(page.locator("select[name^=to_staff-]:enabled").first).to_have_value("M100")
    expect(page.locator("[data-chosen]")).to_have_text(chosen)
    page.get_by_role("button", name="変更", exact=True).click()
    page.locator("#question").get_by_role("button", name="変更", exact=True).click()
    expect(page.locator("main")).to_contain_text(re.compile(f"{eligible}件の変更を登録しました。"))
    expect(page.locator("main")).to_contain_text("変更中")
    assert int(page.evaluate("sessionStorage.clicks")) + 1 <= MOST_CLICKS
    context.close()


@pytest.mark.rule("D136")
def test_a_range_of_rows_takes_two_clicks(browser: Browser, product: Product) -> None:
    with browser.new_context(
        viewport=ViewportSize(width=1280, height=720), locale="ja-JP", base_url=product.url
    ) as context:
        page = context.new_page()
        sign_in(page, "D01-M100")
        page.goto("/transfers?from_store=S10")
        boxes = page.locator("input[name=checked]:enabled")
        boxes.nth(2).check()
        row = boxes.nth(11).locator("xpath=ancestor::tr")
        row.locator("td[data-label=車検年月]").click(modifiers=["Shift"])
        ticked = boxes.evaluate_all("all => all.map((box, at) => box.checked ? at : -1)")
        assert [at for at in ticked if at >= 0] == list(range(2, 12))
        expect(page.locator("[data-chosen]")).to_have_text("10件を選択中")
        assert page.evaluate("String(getSelection())") == ""
        boxes.nth(5).uncheck()
        boxes.nth(8).click(modifiers=["Shift"])
        expect(page.locator("[data-chosen]")).to_have_text("6件を選択中")
