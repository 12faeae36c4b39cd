"""Pending work of each role: numbers, the lists behind them, the top bar, phone width."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.node_assets import node_modules
from tests.running_product import Product
from tools.screens import sign_in

PEOPLE = {
    "sales": "D01-E101",
    "manager": "D01-M100",
    "hq": "D01-H001",
    "tfc": "T001",
    "employee": "D01-E201",
    "accounting": "D01-A001",
    "operator": "O001",
}
PARTS = {
    "sales": {"returns", "contracts", "commuter"},
    "manager": {"returns", "contracts", "commuter"},
    "hq": {"returns", "contracts", "commuter"},
    "tfc": {"returns"},
    "employee": {"returns", "contracts", "commuter"},
    "accounting": {"commuter"},
    "operator": {"operations"},
}


def rows_behind(page: Page) -> int:
    """Number of rows of a list on all its pages; the customer list shows at most a hundred."""
    rows = page.locator("main tbody tr").count()
    total = re.search(r"([\d,]+)件のうち", page.inner_text("main"))
    if total:
        return int(total[1].replace(",", ""))
    following = page.get_by_role("link", name=re.compile("次のページ|次の"))
    if following.count():
        following.first.click()
        return rows + rows_behind(page)
    return rows


@pytest.mark.parametrize("role", PEOPLE)
def test_every_count_links_to_a_list_of_that_length(
    furnished: Product, browser: Browser, role: str
) -> None:
    context = browser.new_context(locale="ja-JP", base_url=furnished.url)
    page = context.new_page()
    sign_in(page, PEOPLE[role])
    parts = page.locator(".work-part").evaluate_all("all => all.map(part => part.id)")
    assert {part.removeprefix("work-") for part in parts} == PARTS[role]
    expect(page.locator(".work-loading")).to_have_count(0)
    counts: list[tuple[str, str]] = page.locator("a.count").evaluate_all(
        "all => all.map(a => [a.href, a.querySelector('.count-number').textContent])"
    )
    page.click(".bar-waiting")
    in_bar = page.locator("#waiting a").evaluate_all("all => all.map(a => a.href)")
    assert in_bar == [address for address, _ in counts]
    for address, number in counts:
        where = urlsplit(address)
        page.goto(f"{where.path}?{where.query}")
        assert rows_behind(page) == int(re.sub(r"\D", "", number)), (role, address)
    context.close()


@pytest.mark.parametrize("role", PEOPLE)
def test_a_phone_shows_the_work_first_and_axe_finds_nothing(
    furnished: Product, browser: Browser, request: pytest.FixtureRequest, role: str
) -> None:
    axe = (node_modules(request) / "axe-core" / "axe.min.js").read_text()
    context = browser.new_context(
        viewport={"width": 360, "height": 740},
        locale="ja-JP",
        base_url=furnished.url,
        bypass_csp=True,
    )
    page = context.new_page()
    sign_in(page, PEOPLE[role])
    expect(page.locator(".work-loading")).to_have_count(0)
    expect(page.locator("a.count").first).to_be_in_viewport(ratio=1)
    page.click(".bar-waiting")
    expect(page.locator("#waiting")).to_be_in_viewport(ratio=1)
    taken = page.evaluate("document.documentElement.scrollWidth")
    page.evaluate(axe)
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    assert (taken, [one["id"] for one in found["violations"]]) == (360, [])
    context.close()
