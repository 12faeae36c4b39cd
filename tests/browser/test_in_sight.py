"""Lists and actions of each role without scrolling, at both widths; approvals all at once."""

import secrets
from collections.abc import Iterator
from datetime import datetime

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from shared.clock import JST
from tests.node_assets import node_modules
from tests.running_product import Product
from tools.screens import CONTRACTS, sign_in

SIZES = [ViewportSize(width=1280, height=720), ViewportSize(width=360, height=740)]
PHONE = 600
"""Below this width rows are cards."""
ROWS_IN_SIGHT = """
    () => {
      const bar = document.querySelector(".buttons-stay"), whole = innerHeight;
      const foot = bar ? bar.getBoundingClientRect().top : whole;
      const rows = [...document.querySelectorAll("main tbody tr")];
      return rows.map((row) => row.getBoundingClientRect())
        .filter((box) => box.height && box.top >= 0 && box.bottom <= foot).length;
    }
"""
IN_SIGHT = """
    (button) => {
      const box = button.getBoundingClientRect();
      return box.top >= 0 && box.bottom <= innerHeight && box.right <= innerWidth;
    }
"""
CRUSHED = """
    () => [...document.querySelectorAll(".table-work tbody tr")].filter((row) => {
      const name = row.querySelector(".card-name").getBoundingClientRect();
      const chip = row.querySelector(".chip").getBoundingClientRect();
      const apart = name.right <= chip.left || chip.right <= name.left || name.bottom <= chip.top;
      return !apart || name.width < 48;
    }).map((row) => row.innerText)
"""
"""Rows whose name has no room, or lies under the status."""
AXE = "() => axe.run(document, {resultTypes: ['violations']})"
REPORTED = 9
SLOW_MS = 120_000
"""A page's first load while nine new applications are still being processed."""


@pytest.fixture(scope="module")
def axe(request: pytest.FixtureRequest) -> str:
    return (node_modules(request) / "axe-core" / "axe.min.js").read_text()


@pytest.fixture(scope="module")
def waiting(furnished: Product) -> Product:
    """At least nine applications wait for the store manager."""
    yamada = furnished.as_person("D01-E101")
    found = yamada.get("/contracts/v1/contracts", params={"mode": "general", "status": "open"})
    reported = 0
    for row in found.raise_for_status().json()["rows"]:
        report = {
            "contract_no": row["contract_no"],
            "kind": "RETURNED",
            "received_on": f"{datetime.now(JST):%Y-%m-%d}",
            "contact_3": "yamada@d01.example.jp",
        }
        key = {"Idempotency-Key": secrets.token_hex(8)}
        sent = yamada.post("/returns/v1/applications", json=report, headers=key)
        reported += sent.status_code == httpx.codes.CREATED
        if reported == REPORTED:
            return furnished
    raise AssertionError(f"only {reported} contracts can be returned")


@pytest.fixture(params=SIZES, ids=lambda size: str(size["width"]))
def context(
    request: pytest.FixtureRequest, waiting: Product, browser: Browser
) -> Iterator[BrowserContext]:
    with browser.new_context(
        viewport=request.param,
        locale="ja-JP",
        base_url=waiting.url,
        bypass_csp=True,  # only for axe; the policy is tested in tests/portal
    ) as opened:
        opened.set_default_navigation_timeout(SLOW_MS)
        yield opened


def assert_in_sight(page: Page, button: str) -> None:
    found = (
        page.locator("main")
        .get_by_role("button", name=button, exact=True)
        .or_(page.locator("main").get_by_role("link", name=button, exact=True))
    )
    assert found.first.evaluate(IN_SIGHT), button


def assert_actions_in_sight(page: Page) -> None:
    """The bar of actions of one record, before anything is scrolled."""
    expect(page.locator(".buttons-stay").first).to_be_visible()
    assert page.locator(".buttons-stay").first.evaluate(IN_SIGHT)


def assert_rows(page: Page, most_on_screen: int, cards: int = 3) -> None:
    """At least this number of rows, or all if there are fewer; on a phone cards."""
    rows = page.locator("main tbody tr").count()
    expected = cards if page.evaluate("innerWidth") < PHONE else most_on_screen
    assert page.evaluate(ROWS_IN_SIGHT) >= min(rows, expected)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def assert_accessible(page: Page, axe: str) -> None:
    page.evaluate(axe)
    found = page.evaluate(AXE)["violations"]
    worst = [one for one in found if one["impact"] in {"serious", "critical"}]
    assert [(one["id"], one["nodes"][0]["target"]) for one in worst] == []


def test_approvals_are_chosen_all_at_once(context: BrowserContext, axe: str) -> None:
    page = context.new_page()
    sign_in(page, "D01-M100")
    page.goto("/returns/approvals")
    boxes = page.locator("input[name=application]:enabled").count()
    assert boxes >= REPORTED
    assert_rows(page, 9)
    assert_in_sight(page, "承認")
    assert page.evaluate(CRUSHED) == []
    assert_accessible(page, axe)
    page.get_by_role("checkbox", name="すべて選択").check()
    expect(page.locator("[data-chosen]").first).to_have_text(f"{boxes}件を選択中")
    assert page.locator("input[name=application]:disabled:checked").count() == 0
    page.locator("input[name=application]:enabled").first.uncheck()
    expect(page.locator("[data-chosen]").first).to_have_text(f"{boxes - 1}件を選択中")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    assert_in_sight(page, "承認")
    page.locator("main").get_by_role("button", name="承認", exact=True).click()
    expect(page.locator("dialog")).to_contain_text(f"選択した{boxes - 1}件の申込を承認します。")
    assert_accessible(page, axe)


@pytest.mark.parametrize("person", ["D01-E101", "D01-M100", "D01-H001"])
def test_a_list_a_customer_and_an_application(
    context: BrowserContext, axe: str, person: str
) -> None:
    page = context.new_page()
    sign_in(page, person)
    page.goto(CONTRACTS)
    assert_rows(page, 9)
    assert_in_sight(page, "顧客詳細")
    assert_accessible(page, axe)
    page.locator("main tbody a").first.click()
    expect(page.locator("h1")).to_have_text("顧客詳細")
    assert_actions_in_sight(page)
    page.goto("/returns")
    assert_rows(page, 6, cards=1)
    page.locator("main tbody").get_by_role("link", name="開く").first.click()
    assert_actions_in_sight(page)
    assert_accessible(page, axe)


def test_requests_of_the_finance_company(context: BrowserContext, axe: str) -> None:
    page = context.new_page()
    sign_in(page, "T001")
    page.goto("/tfc/requests")
    assert_rows(page, 6, cards=1)
    assert_accessible(page, axe)
    page.locator("main tbody").get_by_role("link", name="開く").first.click()
    assert_actions_in_sight(page)
