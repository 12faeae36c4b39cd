"""Journeys of the manual in the browser: remand and correction, moves overnight, deadlines."""

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.running_product import Product, eventually, returnable_contract

from .test_one_return import SATO, TANAKA, YAMADA, BrowserSessions, report_return, take

TAKAHASHI = "高橋 健一"
"""The manager of 西店 (S20)."""


@pytest.fixture
def sessions(browser: Browser, product: Product) -> Iterator[BrowserSessions]:
    people = BrowserSessions(browser, product.url)
    yield people
    for context in browser.contexts:
        context.close()


def travel(page: Page, url: str, day: date) -> None:
    """Set the clock of the environment with the link in the top bar."""
    page.goto(f"{url}/")
    page.locator(".bar-clock a").click()
    page.fill("#day", day.isoformat())
    page.get_by_role("button", name="この日の9時にする").click()
    expect(page.locator("strong")).to_contain_text(f"{day:%Y/%m/%d}")


def today_of(page: Page, url: str) -> date:
    page.goto(f"{url}/")
    found = re.search(r"(\d{4})/(\d\d)/(\d\d)", page.inner_text(".bar-clock"))
    assert found
    return date(*map(int, found.groups()))


def test_a_remanded_application_is_corrected_and_approved_again(
    sessions: BrowserSessions, product: Product
) -> None:
    url = product.url
    yamada, sato, tanaka = (sessions.open(name) for name in (YAMADA, SATO, TANAKA))
    contract_no = returnable_contract(product.as_person("D01-E101"))
    application = report_return(yamada, url, contract_no)
    take(sato, url, application, "承認", "本部承認者手続中")

    tanaka.goto(f"{url}/returns/{application}")
    tanaka.locator("main").get_by_role("link", name="差戻し", exact=True).click()
    dialog = tanaka.locator("dialog[open]")
    dialog.locator("[name=comment]").fill("受領日をもう一度確かめてください。")
    dialog.get_by_role("button", name="OK").click()
    expect(tanaka.locator("main")).to_contain_text("店舗承認者手続中（差戻）")

    sato.goto(f"{url}/returns/{application}")
    expect(sato.locator("main")).to_contain_text("受領日をもう一度確かめてください。")
    sato.locator("main").get_by_role("link", name="差戻し", exact=True).click()
    sato.locator("dialog[open] [name=comment]").fill("前日の日付に直してください。")
    sato.locator("dialog[open]").get_by_role("button", name="OK").click()
    expect(sato.locator("main")).to_contain_text("担当者手続中（差戻）")

    yesterday = today_of(yamada, url) - timedelta(days=1)
    yamada.goto(f"{url}/returns/{application}")
    expect(yamada.locator("main")).to_contain_text("前日の日付に直してください。")
    yamada.locator("main").get_by_role("link", name="訂正", exact=True).click()
    yamada.fill("input[name=received_on]", f"{yesterday:%Y/%m/%d}")
    yamada.get_by_role("button", name="確認").click()
    yamada.locator("dialog[open]").get_by_role("button", name="OK").click()
    expect(yamada.locator("main")).to_contain_text("訂正が完了しました。")
    expect(yamada.locator("main")).to_contain_text("店舗承認者手続中")

    sato.goto(f"{url}/returns/{application}")
    expect(sato.locator("#differs")).to_be_visible()  # what changed since their approval
    take(sato, url, application, "承認", "本部承認者手続中")
    take(tanaka, url, application, "承認", "依頼中")
    assert sessions.faults == []


def changed_in_bulk(page: Page, url: str, chosen: Sequence[str]) -> None:
    """Reassign contracts of S10 to S20 by 一括反映 and 変更."""
    page.goto(f"{url}/transfers?from_store=S10")
    for number in chosen:
        page.check(f"input[name=checked][value='{number}']")
    page.select_option("select[name=all_to_store]", "S20")
    page.get_by_role("button", name="一括反映").first.click()
    for number in chosen:
        expect(page.locator(f"select[name=to_store-{number}]")).to_have_value("S20")
    expect(page.locator("main")).not_to_contain_text("変更中")  # nothing is saved yet
    page.get_by_role("button", name="変更", exact=True).click()
    page.locator("#question").get_by_role("button", name="変更", exact=True).click()
    expect(page.locator("main")).to_contain_text(f"{len(chosen)}件の変更を登録しました。")


def movable(http: httpx.Client, today: date) -> list[str]:
    """Two movable contracts of S10 whose last day is too far ahead for grey."""
    query = {"from_store": "S10"}
    found = http.get("/contracts/v1/assignment-changes/search", params=query).json()["rows"]
    may_move = {row["contract_no"] for row in found if row["transferable"]}
    listed = http.get("/contracts/v1/contracts", params={"mode": "general", "status": "open"})
    later = (today + timedelta(days=30)).isoformat()
    rows = [row for row in listed.json()["rows"] if row["contract_no"] in may_move]
    return [
        row["contract_no"]
        for row in rows
        if row["final_on"] > later and row["colour"]["colour"] not in {"green", "blue"}
    ][:2]


