"""Expenses in the browser: three rides and a receipt from a phone, to the books of a closed month.

Everything is dated in a month long over, so that closing it disturbs no other walk.
"""

import csv
import io
import re
import secrets
import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from madoguchi.embedded.mail_catcher import Mailbox
from shared.clock import JST
from tests.running_product import Product, eventually

from .test_one_return import BrowserSessions

YAMADA, SATO, TANAKA, KEIRI = "山田 太郎", "佐藤 誠", "田中 裕子", "経理 太一"
IDS = {YAMADA: "D01-E101", SATO: "D01-M100", TANAKA: "D01-H001", KEIRI: "D01-A001"}
MANY, LONG = 39, 399
YEN = 1_230


def a_month_long_over() -> date:
    """The first day of the third month before this one."""
    day = datetime.now(JST).date().replace(day=1)
    for _ in range(3):
        day = (day - timedelta(days=1)).replace(day=1)
    return day


def photograph() -> bytes:
    """A picture of the size that a phone's camera makes, and of a small file."""
    width, height = 3000, 4000

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    rows = zlib.compress((b"\0" + b"\xf4" * width) * height, 1)
    size = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", size), chunk(b"IDAT", rows), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.fixture
def sessions(browser: Browser, product: Product) -> Iterator[BrowserSessions]:
    people = BrowserSessions(browser, product.url)
    yield people
    for context in browser.contexts:
        context.close()


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def file_three_rides(page: Page, url: str, title: str, month: date) -> str:
    """交通費精算 on a phone: one ride is looked up, copied twice, and its ticket photographed."""
    page.set_viewport_size({"width": 360, "height": 780})
    page.goto(f"{url}/commuter/slips")
    page.get_by_role("button", name="交通費精算", exact=True).click()
    page.fill("input[name=title]", title)
    page.get_by_role("button", name="明細を追加").click()
    page.locator("input[name='items.0.item_on']").fill(f"{month:%Y/%m}/03")
    page.get_by_role("button", name=re.compile("^乗換案内")).click()
    page.fill("input[name=start]", "新宿")
    page.fill("input[name=end]", "横浜")
    page.get_by_role("button", name="検索").click()
    expect(page.locator("input[name=candidate]").first).to_be_checked()
    page.get_by_role("button", name="決定").click()
    for number in (1, 2):
        page.get_by_role("button", name=re.compile("^明細をコピー")).first.click()
        day = page.locator(f"input[name='items.{number}.item_on']")
        expect(day).to_be_visible()
    page.get_by_role("button", name=re.compile("^領収書を登録")).first.click()
    page.get_by_label("カメラで撮影する").set_input_files(
        FilePayload(name="IMG_0042.png", mimeType="image/png", buffer=photograph())
    )
    page.get_by_role("button", name="登録", exact=True).click()
    expect(page.locator("main")).to_contain_text("領収書を1件登録しました。")
    assert fits(page)
    page.get_by_role("link", name="精算書に戻る").click()
    expect(page.get_by_role("img", name="領収書 IMG_0042.png")).to_be_visible()
    assert fits(page)
    slip_id = page.url.partition("#")[0].rpartition("/")[2]
    page.get_by_role("button", name="申請").click()
    page.locator("main").get_by_role("button", name="OK").click()
    expect(page.locator("main")).to_contain_text("申請しました。")
    return slip_id


def mailed_link(product: Product, to: str, title: str) -> str:
    """The address in the newest mail to a person that names the slip."""

    def found() -> list[str]:
        mails = [one for one in Mailbox(product.data / "mail").mails() if str(one["To"]) == to]
        texts = [one.get_content() for one in mails if title in one.get_content()]
        return re.findall(r"https?://\S+/commuter/slips/\S+", texts[0]) if texts else []

    return eventually(found, bool)[0]


def approve_from_mail(sessions: BrowserSessions, product: Product, who: str, title: str) -> None:
    """On a phone: the link of the mail, the receipt, 承認, OK."""
    page = sessions.open(who)
    page.set_viewport_size({"width": 360, "height": 780})
    code = IDS[who].rpartition("-")[2].lower()
    page.goto(mailed_link(product, f"{code}@d01.example.jp", title))
    expect(page.get_by_role("img", name="領収書 IMG_0042.png")).to_be_visible()
    assert fits(page)
    page.get_by_role("link", name="承認", exact=True).click()
    page.get_by_role("button", name="OK").click()
    expect(page.locator("main")).to_contain_text("承認しました。")
    page.context.close()


