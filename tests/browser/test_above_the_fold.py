"""What a person sees without scrolling: rows after a search, actions, cards on a phone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.running_product import Product
from tools.screens import sign_in

DESK, PHONE = ViewportSize(width=1280, height=720), ViewportSize(width=360, height=740)
SEARCH = "/contracts?mode=general&final_to=2099/12&status=open"
ROWS_IN_SIGHT = """
    () => {
      const foot = document.querySelector(".buttons-stay").getBoundingClientRect().top;
      const boxes = [...document.querySelectorAll("tbody tr")].map((row) => row.getBoundingClientRect());
      return boxes.filter((box) => box.top >= 0 && box.bottom <= foot).length;
    }
"""  # noqa: E501


@pytest.fixture(params=["D01-E101", "D01-H001"])
def person(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def opened(browser: Browser, product: Product) -> Iterator[Browser]:
    yield browser
    for context in browser.contexts:
        context.close()


def page_of(browser: Browser, product: Product, person: str, size: ViewportSize) -> Page:
    context = browser.new_context(viewport=size, locale="ja-JP", base_url=product.url)
    page = context.new_page()
    sign_in(page, person)
    return page


def test_nine_rows_are_in_sight_after_a_search(
    opened: Browser, product: Product, person: str
) -> None:
    page = page_of(opened, product, person, DESK)
    page.goto("/contracts")
    page.locator("summary", has_text="汎用検索").click()
    page.fill("#field-final_to", "2099/12")
    page.locator("details[open]").get_by_role("button", name="検索").click()
    expect(page.locator(".folded > summary")).to_have_text("汎用検索：～2099/12条件を変更")
    assert page.evaluate(ROWS_IN_SIGHT) >= 9
    assert page.evaluate("document.activeElement.className") == "table-count"
    inner = page.locator(".table-frame").evaluate("box => box.scrollHeight - box.clientHeight")
    assert inner == 0  # the page scrolls, not a box within it
    expect(page.locator("#field-final_to")).not_to_be_visible()
    page.locator(".folded > summary").click()
    expect(page.locator("#field-final_to")).to_have_value("2099/12")


def test_the_search_stays_open_where_it_finds_nothing(opened: Browser, product: Product) -> None:
    page = page_of(opened, product, "D01-E101", DESK)
    page.goto("/contracts?mode=individual&customer_name=だれでもない")
    expect(page.locator("main")).to_contain_text("条件に合う契約はありません。")
    expect(page.locator("#field-customer_name")).to_be_visible()


def test_a_phone_shows_one_line_of_bar_and_cards(
    opened: Browser, product: Product, person: str
) -> None:
    page = page_of(opened, product, person, PHONE)
    page.goto(SEARCH)
    assert page.locator(".bar").evaluate("bar => bar.offsetHeight") <= 56
    heights = page.locator("tbody tr").evaluate_all("rows => rows.map(row => row.offsetHeight)")
    assert max(heights) <= 120
    assert page.evaluate(ROWS_IN_SIGHT) >= 3
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    expect(page.get_by_role("button", name="ログアウト")).to_be_hidden()
    page.click(".menu-button")
    expect(page.locator("#menu").get_by_role("button", name="ログアウト")).to_be_visible()


COVERED = """
    () => {
      const count = document.activeElement, style = getComputedStyle(count);
      const frame = parseFloat(style.outlineWidth) + parseFloat(style.outlineOffset);
      const advice = count.nextElementSibling.getBoundingClientRect();
      return [count.className, style.boxShadow, count.getBoundingClientRect().bottom + frame - advice.top];
    }
"""  # noqa: E501


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_frame_of_the_count_covers_no_advice(
    opened: Browser, product: Product, size: ViewportSize
) -> None:
    page = page_of(opened, product, "D01-H001", size)
    page.goto(SEARCH)
    page.keyboard.press("Shift")  # the focus of the keyboard has a frame
    expect(page.locator(".found-count")).to_contain_text("のうち、はじめの100件")
    name, shadow, covered = page.evaluate(COVERED)
    assert (name, shadow) == ("table-count", "none")
    assert covered <= 0


def test_fields_of_a_search_stand_in_line(opened: Browser, product: Product) -> None:
    page = page_of(opened, product, "D01-M100", DESK)
    for path in ("/contracts", "/transfers"):
        page.goto(path)
        tops = page.locator(".panel-fields input:visible").evaluate_all(
            "all => all.map(field => field.getBoundingClientRect().top)"
        )
        assert len(set(tops[:3])) == 1, path
        expect(page.locator("main")).to_contain_text("契約者名は、カナでも検索できます。")
