"""Accounting's screens: an expense with its invoice, and its journal for the accounting product."""

import csv
import io
import re
from collections.abc import AsyncIterator

import pytest

from shared.testing.databases import TestDatabases

from .commuter_stack import KEIRI, SATO, TANAKA, YAMADA, CommuterStack, open_commuter_stack

HOME = "/commuter/accounting"


@pytest.fixture
async def expenses(databases: TestDatabases) -> AsyncIterator[CommuterStack]:
    async with open_commuter_stack(databases.create) as everything:
        yield everything


async def settle_a_taxi(expenses: CommuterStack) -> str:
    """An expense that goes from its draft to 精算; returns the slip's path."""
    async with expenses.signed_in(YAMADA) as yamada:
        await yamada.visit("/commuter/slips")
        await yamada.send("/commuter/slips", kind="expense")
        slip, own = yamada.path, yamada.path.rpartition("/")[2]
        await yamada.send(own, title="タクシー代", do="add")
        typed = {
            "items.0.item_on": "2026/7/9",
            "items.0.words": "駅から本社",
            "items.0.amount_yen": "1,800",
            "items.0.cost_kind": "taxi",
        }
        await yamada.send(own, do="step:submit", **typed)
        await yamada.send("/submit")
        assert "登録番号（T＋13桁）か、登録番号がない理由を入力してください" in yamada.text
        await yamada.send(own, do="step:submit", **{"items.0.registration_no": "T8000012050002"})
        await yamada.send("/submit")
        assert "検査用数字が合いません" in yamada.text
        right = {"items.0.registration_no": "t7000012050002", "items.0.payee": "東都交通"}
        await yamada.send(own, do="step:submit", **right)
        await yamada.send("/submit")
        assert "登録番号 T7000012050002 適格請求書あり" in yamada.text
    for who, step in ((SATO, "approve"), (TANAKA, "approve"), (KEIRI, "settle")):
        async with expenses.signed_in(who) as person:
            await person.visit(f"{slip}/{step}")
            await person.send(f"/{step}")
    return slip


@pytest.mark.rule("R81", "R82", "R85")
async def test_accounting_exports_a_journal_once_and_takes_it_back(
    expenses: CommuterStack,
) -> None:
    await settle_a_taxi(expenses)
    async with expenses.signed_in(KEIRI) as keiri:
        await keiri.visit(HOME)
        assert "まだ出力していない精算書： 1件、1,800円 出力先：弥生会計" in keiri.text
        await keiri.send(HOME, first="2026/7/32")
        assert keiri.status == 422
        await keiri.send(HOME, first="")
        assert "出力1を作りました（精算書1件、1,800円）。" in keiri.text
        file = re.search(r'href="([^"]+/journal.csv)"', keiri.html)
        assert file
        answer = await keiri.browser.http.get(file[1])
        assert answer.headers["content-disposition"].startswith("attachment")
        (row,) = csv.reader(io.StringIO(answer.content.decode("cp932")))
        assert (row[0], row[3], row[8], row[16]) == (
            "2000", "2026/07/09", "1800", "東都交通 T7000012050002 山田 太郎 駅から本社",
        )  # fmt: skip
        assert "まだ出力していない精算書： 0件" in keiri.text

        cancel = re.search(r'href="([^"]+/cancellation)"', keiri.html)
        assert cancel
        await keiri.visit(cancel[1])
        await keiri.send("/cancellation", comment="")
        assert "取り消す理由を入力してください" in keiri.text
        await keiri.send("/cancellation", comment="科目の間違い")
        assert "取り消し済み 経理 太一：科目の間違い" in keiri.text
        assert "まだ出力していない精算書： 1件、1,800円" in keiri.text

        listed = await keiri.browser.http.get(
            f"{HOME}/slips.csv?list_first=2026/7/1&list_last=2026/7/31"
        )
        assert "タクシー代" in listed.content.decode("utf-8-sig")


@pytest.mark.rule("R84")
async def test_accounts_follow_the_product(expenses: CommuterStack) -> None:
    form = f"{HOME}/settings"
    async with expenses.signed_in(KEIRI) as keiri:
        await keiri.visit(form)
        await keiri.send(form, target="moneyforward", do="words")
        assert keiri.form(form)["tax_words.no_invoice"] == ["課税仕入 10%/{rate}%控除"]
        assert keiri.form(form)["debits.expense.account"] == ["雑費"]
        await keiri.send(form, **{"debits.expense.account": "", "departments.S10": "本店"})
        assert "勘定科目を入力してください" in keiri.text
        assert keiri.form(form)["departments.S10"] == ["本店"]
        await keiri.send(form, **{"debits.expense.account": "会議費"})
        assert "会計連携の設定を保存しました。" in keiri.text
        assert "出力先：マネーフォワード クラウド会計" in keiri.text


async def test_an_employee_has_no_such_page(expenses: CommuterStack) -> None:
    async with expenses.signed_in(YAMADA) as yamada:
        await yamada.visit(HOME)
        assert yamada.status == 403
        assert HOME not in yamada.html
