"""The whole result of a search is changed at once, beyond the hundred rows of the screen."""

import csv
import io
import re
from html import unescape

import pytest

from contracts_service.imports import import_contracts
from contracts_service.rules.import_row import COLUMNS
from shared.testing.people import TANAKA

from .contract_files import LINE
from .portal_stack import PortalStack

NUMBER = 130
INELIGIBLE = "W000"


async def import_many(stack: PortalStack) -> None:
    """Contracts of 伊藤; the product of one may not be moved."""
    written = io.StringIO()
    writer = csv.DictWriter(written, list(COLUMNS))
    writer.writeheader()
    for n in range(NUMBER):
        line = {"契約番号": f"W{n:03}", "最終回年月日": "2026/04/15", "スタッフコード": "E102"}
        product = {"制度": "スマートバリュープランA（エース）"} if not n else {}
        writer.writerow(LINE | line | product)
    content = written.getvalue().encode("utf-8-sig")
    taken_in = await import_contracts(stack.contracts, content, now=stack.clock.now())
    assert not taken_in.refused, taken_in.refused


@pytest.mark.rule("D134", "D135", "D136")
async def test_all_contracts_of_one_person_are_changed_at_once(portal_stack: PortalStack) -> None:
    await import_many(portal_stack)
    async with portal_stack.signed_in(TANAKA) as tanaka:
        await tanaka.visit("/transfers?from_staff=E102")
        assert "130件のうち、はじめの100件を表示しています" in tanaka.text
        [whole] = re.findall(
            r'href="([^"]*)">すべての検索結果から選択する（300件まで）', tanaka.html
        )
        await tanaka.visit(unescape(whole))
        assert "130件あります。" in tanaka.text
        boxes = re.findall(r'name="checked" value="(W\d+)"( disabled)?', tanaka.html)
        assert [number for number, disabled in boxes if disabled] == [INELIGIBLE]
        assert "レクサス手続担当店移管制度" in tanaka.text  # why it cannot be chosen
        eligible = [number for number, disabled in boxes if not disabled]
        await tanaka.send("/transfers", checked=eligible, all_to_staff="E101", copy_staff="yes")
        form = tanaka.form("/transfers")
        assert form["checked"] == eligible
        assert {form[f"to_staff-{number}"][0] for number in eligible} == {"E101"}
        assert f"to_staff-{INELIGIBLE}" not in form
        await tanaka.send("/transfers")
        assert "選択した129件の店舗・スタッフの変更を登録します。" in tanaka.text
        await tanaka.send("/transfers")
        assert "129件の変更を登録しました。" in tanaka.text
