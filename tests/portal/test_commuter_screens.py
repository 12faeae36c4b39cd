"""Commuter screens, used without scripts."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from portal_service.pass_timeline import pass_timeline
from shared.auth import Principal
from shared.testing.databases import TestDatabases

from .commuter_stack import (
    FRIDAY,
    KEIRI,
    SATO,
    SUZUKI,
    TANAKA,
    YAMADA,
    CommuterStack,
    open_commuter_stack,
)
from .portal_stack import PortalUser


@pytest.fixture
async def expenses(databases: TestDatabases) -> AsyncIterator[CommuterStack]:
    async with open_commuter_stack(databases.create) as everything:
        yield everything


async def decide_route(user: PortalUser, form: str, start: str, end: str, **typed: str) -> None:
    """区間を入力 → 乗換案内 → 経路を選択 → 決定."""
    await user.send(form, start=start, end=end, do="look_up", **typed)
    routes = re.findall(r'name="candidate"[^>]* value="([^"]+)"', user.html)
    assert routes, user.text[:600]
    await user.send(form, candidate=routes[0], do="decide")


def slip_of(user: PortalUser, title: str) -> str:
    found = re.search(rf'href="(/commuter/slips/[0-9a-f-]{{36}})">{re.escape(title)}', user.html)
    assert found, user.text[:600]
    return found[1]


@pytest.mark.rule("R1", "R3", "R4", "R5")
async def test_an_administrator_registers_a_pass_by_the_manuals_steps(
    expenses: CommuterStack,
) -> None:
    async with expenses.signed_in(KEIRI) as keiri:
        await keiri.visit("/commuter/passes/new")
        assert "終了日を設定しない場合はその定期区間で控除され続けます。" in keiri.text
        form = "/commuter/passes/new"
        await keiri.send(form, employee_id="D01-E201", start="東京", end="新宿", do="save")
        assert "乗換案内で経路を決定してください" in keiri.text
        await decide_route(keiri, form, "東京", "新宿", starts_on="2026/4/1")
        await keiri.send(form, do="save")
        assert "定期区間を確定しました" in keiri.text
        assert re.search(r"鈴木 花子 E201 東京―新宿 .* 2026/04/01~ 確定", keiri.text)


@pytest.mark.rule("R6", "R4")
async def test_an_invalid_period_keeps_the_input(expenses: CommuterStack) -> None:
    async with expenses.signed_in(YAMADA) as yamada:
        await yamada.visit("/commuter/my-passes/new")
        form = "/commuter/my-passes/new"
        await yamada.send(form, start="三鷹", end="新宿", starts_on="昨日", do="look_up")
        assert "日付は" in yamada.error_for("starts_on")
        assert yamada.form(form)["start"] == ["三鷹"]
        await yamada.send(
            form, start="三鷹", starts_on="2026/8/1", ends_on="2026/7/1", do="look_up"
        )
        await decide_route(yamada, form, "三鷹", "新宿")
        assert yamada.status == 422
        assert "より前です" in yamada.text
        await yamada.send(form, start="高円", end="新宿", starts_on="", ends_on="", do="look_up")
        assert "高円寺" in yamada.text  # an alternative name to choose


@pytest.mark.rule("R8", "R20", "R21", "R22", "R24", "R26", "R28")
async def test_from_application_to_confirmation(expenses: CommuterStack) -> None:
    async with expenses.signed_in(YAMADA) as yamada, expenses.signed_in(KEIRI) as keiri:
        await yamada.visit("/commuter/my-passes/new")
        form = "/commuter/my-passes/new"
        await decide_route(yamada, form, "三鷹", "新宿", starts_on="2026/8/1")
        assert "期間が重なっています" in yamada.text
        assert "古い定期区間の終了日を 2026/07/31(金) にする" in yamada.text
        await yamada.send(form, do="save")
        assert "管理者が確定するまで控除されません" in yamada.text
        assert "定期区間「三鷹―東京」" in yamada.text  # the overlap is still said
        assert "乗換案内を利用する申請種別は利用できません" in yamada.text
        await yamada.visit("/commuter/slips")
        assert "未確定の定期区間があるため" in yamada.text
        closed = re.findall(r"<button[^>]*disabled[^>]*>([^<]+)</button>", yamada.html)
        assert closed == ["交通費精算", "出張申請", "出張精算", "海外出張申請", "海外出張精算"]

        await keiri.visit("/commuter/confirmations")
        found = re.search(r"山田 太郎.*?/commuter/passes/([0-9a-f-]{36})", keiri.html, re.DOTALL)
        assert found
        await keiri.visit(f"/commuter/passes/{found[1]}")
        await keiri.send("/end")  # the proposed end date, by one click
        assert "終了日を設定しました。" in keiri.text
        assert "期間が重なっています" not in keiri.text
        await keiri.send("/confirmation", ends_on="2027/1/31")
        assert "確定しました。申請者へメールでお知らせします。" in keiri.text
        assert "2026/08/01~2027/01/31" in keiri.text
        await yamada.visit("/commuter/my-passes")
        assert "2026/08/01~2027/01/31 確定" in yamada.text
        await yamada.visit("/commuter/slips")
        assert "未確定の定期区間があるため" not in yamada.text


@pytest.mark.rule("R8", "R9", "R24")
@pytest.mark.parametrize("where", ["editor", "list"])
async def test_an_applicant_ends_the_old_pass_by_one_click(
    expenses: CommuterStack, where: str
) -> None:
    async with expenses.signed_in(YAMADA) as yamada, expenses.signed_in(KEIRI) as keiri:
        form = "/commuter/my-passes/new"
        await yamada.visit(form)
        await decide_route(yamada, form, "三鷹", "新宿", starts_on="2026/8/1")
        if where == "editor":
            offered = re.search(r'name="do" value="(end:[^"]+:2026-07-31)"', yamada.html)
            assert offered
            await yamada.send(form, do=offered[1])
            assert "終了日の変更を申請しました" in yamada.text
            assert "期間が重なっています" not in yamada.text
            await yamada.send(form, do="save")
        else:
            await yamada.send(form, do="save")
            assert "期間が重なっています" in yamada.text
            await yamada.send("/end")
            assert "終了日の変更を申請しました" in yamada.text
        assert "期間が重なっています" not in yamada.text
        assert re.search(r"三鷹―東京 .*~2026/07/31 未確定", yamada.text)
        await keiri.visit("/commuter/confirmations")
        assert keiri.html.count('name="pass"') == 3  # the demo's, the new one, and the end


@pytest.mark.rule("R25", "R26", "R33")
async def test_the_list_confirms_and_the_detail_page_rejects(expenses: CommuterStack) -> None:
    async with expenses.signed_in(SUZUKI) as suzuki, expenses.signed_in(KEIRI) as keiri:
        await suzuki.visit("/commuter/my-passes/new")
        await decide_route(suzuki, "/commuter/my-passes/new", "東京", "品川")
        await suzuki.send("/commuter/my-passes/new", do="save")
        await keiri.visit("/commuter/confirmations")
        pairs = re.findall(r'name="pass" value="([^"]+)"', keiri.html)
        assert len(pairs) == 2
        await keiri.send("/commuter/confirmations")
        assert "確定する定期区間を選択してください。" in keiri.text
        await keiri.send("/commuter/confirmations", **{"pass": [pairs[0]]})
        assert "選択した1件の定期区間を確定します。" in keiri.text
        await keiri.send("/commuter/confirmations")
        assert "1件を確定しました。" in keiri.text
        await keiri.visit(f"/commuter/passes/{pairs[1].partition(':')[0]}")
        await keiri.send("/rejection", reason="")
        assert "差戻しの理由を入力してください" in keiri.text
        await keiri.send("/rejection", reason="経路が異なります。")
        await suzuki.visit("/commuter/my-passes")
        assert "差戻しの理由：経路が異なります。" in suzuki.text


@pytest.mark.rule("R27")
async def test_the_menu_follows_the_setting(expenses: CommuterStack) -> None:
    async with expenses.signed_in(KEIRI) as keiri, expenses.signed_in(YAMADA) as yamada:
        await yamada.visit("/")
        assert "定期区間申請の確認" not in yamada.text
        await yamada.visit("/commuter/confirmations")
        assert yamada.status == 403
        await keiri.visit("/")
        assert "定期区間申請の確認" in keiri.text
        await keiri.visit("/commuter/permissions")
        await keiri.send("/permissions/D01-A001", rights=[])
        assert "権限を保存しました。" in keiri.text
        assert "定期区間申請の確認" not in keiri.text.partition("権限マスタ 権限")[0]
        await keiri.send("/permissions/D01-E101", rights=["pass_master"])
        await yamada.visit("/commuter/confirmations")
        assert yamada.status == 200
        assert "定期区間申請の確認" in yamada.text


@pytest.mark.rule("R11", "R19", "R30")
async def test_the_company_saves_its_settings(expenses: CommuterStack) -> None:
    async with expenses.signed_in(KEIRI) as keiri, expenses.signed_in(YAMADA) as yamada:
        await keiri.visit("/commuter/settings")
        offered = re.findall(r'name="retention_days" value="(\d+)"', keiri.html)
        assert offered == ["40", "60", "90", "180"]
        await keiri.send("/settings", retention_days="30")
        assert "40日・60日・90日・180日" in keiri.error_for("retention_days")
        await keiri.send("/settings", retention_days="40", admin_mail="")
        assert "削除することはできません" in keiri.error_for("admin_mail")
        await keiri.send("/settings", admin_mail="a@d01.example.jp", applications_allowed="no")
        assert "システム設定を保存しました。" in keiri.text
        await keiri.send("/settings", yen_per_minute="多い")
        assert "数字で入力してください" in keiri.error_for("yen_per_minute")
        await keiri.send("/settings", media="ic", roundabout_blocks="yes", yen_per_minute="50")
        kept = keiri.form("/settings")
        assert [kept[name] for name in ("media", "without_pass_allowed", "roundabout_blocks")] == [
            ["ic"], ["yes"], ["yes"],
        ]  # fmt: skip
        assert (kept["yen_per_minute"], kept["yen_per_change"]) == (["50"], ["100"])
        await yamada.visit("/commuter/my-passes")
        assert "個人による定期区間の申請は許可されていません" in yamada.text
        assert "/commuter/my-passes/new" not in yamada.html


async def approved_by(expenses: CommuterStack, slip: str, *approvers: Principal) -> None:
    for approver in approvers:
        async with expenses.signed_in(approver) as person:
            await person.visit("/commuter/slips")
            assert slip in person.html
            await person.visit(f"{slip}/approve")
            await person.send("/approve")
            assert "承認しました。" in person.text


@pytest.mark.rule("R40", "R41", "R42", "R43", "R63")
async def test_a_slip_from_the_look_up_to_the_last_approval(expenses: CommuterStack) -> None:
    async with expenses.signed_in(YAMADA) as yamada:
        await yamada.visit("/commuter/slips")
        await yamada.send("/commuter/slips", kind="transport")
        slip = yamada.path
        own = slip.rpartition("/")[2]
        assert "申請者の定期区間 区間 経路 期間 状態 三鷹―東京" in yamada.text
        await yamada.send(own, title="訪問", do="add")
        (item,) = re.findall(r'name="items.0.item_id" value="([^"]+)"', yamada.html)
        typed = {"items.0.item_on": "2026/7/9"}
        await yamada.send(own, do=f"look_up:{item}", **typed)
        assert yamada.text.count("乗換案内")
        asked = "start=三鷹&end=品川&via=&on=2026/7/9&medium=ic&round_trip=yes&order=charged"
        await yamada.visit(f"{yamada.path}?{asked}")
        best = re.search(r'name="candidate"[^>]* value="([^"]+)"', yamada.html)
        assert best
        assert 'class="strip"' in yamada.html
        await yamada.send("green_yen=", candidate=best[1])
        assert "経路を決定しました" in yamada.text
        assert "418円" in yamada.text  # 209 each way beyond the pass
        assert "定期区間外の運賃の方が安い" in yamada.text
        await yamada.send(own, do="save", **{"items.0.item_on": "2026/1/9"})
        warning = (
            "乗換案内の使用後に、明細の日付が変更されたため、定期区間控除の判定ができませんでした。"
        )
        assert warning in yamada.text
        await yamada.visit(slip)
        assert warning in yamada.text
        await yamada.send(own, do="save", **typed)
        assert warning not in yamada.text
        await yamada.send(own, do="step:submit")
        await yamada.send("/submit")
        assert "承認依頼中" in yamada.text
        await approved_by(expenses, slip, SATO, TANAKA)
        await yamada.visit(slip)
        assert "最終承認完了" in yamada.text
        assert f'href="{slip}/print"' in yamada.html
        printed = await yamada.browser.http.get(f"{slip}/print")
        assert printed.headers["content-type"] == "application/pdf"
        assert printed.content.startswith(b"%PDF")


async def test_missing_fields_are_marked_and_the_input_is_kept(
    expenses: CommuterStack,
) -> None:
    async with expenses.signed_in(YAMADA) as yamada:
        await yamada.visit("/commuter/slips")
        await yamada.send("/commuter/slips", kind="trip")
        own = yamada.path.rpartition("/")[2]
        await yamada.send(own, purpose="研修", do="add")
        await yamada.send(own, do="save", **{"items.0.amount_yen": "千円", "items.0.words": "宿泊"})
        assert "金額は" in yamada.text
        assert yamada.form(own)["items.0.words"] == ["宿泊"]
        await yamada.send(own, do="step:submit", **{"items.0.amount_yen": "8,000"})
        await yamada.send("/submit")
        assert yamada.status == 422
        for words in (
            "件名を入力してください",
            "出張期間を入力してください",
            "日付を入力してください",
        ):
            assert words in yamada.text


async def test_a_copy_is_a_new_draft(expenses: CommuterStack) -> None:
    async with expenses.signed_in(YAMADA) as yamada:
        await yamada.visit("/commuter/slips")
        await yamada.visit(slip_of(yamada, "先週の交通費") + "/copy")
        await yamada.send("/copy")
        assert "コピーしました。" in yamada.text
        assert "一時保存" in yamada.text


async def test_accounting_sees_the_cost_of_a_changed_pass(expenses: CommuterStack) -> None:
    async with expenses.signed_in(KEIRI) as keiri:
        await keiri.visit("/commuter/recheck?first=2026/6/1&last=2026/7/31")
        assert "差のある明細はありません。" in keiri.text
        await keiri.visit("/commuter/recheck?first=2026/7/31&last=2026/6/1")
        assert keiri.status == 422


async def test_the_simulation_compares(expenses: CommuterStack) -> None:
    async with expenses.signed_in(YAMADA) as yamada:
        await yamada.visit("/commuter/simulation")
        await yamada.send(
            "/simulation", start="東京", end="新宿",
            **{"offers.0.months": "1", "offers.0.yen": "8,000",
               "offers.1.start": "三鷹", "offers.1.yen": "200,000"},
        )  # fmt: skip
        assert "20日" in yamada.text
        assert "最も得" in yamada.text
        assert "三鷹" in yamada.text.partition("定期券の比較")[2].partition("経路の候補")[0]
        await yamada.send("/simulation", **{"offers.1.start": "渋夜", "offers.2.via": "新宿"})
        assert "値段を入力してください" in yamada.error_for("offers.2.yen")
        await yamada.send("/simulation", **{"offers.1.start": "渋夜", "offers.2.via": ""})
        assert "駅名が違います" in yamada.error_for("offers.1.start")
        await yamada.send("/simulation", **{"offers.0.via": "京都"}, end="渋夜")
        for field in ("offers.0.via", "offers.1.start", "end"):
            assert yamada.error_for(field)
        await yamada.send("/simulation", start="とうきょーん", days_per_month="20")
        assert "駅名が違います" in yamada.error_for("start")


def test_the_timeline_of_passes_is_in_order_of_time() -> None:
    passes: list[Any] = [
        {"status": "confirmed", "section": "東京―新宿", "period": "~2026/07/31",
         "starts_on": None, "ends_on": "2026-07-31"},
        {"status": "applied", "section": "東京―品川", "period": "2026/08/01~",
         "starts_on": "2026-08-01", "ends_on": None},
        {"status": "withdrawn", "section": "x", "period": "", "starts_on": None, "ends_on": None},
    ]  # fmt: skip
    picture = pass_timeline(passes, FRIDAY.date())
    assert picture is not None
    old, new = picture.bars
    assert old.x + old.width == pytest.approx(new.x)  # the day after the last is the next first
    assert old.x < picture.today_x < new.x
    assert (old.open_start, old.open_end, new.open_end) == (True, False, True)
    assert new.x + new.width <= picture.width
    assert pass_timeline([passes[2]], FRIDAY.date()) is None


async def test_a_person_chooses_their_mails_about_slips(expenses: CommuterStack) -> None:
    async with expenses.signed_in(SATO) as sato:
        await sato.visit("/commuter/my-mails")
        assert "へ送ります" in sato.text
        assert "desk@example.jp" in sato.text  # who they come from
        form = "/commuter/my-mails"
        assert len(sato.form(form)["wanted"]) == 6
        await sato.send(form, wanted=["approval", "remanded"])
        assert "メール通知の設定を保存しました。" in sato.text
        assert sato.form(form)["wanted"] == ["remanded", "approval"]
        await sato.send(form, wanted=[])
        assert "wanted" not in sato.form(form)
