"""One return in the browser, from the first click to the mail."""

import re
from collections.abc import Iterator
from datetime import datetime

import pytest
from playwright.sync_api import Browser, Page, expect

from shared.clock import JST
from tests.running_product import Product, eventually, returnable_contract

YAMADA, SATO, TANAKA, WATANABE = "山田 太郎", "佐藤 誠", "田中 裕子", "渡辺 恵子"


class BrowserSessions:
    """A separate browser context for each person."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser = browser
        self.url = url
        self.faults: list[str] = []

    def open(self, name: str) -> Page:
        context = self.browser.new_context(locale="ja-JP", timezone_id="Asia/Tokyo")
        context.set_default_timeout(30_000)
        page = context.new_page()
        page.on("pageerror", lambda fault: self.faults.append(str(fault)))
        page.on(
            "response",
            lambda got: (
                self.faults.append(f"{got.status} {got.url}") if got.status >= 400 else None
            ),
        )
        page.goto(self.url)
        page.get_by_role("button", name=re.compile(name)).first.click()
        expect(
            page.get_by_role("link", name="ログアウト").or_(
                page.get_by_role("button", name="ログアウト")
            )
        ).to_be_visible()
        return page


@pytest.fixture
def sessions(browser: Browser, product: Product) -> Iterator[BrowserSessions]:
    people = BrowserSessions(browser, product.url)
    yield people
    for context in browser.contexts:
        context.close()


def report_return(page: Page, url: str, contract_no: str) -> str:
    """Find the customer, go to 起票, report the car; returns the application's id."""
    page.goto(f"{url}/contracts")
    panel = page.locator("details", has_text="個別契約検索").first
    if panel.get_attribute("open") is None:
        panel.locator("summary").click()
    panel.locator("input[name=contract_no]").fill(contract_no)
    panel.get_by_role("button", name="検索").click()
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="顧客詳細").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("顧客詳細")
    page.get_by_role("link", name="車両返却結果入力・進捗確認").click()
    page.get_by_role("link", name="車両返却 結果入力").click()
    page.fill("input[name=received_on]", f"{datetime.now(JST):%Y/%m/%d}")
    page.fill("input[name=contact_3]", "yamada@d01.example.jp")
    page.get_by_role("button", name="確認").click()
    question = page.locator("#question").or_(page.locator("main .question"))  # or without scripts
    expect(question).to_contain_text("yamada@d01.example.jp")
    question.get_by_role("button", name="OK").click()
    expect(page.locator("main")).to_contain_text("送信が完了しました")
    found = re.search(r"/returns/([^/]+)/sent", page.url)
    assert found, page.url
    return found[1]


def take(page: Page, url: str, application: str, step: str, said: str) -> None:
    """Open an application, press a step, confirm it."""
    page.goto(f"{url}/returns/{application}")
    main = page.locator("main")
    main.get_by_role("link", name=step, exact=True).or_(
        main.get_by_role("button", name=step, exact=True)
    ).first.click()
    page.get_by_role("button", name="OK").last.click()
    expect(page.locator("main")).to_contain_text(said)


def test_a_returned_car_from_the_search_to_the_mail(
    sessions: BrowserSessions, product: Product
) -> None:
    url = product.url
    yamada = sessions.open(YAMADA)
    contract_no = returnable_contract(product.as_person("D01-E101"))
    application = report_return(yamada, url, contract_no)
    expect(yamada.locator("main")).to_contain_text("承認者へ承認依頼のご連絡をお願いします")
    take(sessions.open(SATO), url, application, "承認", "本部承認者手続中")
    take(sessions.open(TANAKA), url, application, "承認", "依頼中")
    watanabe = sessions.open(WATANABE)
    take(watanabe, url, application, "受付", "TFC対応中")
    take(watanabe, url, application, "完了", "完了")

    def row() -> str:
        yamada.goto(f"{url}/contracts?mode=individual&contract_no={contract_no}")
        return yamada.locator("table").inner_text()

    eventually(row, lambda words: "完了" in words.split("\n", 1)[1])
    eventually(
        lambda: [to for to, subject in product.completion_mails() if contract_no in subject],
        lambda addresses: "yamada@d01.example.jp" in addresses,
    )
    yamada.goto(f"{url}/mailbox/")
    expect(yamada.locator("body")).to_contain_text(contract_no)
    assert sessions.faults == []
