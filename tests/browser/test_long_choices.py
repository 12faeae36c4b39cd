"""A choice of many entries is one field: typed into, chosen from, and sent as before."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from tests.node_assets import node_modules
from tests.running_product import Product
from tools.screens import sign_in

SEARCH = "/contracts?mode=general&final_from=2026-05&final_to=2026-04"
"""A refused search: its form stays open."""


@pytest.fixture
def page(browser: Browser, product: Product) -> Iterator[Page]:
    size = ViewportSize(width=1280, height=720)
    with browser.new_context(
        viewport=size, locale="ja-JP", base_url=product.url, bypass_csp=True
    ) as context:
        page = context.new_page()
        sign_in(page, "D01-M100")
        page.goto(SEARCH)
        yield page


def chosen(page: Page) -> str:
    return str(page.locator("select[name=model_code]").input_value())


def field_of(page: Page) -> Locator:
    return page.get_by_role("combobox", name="車種")


def test_one_field_takes_kana_and_chooses_by_keys(page: Page) -> None:
    field = field_of(page)
    expect(page.locator("#field-model_code")).to_have_count(1)
    expect(page.locator("select[name=model_code]")).to_be_hidden()
    field.focus()
    expect(page.get_by_role("listbox", name="車種")).to_be_hidden()
    page.keyboard.type("あくあ")
    expect(page.get_by_role("listbox", name="車種").get_by_role("option")).to_have_text(["アクア"])
    expect(field).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Enter")
    expect(field).to_have_value("アクア")
    assert chosen(page) == "AQUA"
    assert page.url.endswith(SEARCH)  # Enter chose, and sent nothing
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(field).to_have_value("アクア")
    page.fill("#field-final_from", "")
    page.fill("#field-final_to", "2099/12")
    page.locator("details[open]").get_by_role("button", name="検索").click()
    expect(page.locator(".folded-words")).to_contain_text("アクア")
    models = page.locator("main tbody .model").all_inner_texts()
    assert set(models) == {"アクア"}


def test_only_what_names_one_choice_counts(page: Page) -> None:
    field = field_of(page)
    for typed, code in (("アクア", "AQUA"), ("くるまではない", "AQUA"), ("", "")):
        field.fill(typed)
        page.keyboard.press("Tab")
        assert chosen(page) == code, typed
        expect(field).to_have_value("アクア" if code else "")
    field.click()
    listed = page.get_by_role("listbox", name="車種")
    listed.get_by_role("option", name="アクア", exact=True).click()
    assert chosen(page) == "AQUA"


def test_the_open_list_is_accessible(page: Page, request: pytest.FixtureRequest) -> None:
    field_of(page).click()
    page.keyboard.press("ArrowDown")
    page.evaluate((node_modules(request) / "axe-core" / "axe.min.js").read_text())
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert [one["id"] for one in found] == []


def test_a_choice_in_a_part_that_opens_is_sent_at_once(page: Page) -> None:
    page.goto("/contracts?mode=general&final_to=2099-12")
    links = page.locator("main tbody a[href^='/contracts/']")
    found = links.evaluate_all("all => all.map(a => a.getAttribute('href').split(/[?#]/)[0])")
    field = page.get_by_role("combobox", name="代替車両")
    for contract in dict.fromkeys(found):
        page.goto(f"{contract}/result")
        if page.locator("select[name=vehicle_code]").count():
            break
    expect(field).to_be_hidden()
    page.get_by_label("有", exact=True).check()
    expect(field).to_be_focused()
    field.fill("アクア")
    page.keyboard.press("Tab")
    sent = "select => new FormData(select.form).get('vehicle_code')"
    assert page.locator("select[name=vehicle_code]").evaluate(sent)
    page.locator("input[name=own_replacement]:not([value=yes])").first.check()
    assert page.locator("select[name=vehicle_code]").evaluate(sent) is None
