"""Accounting's desk, 月次締め and the list of employees, used without scripts."""

import re

import pytest

from .commuter_stack import KEIRI, SATO, TANAKA, YAMADA, CommuterStack
from .portal_stack import PortalUser
from .test_commuter_screens import expenses

__all__ = ["expenses"]

DESK, SETTLE = "/commuter/desk", "/commuter/desk/settlements"


async def file_slip(user: PortalUser, title: str, on: str, yen: str, *, submit: bool = True) -> str:
    """A slip of one typed item; its address."""
    await user.visit("/commuter/slips")
    await user.send("/commuter/slips", kind="expense")
    slip, own = user.path, user.path.rpartition("/")[2]
    await user.send(own, title=title, do="add")
    item = {"items.0.item_on": on, "items.0.words": "タクシー", "items.0.amount_yen": yen}
    await user.send(own, do="step:submit" if submit else "save", **item)
    if submit:
        await user.send("/submit")
        assert "申請しました。" in user.text
    return slip


async def approve(expenses: CommuterStack, *slips: str) -> None:
    for who in (SATO, TANAKA):
        async with expenses.signed_in(who) as person:
            for slip in slips:
                await person.visit(f"{slip}/approve")
                await person.send("/approve")


@pytest.mark.rule("R90", "R91", "R92")
async def test_accounting_filters_settles_and_undoes(expenses: CommuterStack) -> None:
    async with expenses.signed_in(YAMADA) as yamada, expenses.signed_in(KEIRI) as keiri:
        june = await file_slip(yamada, "六月の客先", "2026/6/30", "1,200")
        july = await file_slip(yamada, "七月の客先", "2026/7/1", "3,400")
        await approve(expenses, june, july)
        await keiri.visit("/commuter/slips?show=to_settle")
        assert keiri.path == f"{DESK}?status=approved"
        assert "六月の客先" in keiri.text
        await keiri.visit(f"{DESK}?status=approved&month=2026/6")
        assert ("六月の客先" in keiri.text, "七月の客先" in keiri.text) == (True, False)
        assert "1件、合計 1,200円" in keiri.text
        await keiri.visit(f"{DESK}?from_yen=多い")
        assert "金額は" in keiri.error_for("from_yen")
        await keiri.visit(f"{DESK}?text=客先&status=approved")
        await keiri.send(SETTLE, do="ticked")
        assert "精算する精算書を選んでください。" in keiri.text
        assert "七月の客先" in keiri.text
        await keiri.send(SETTLE, do="all")
        assert "2件" in keiri.text
        assert "4,600円" in keiri.text
        await keiri.send(SETTLE)
        assert "2件、合計 4,600円 を精算しました。" in keiri.text
        assert re.search(r"精算した精算書 .*山田 太郎 .*六月の客先", keiri.text)
        await keiri.visit(f"{june}/unsettle")
        await keiri.send("/unsettle", comment="")
        assert "理由を入力してください" in keiri.text
        await keiri.visit(f"{june}/unsettle")
        await keiri.send("/unsettle", comment="二重に精算したため")
        assert "精算を取り消しました。" in keiri.text
        assert "二重に精算したため" in keiri.text
        await keiri.visit(DESK)
        ticked = re.search(rf'name="slip" value="({june.rpartition("/")[2]}:\d+)"', keiri.html)
        assert ticked
        await yamada.visit(DESK)
        assert yamada.status == 403
        stale = ticked[1].rpartition(":")[0] + ":1"
        await keiri.send(SETTLE, do="ticked", slip=[stale])
        await keiri.send(SETTLE)
        assert "精算されなかった精算書（1件）" in keiri.text
        assert "他の方が先に更新しました" in keiri.text


