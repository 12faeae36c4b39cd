"""Commuter pass in the browser: from its application to a slip whose fare it lowers."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.running_product import Product

from .test_one_return import BrowserSessions

TAKAHASHI, KEIRI = "高橋 健一", "経理 太一"


@pytest.fixture
def sessions(browser: Browser, product: Product) -> Iterator[BrowserSessions]:
    people = BrowserSessions(browser, product.url)
    yield people
    for context in browser.contexts:
        context.close()


def apply_for_pass(page: Page, url: str, start: str, end: str) -> None:
    """個人設定 > 定期区間: 区間, 乗換案内, 決定, 申請."""
    page.goto(url)
    page.get_by_role("link", name="定期区間", exact=True).first.click()
    page.get_by_role("link", name="新しい定期区間").click()
    page.fill("input[name=start]", start)
    page.fill("input[name=end]", end)
    page.get_by_role("button", name="乗換案内").click()
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="決定").click()
    expect(page.locator("main")).to_contain_text("決定した経路")
    page.get_by_role("button", name="申請").click()
    expect(page.locator("main")).to_contain_text("管理者が確定するまで控除されません")


def confirm_pass(page: Page, url: str, name: str) -> None:
    """定期区間の確認: choose the row, 確定, OK."""
    page.goto(url)
    page.get_by_role("link", name="定期区間申請の確認").first.click()
    page.get_by_label(re.compile(f"{name} .*を選ぶ")).check()
    page.get_by_role("button", name="確定").click()
    page.locator("dialog[open]").get_by_role("button", name="OK").click()
    expect(page.locator("main")).to_contain_text("1件を確定しました。")


def look_up(page: Page, start: str, end: str) -> None:
    """乗換案内 of the only item: the first way, there and back."""
    page.get_by_role("button", name="乗換案内").click()
    page.fill("input[name=start]", start)
    page.fill("input[name=end]", end)
    page.select_option("select[name=round_trip]", "yes")
    page.get_by_role("button", name="検索").click()
    expect(page.locator("input[name=candidate]").first).to_be_checked()
    page.get_by_role("button", name="決定").click()


@pytest.mark.rule("R20", "R22", "R26", "R40")
def test_a_pass_is_applied_for_confirmed_and_deducted(
    sessions: BrowserSessions, product: Product
) -> None:
    url = product.url
    takahashi, keiri = sessions.open(TAKAHASHI), sessions.open(KEIRI)
    apply_for_pass(takahashi, url, "三鷹", "新宿")
    takahashi.get_by_role("link", name="精算書").first.click()
    expect(takahashi.locator("main")).to_contain_text("未確定の定期区間があるため")
    expect(takahashi.get_by_role("button", name="交通費精算", exact=True)).to_be_disabled()

    confirm_pass(keiri, url, TAKAHASHI)
    takahashi.reload()
    takahashi.get_by_role("button", name="交通費精算", exact=True).click()
    takahashi.fill("input[name=title]", "お客様訪問")
    takahashi.get_by_role("button", name="明細を追加").click()
    takahashi.locator("input[name='items.0.item_on']").fill("2026/11/2")
    look_up(takahashi, "三鷹", "東京")
    amount = takahashi.locator(".item-amount")
    expect(amount).to_contain_text("控除")
    found = re.search(r"([\d,]+)円\s*（運賃([\d,]+)円　控除([\d,]+)円）", amount.inner_text())
    assert found, amount.inner_text()
    paid, fare, deducted = (int(figure.replace(",", "")) for figure in found.groups())
    assert (paid, deducted > 0) == (fare - deducted, True)

    takahashi.get_by_role("button", name=re.compile("^手入力に変更")).click()
    expect(takahashi.locator("input[name='items.0.words']")).to_have_value("三鷹―東京（往復）")
    takahashi.get_by_role("button", name="元に戻す").click()
    expect(amount).to_contain_text(found[0].replace("\u3000", " ").split()[0])

    takahashi.get_by_text("金額の根拠").click()
    expect(takahashi.locator(".why-price .strip").first).to_be_visible()
    takahashi.get_by_role("button", name=re.compile("^申請")).click()
    takahashi.locator("main").get_by_role("button", name="OK").click()
    expect(takahashi.locator("main")).to_contain_text("申請しました。")
    assert sessions.faults == []


BEYOND = """
    () => [...document.querySelectorAll(".candidate *")]
      .filter((part) => part.getBoundingClientRect().right > innerWidth)
      .map((part) => part.textContent)
"""


def test_candidates_are_read_on_a_phone_without_scrolling_aside(
    sessions: BrowserSessions, product: Product
) -> None:
    page = sessions.open(TAKAHASHI)
    page.goto(f"{product.url}/commuter/slips")
    page.get_by_role("button", name="交通費精算", exact=True).click()
    page.get_by_role("button", name="明細を追加").click()
    page.locator("input[name='items.0.item_on']").fill("2026/11/2")
    page.get_by_role("button", name="乗換案内").click()
    page.set_viewport_size({"width": 360, "height": 800})
    page.fill("input[name=start]", "横浜")
    page.fill("input[name=end]", "新宿")
    page.get_by_role("button", name="検索").click()
    cards = page.locator(".candidate")
    expect(cards.first).to_contain_text("支払")
    assert page.evaluate(BEYOND) == []
    page.locator(".candidate").nth(1).click()  # anywhere on the card
    expect(page.locator("#candidate-2")).to_be_checked()
    page.get_by_text("条件を追加").click()
    expect(page.get_by_label("特急料金（片道）")).to_be_visible()
    assert sessions.faults == []
