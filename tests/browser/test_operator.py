"""Operator pages in the browser: from a dead letter to its replay."""

import re
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, expect

from tests.running_product import Product, eventually

UNKNOWN = """
    WITH stream AS (INSERT INTO inbox_stream (stream) VALUES ('/contracts/contract/NOTE'))
    INSERT INTO inbox (stream, sequence, event_id, type, aggregate_type, aggregate_id, dealer_id,
                       occurred_at, payload, headers)
    VALUES ('/contracts/contract/NOTE', 1, :id, 'contract.note_saved.v9', 'contract', 'NOTE',
            'D01', now(), :payload, '{}')
"""
PAYLOAD = '{"dealer_id": "D01", "contract_no": "NOTE", "note_version": 1, "length": 1}'
LEARNED = "UPDATE inbox SET type = 'contract.note_saved.v1' WHERE event_id = :id"


@pytest.mark.timeout(300)
def test_a_dead_letter_is_found_read_and_replayed(browser: Browser, product: Product) -> None:
    event_id = uuid4()
    product.in_database("returns", UNKNOWN, id=event_id, payload=PAYLOAD)
    page = browser.new_context(locale="ja-JP", base_url=product.url).new_page()
    page.goto("/")
    page.get_by_role("button", name=re.compile("運用 担当")).click()
    page.get_by_role("link", name=re.compile("処理できなかった通知")).first.click()

    def listed() -> int:
        page.reload()
        return page.locator("tbody tr", has_text="contract.note_saved.v9").count()

    eventually(listed, lambda rows: rows == 1)
    row = page.locator("tbody tr", has_text="contract.note_saved.v9")
    row.get_by_role("link", name="開く").click()
    expect(page.locator("main")).to_contain_text("contract.note_saved.v9")
    expect(page.locator("main")).to_contain_text('"contract_no": "NOTE"')

    product.in_database("returns", LEARNED, id=event_id)  # as if a newer version were deployed
    page.get_by_role("link", name="もう一度処理する").click()
    page.locator("dialog[open]").get_by_role("button", name="OK").click()
    expect(page.locator("main")).to_contain_text("もう一度処理します。")
    eventually(listed, lambda rows: rows == 0)
    page.goto("/operation/lag")
    waiting = page.locator("tbody tr", has_text="車両返却").locator("[data-label=処理待ち]")
    expect(waiting).to_have_text("0件", timeout=20_000)
    page.context.close()