@pytest.mark.rule("R93", "R94", "R95", "R96")
async def test_a_month_is_closed_and_reopened(expenses: CommuterStack) -> None:
    async with expenses.signed_in(YAMADA) as yamada, expenses.signed_in(KEIRI) as keiri:
        draft = await file_slip(yamada, "五月の客先", "2026/5/31", "500", submit=False)
        await keiri.visit("/commuter/months")
        assert re.search(r"2026年7月 当月", keiri.text)
        await keiri.visit("/commuter/months/2026-07")
        assert "月が終わってから締められます。" in keiri.text
        await keiri.visit("/commuter/months/2026-05")
        assert re.search(r"山田 太郎 S10 1件", keiri.text)
        await keiri.send("/submission-requests")
        assert "1名に提出を依頼しました。" in keiri.text
        await keiri.send("/closing")
        assert "2026年5月を締めます。よろしいですか。" in keiri.text
        await keiri.send("/closing")
        assert "2026年5月を締めました。" in keiri.text
        await yamada.visit(draft)
        assert "2026年5月は締め済みです。" in yamada.text
        assert re.search(r'id="submit-slip"[^>]* disabled', yamada.html)
        await yamada.visit(f"{draft}/submit")
        assert "2026年5月は締め済みのため、申請できません。" in yamada.text
        await keiri.send("/reopening", reason="")
        assert "締めを解除する理由を入力してください" in keiri.text
        await keiri.send("/reopening", reason="五月分の追加")
        assert "2026年5月の締めを解除しました。" in keiri.text
        assert "五月分の追加" in keiri.text
        await yamada.visit(f"{draft}/submit")
        await yamada.send("/submit")
        assert "申請しました。" in yamada.text


@pytest.mark.rule("R1")
async def test_the_master_lists_employees_without_a_pass_too(expenses: CommuterStack) -> None:
    async with expenses.signed_in(KEIRI) as keiri:
        await keiri.visit("/commuter/passes")
        assert re.search(r"経理 太一 A001 定期区間はありません 編集", keiri.text)
        assert re.search(r"山田 太郎 E101 三鷹―東京", keiri.text)
        await keiri.visit("/commuter/passes?text=経理太一")
        assert ("経理 太一 A001" in keiri.text, "三鷹―東京" in keiri.text.partition("検索")[2]) == (
            True,
            False,
        )
        await keiri.visit("/commuter/passes?text=a00")
        assert re.search(r"社員 1名 .*経理 太一", keiri.text)
        edit = re.search(r'href="(/commuter/passes/new\?employee_id=D01-A001)"', keiri.html)
        assert edit
        await keiri.visit(edit[1])
        assert keiri.form("/commuter/passes/new")["employee_id"] == ["D01-A001"]


async def test_an_item_is_copied_behind_itself(expenses: CommuterStack) -> None:
    async with expenses.signed_in(YAMADA) as yamada:
        slip = await file_slip(yamada, "往復", "2026/7/1", "900", submit=False)
        own = slip.rpartition("/")[2]
        item = re.search(r'value="copy_item:([^"]+)"', yamada.html)
        assert item
        await yamada.send(own, do=f"copy_item:{item[1]}", **{"items.0.amount_yen": "950"})
        form = yamada.form(own)
        assert [form[f"items.{n}.words"] for n in range(2)] == [["タクシー"], ["タクシー"]]
        assert [form[f"items.{n}.amount_yen"] for n in range(2)] == [["950"], ["950"]]
        assert form["items.0.item_id"] != form["items.1.item_id"]


@pytest.mark.rule("R97")
async def test_accounting_enters_a_slip_for_an_employee(expenses: CommuterStack) -> None:
    async with expenses.signed_in(YAMADA) as yamada, expenses.signed_in(KEIRI) as keiri:
        await keiri.visit("/commuter/slips")
        assert "代理で作成" not in keiri.text
        await keiri.visit("/commuter/settings")
        await keiri.send("/settings", delegate_entry="yes")
        await keiri.visit("/commuter/slips")
        await keiri.send("/commuter/slips", employee_id="D01-E101", kind="expense")
        assert "申請者 山田 太郎（経理 太一 が代理で入力）" in keiri.text
        slip, own = keiri.path, keiri.path.rpartition("/")[2]
        await keiri.send(own, title="代理の分", do="save")
        await keiri.visit("/commuter/slips")
        assert "代理の分 代理 山田 太郎" in keiri.text
        await yamada.visit("/commuter/slips")
        assert "代理の分" in yamada.text
        assert "代理で作成" not in yamada.text
        await yamada.visit(slip)
        assert "（経理 太一 が代理で入力）" in yamada.text
