"""Keyboard operation: from the login to a saved memo."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.running_product import Product

FOCUS = """() => {
  const at = document.activeElement, look = getComputedStyle(at);
  const words = at.getAttribute("aria-label") || at.labels?.[0]?.innerText || at.innerText;
  return { words: words.trim(), seen: look.outlineStyle !== "none" || look.boxShadow !== "none" };
}"""


@pytest.fixture
def page(browser: Browser, product: Product) -> Page:
    return browser.new_context(locale="ja-JP", base_url=product.url).new_page()


def tab_to(page: Page, words: str, most: int = 60) -> None:
    """Press Tab until the focus is on the element with this label; the focus must stay visible."""
    for _ in range(most):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        assert focus["seen"], focus
        if words in focus["words"]:
            return
    raise AssertionError(f"no keyboard path to {words}")


def test_a_customer_is_found_and_a_memo_saved_by_keyboard(page: Page) -> None:
    page.goto("/")
    tab_to(page, "山田 太郎")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("トップ")
    tab_to(page, "最終回対象顧客一覧")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("最終回対象顧客一覧")

    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    tab_to(page, "汎用検索")
    page.keyboard.press("Enter")
    tab_to(page, "最終回期日（まで）")
    page.keyboard.type("2030/12")
    tab_to(page, "検索")
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr").first).to_be_visible()

    page.locator("main").focus()
    tab_to(page, "スタッフ")  # the table head; the controls above it come first
    tab_to(page, "を選ぶ")
    page.keyboard.press("Space")
    expect(page.locator("input[name=contract]:checked")).to_have_count(1)
    tab_to(page, "顧客詳細", most=400)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("顧客詳細")

    tab_to(page, "店舗内で共有するメモ")
    page.keyboard.type("キーボードだけで記入")
    tab_to(page, "保存")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("自由記入欄を保存しました。")
    expect(page.locator("textarea")).to_have_value("キーボードだけで記入")
    page.context.close()