def approved_slip(people: dict[str, httpx.Client], month: date, number: int) -> str:
    """A slip of one item through the API, up to its last approval."""
    item = {"item_on": f"{month:%Y-%m}-05", "words": "会議費", "amount_yen": YEN}
    body = {"kind": "expense", "title": f"会議費 {number}", "items": [item]}
    key = {"Idempotency-Key": secrets.token_hex(8)}
    made = people[YAMADA].post("/commuter/v1/slips", json=body, headers=key)
    slip = made.raise_for_status().json()
    for who, step in ((YAMADA, "submit"), (SATO, "approve"), (TANAKA, "approve")):
        path = f"/commuter/v1/slips/{slip['slip_id']}/{step}"
        version = {"If-Match": f'"{slip["version"]}"'}
        slip = people[who].post(path, json={}, headers=version).raise_for_status().json()
    assert slip["status"] == "approved"
    return str(slip["slip_id"])


def close_settle_export(page: Page, url: str, month: date, count: int) -> None:
    """締め, 一括精算 of the month, 仕訳の出力."""
    page.goto(f"{url}/commuter/months/{month:%Y-%m}")
    page.get_by_role("button", name=f"{month.year}年{month.month}月を締める").click()
    page.get_by_role("button", name="OK").click()
    expect(page.locator("main")).to_contain_text("を締めました。")
    page.goto(f"{url}/commuter/desk?status=approved&month={month:%Y/%m}")
    page.get_by_role("button", name=f"この条件の{count}件すべてを精算").click()
    page.get_by_role("button", name="OK").click()
    expect(page.locator("main")).to_contain_text(f"{count}件、合計")
    page.goto(f"{url}/commuter/accounting")
    page.get_by_role("button", name="仕訳を出力する").click()
    expect(page.locator("main")).to_contain_text("を作りました")


def journal(page: Page) -> list[list[str]]:
    """The newest journal file as 弥生会計 reads it: 25 columns in CP932, no heading."""
    with page.expect_download() as started:
        page.get_by_role("link", name=re.compile("^ダウンロード")).first.click()
    text = started.value.path().read_bytes().decode("cp932")
    rows = list(csv.reader(io.StringIO(text)))
    assert {len(row) for row in rows} == {25}
    return rows


@pytest.mark.timeout(1500)  # four hundred slips in the long form
@pytest.mark.rule("R85", "R91", "R93", "R100")
def test_three_rides_with_a_receipt_reach_the_books_once(
    sessions: BrowserSessions, product: Product, *, long: bool
) -> None:
    month, title = a_month_long_over(), f"お客様訪問 {secrets.token_hex(3)}"
    people = {name: product.as_person(user) for name, user in IDS.items()}
    for http in people.values():
        http.get("/commuter/v1/me").raise_for_status()  # from now on addresses are known
    asked = {"start": "新宿", "end": "横浜", "on": f"{month:%Y-%m}-03"}
    eventually(  # the first look-up reads the network, for which a busy machine takes long
        lambda: people[YAMADA].post("/commuter/v1/look-ups", json=asked).status_code == 200,
        bool,
    )
    yamada = sessions.open(YAMADA)
    rides = file_three_rides(yamada, product.url, title, month)
    for who in (SATO, TANAKA):
        approve_from_mail(sessions, product, who, title)
    many = LONG if long else MANY
    with ThreadPoolExecutor(4) as crowd:
        others = list(crowd.map(lambda one: approved_slip(people, month, one), range(many)))
    keiri = sessions.open(KEIRI)
    close_settle_export(keiri, product.url, month, many + 1)
    rows = journal(keiri)
    entries = Counter(row[21] for row in rows)
    assert entries[rides] == 3
    assert {entries[one] for one in others} == {1}
    assert {row[8] for row in rows if row[21] in set(others)} == {str(YEN)}
    keiri.goto(f"{product.url}/commuter/accounting")
    expect(keiri.locator("main")).to_contain_text("精算書を「精算」すると、ここから出力できます。")
    again = people[KEIRI].post("/commuter/v1/accounting/exports", json={})
    assert (again.status_code, again.json()["code"]) == (409, "NOTHING_TO_EXPORT")
    yamada.goto(f"{product.url}/commuter/slips/{rides}")
    expect(yamada.locator("main")).to_contain_text("精算")
    assert sessions.faults == []