@pytest.mark.rule("D136", "D142")
def test_a_bulk_move_is_hidden_the_next_day_and_shown_at_the_new_store_later(
    sessions: BrowserSessions, product: Product
) -> None:
    url = product.url
    sato, tanaka, takahashi = (sessions.open(name) for name in (SATO, TANAKA, TAKAHASHI))
    first_day = today_of(sato, url)
    moved = movable(product.as_person("D01-M100"), first_day)
    changed_in_bulk(sato, url, moved)
    row = sato.locator("tr", has_text=moved[0])
    expect(row).to_contain_text("変更中")
    expect(row).to_have_class(re.compile("row-grey"))
    assert sato.goto(f"{url}/contracts/{moved[0]}").status == 200  # type: ignore[union-attr]

    travel(sato, url, first_day + timedelta(days=1))
    assert seen(sessions, sato, f"{url}/contracts/{moved[0]}") == 404
    assert seen(sessions, takahashi, f"{url}/contracts/{moved[0]}") == 404
    assert seen(sessions, tanaka, f"{url}/contracts/{moved[0]}") == 200
    expect(tanaka.locator("main")).to_contain_text("変更中")

    travel(sato, url, first_day + timedelta(days=14))
    eventually(
        lambda: seen(sessions, takahashi, f"{url}/contracts/{moved[0]}"),
        lambda status: status == 200,
    )
    takahashi.goto(f"{url}/contracts?mode=individual&contract_no={moved[1]}")
    expect(takahashi.locator("tbody")).to_contain_text("他店舗から異動")
    assert seen(sessions, sato, f"{url}/contracts/{moved[1]}") == 404
    assert sessions.faults == []


def seen(sessions: BrowserSessions, page: Page, url: str) -> int:
    """The status of a page; a 404 is expected here and not a fault."""
    answer = page.goto(url)
    assert answer
    if answer.status == 404:
        expect(page.locator("h1")).to_have_text("見つかりません")
        sessions.faults[:] = [fault for fault in sessions.faults if not fault.startswith("404")]
    return answer.status


@pytest.mark.rule("D59", "D60")
def test_a_result_is_entered_up_to_its_deadlines(
    sessions: BrowserSessions, product: Product
) -> None:
    url = product.url
    yamada = sessions.open(YAMADA)
    contract = contract_with_time(product.as_person("D01-E101"), today_of(yamada, url))
    number, result = contract["contract_no"], contract["result"]
    due = date.fromisoformat(result["result_due_on"])
    limit = date.fromisoformat(result["change_limit_on"])
    page = f"{url}/contracts/{number}/result"

    travel(yamada, url, due)
    yamada.goto(page)
    expect(yamada.locator("main")).not_to_contain_text("を過ぎています。入力はできますが")
    travel(yamada, url, due + timedelta(days=1))
    yamada.goto(page)
    expect(yamada.locator("main")).to_contain_text("を過ぎています。入力はできますが")
    yamada.check("input[name=category][value=early_payoff]")
    yamada.check("input[name=own_replacement][value=no]")
    yamada.get_by_role("button", name="決定").click()
    expect(yamada.locator("h1")).to_have_text("早期完済確認")
    yamada.goto(f"{url}/contracts/{number}")
    expect(yamada.locator("main")).to_contain_text("早期完済（期限後の入力）")

    travel(yamada, url, limit)
    decide(yamada, page, "cash_settlement", limit)
    expect(yamada.locator("main")).to_contain_text("「現金決済」で決定しました。")
    expect(yamada).to_have_url(f"{url}/contracts/{number}")  # not the form's, so at its top
    travel(yamada, url, limit + timedelta(days=1))
    decide(yamada, page, "vehicle_return", limit)
    expect(yamada.locator(".notice-error")).to_be_visible()
    expect(yamada.locator("input[name=category][value=vehicle_return]")).to_be_checked()
    yamada.goto(f"{url}/contracts/{number}")
    expect(yamada.locator("main")).to_contain_text("現金決済")
    sessions.faults[:] = [fault for fault in sessions.faults if not fault.startswith("409")]
    assert sessions.faults == []


def decide(page: Page, url: str, category: str, received_on: date) -> None:
    page.goto(url)
    page.check(f"input[name=category][value={category}]")
    page.check("input[name=confirmation_received]")
    page.fill("input[name=confirmation_received_on]", f"{received_on:%Y/%m/%d}")
    page.check("input[name=own_replacement][value=no]")
    page.get_by_role("button", name="決定").first.click()
    again = page.locator("#question").get_by_role("button", name="決定")
    message = page.locator(".notice-error, .notice-done")
    expect(again.or_(message).first).to_be_visible()
    if again.is_visible():
        again.click()


def contract_with_time(http: httpx.Client, today: date) -> dict[str, dict[str, str]]:
    """A contract without a result whose deadlines all lie ahead."""
    query = {"mode": "general", "status": "blank"}
    for row in http.get("/contracts/v1/contracts", params=query).json()["rows"]:
        if date.fromisoformat(row["result_due_on"]) <= today or row["colour"]["colour"] == "blue":
            continue
        contract = http.get(f"/contracts/v1/contracts/{row['contract_no']}").json()
        opened = {action["button"]: action["enabled"] for action in contract["actions"]}
        if opened["result_entry"] and not contract["customer_change_pending"]:
            return contract  # type: ignore[no-any-return]
    raise AssertionError("every deadline has passed")
