"""Approval screens: 進捗一覧, the approvers' pages, and unavailable parts."""

import pytest

from shared.testing.people import SATO, SUZUKI, TANAKA, TFC, YAMADA

from .portal_stack import PortalStack
from .test_return_journey import report, take


@pytest.mark.rule("D100", "D103", "D106")
async def test_checked_statuses_take_effect_when_applied(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(YAMADA) as yamada:
        await report(yamada, "C1001")
        await yamada.visit("/returns?tick=REQUESTED")
        assert "C1001" in yamada.text
        await yamada.visit("/returns?tick=REQUESTED&apply=yes")
        assert "この条件に合う申込はありません。" in yamada.text
        await yamada.visit("/returns?status=STORE_PENDING&status=HQ_PENDING")
        assert "C1001" in yamada.text
        await yamada.visit("/returns?tab=past")
        assert "この条件に合う申込はありません。" in yamada.text
        await yamada.visit("/returns?updated_from=昨日")
        assert "日付は" in yamada.error_for("updated_from")


@pytest.mark.rule("D96", "D98", "D106", "D120")
async def test_counts_lead_to_rows_and_questions_name_the_receiver(
    portal_stack: PortalStack,
) -> None:
    async with (
        portal_stack.signed_in(YAMADA) as yamada,
        portal_stack.signed_in(SATO) as sato,
        portal_stack.signed_in(TFC) as tfc,
    ):
        application_id = await report(yamada, "C1004")
        await yamada.visit("/returns")
        link = "/returns?tab=current&amp;status=STORE_PENDING&amp;status=HQ_PENDING"
        assert f'href="{link}"' in yamada.html
        await yamada.visit("/returns?tab=current&status=STORE_PENDING&status=HQ_PENDING")
        assert "C1004" in yamada.text
        assert "検索条件：店舗承認者手続中、本部承認者手続中" in yamada.text
        await yamada.visit(f"/returns?reception_no={int(application_id[3:])}")
        assert application_id in yamada.text
        await yamada.visit(f"/returns/{application_id}")
        assert f"受付番号 {application_id}" in yamada.text
        await yamada.visit("/returns?updated_from=2025/7/15&updated_to=2025/7/1")
        assert "開始日は終了日以前" in yamada.error_for("updated_to")
        await sato.visit(f"/returns/{application_id}/remand")
        assert "次の手続者は 山田 太郎（起票者） です。" in sato.text
        await sato.visit(f"/returns/{application_id}/approval")
        assert "（本部承認者） です。" in sato.text
        await tfc.visit("/tfc/requests")
        assert "販売店手続中" in tfc.text
        assert "貴社手続中" not in tfc.text
        assert "トヨタファイナンス" in tfc.text


@pytest.mark.rule("D113", "D115", "D117")
async def test_headquarters_remands_with_a_note(portal_stack: PortalStack) -> None:
    async with (
        portal_stack.signed_in(YAMADA) as yamada,
        portal_stack.signed_in(SATO) as sato,
        portal_stack.signed_in(TANAKA) as tanaka,
    ):
        application_id = await report(yamada, "C1003")
        await take(sato, application_id, "approval", contact_3="sato@d01.example.jp")
        await tanaka.visit(f"/returns/{application_id}")
        await tanaka.send("/dealer-note", dealer_note="受領日を確認してください")
        assert "貴社連絡欄を保存しました。" in tanaka.text
        await take(tanaka, application_id, "remand", comment="日付の確認")
        assert "差戻し先へメールを送信します。" in tanaka.text
        await sato.visit(f"/returns/{application_id}")
        assert "受領日を確認してください" in sato.text
        assert "日付の確認" in sato.text
        assert "店舗承認者手続中（差戻）" in sato.text


@pytest.mark.rule("D114")
async def test_an_approver_overwrites_and_approves(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(YAMADA) as yamada, portal_stack.signed_in(SATO) as sato:
        application_id = await report(yamada, "C1002")
        await sato.visit(f"/returns/{application_id}/overwriting")
        await sato.send("/overwriting", received_on="2025/7/20")
        await sato.send("/overwriting")
        assert "本日までの日付" in sato.error_for("received_on")
        await sato.send("/overwriting", received_on="2025/7/2")
        await sato.send("/overwriting")
        assert "ステータスは「本部承認者手続中」になりました。" in sato.text
        assert "変更後： 2025/07/02(水)" in sato.text


async def test_bulk_approval_shows_the_result_of_each(
    portal_stack: PortalStack,
) -> None:
    async with portal_stack.signed_in(YAMADA) as yamada, portal_stack.signed_in(SATO) as sato:
        application_id = await report(yamada, "C1005")
        await sato.visit("/returns/approvals")
        assert "C1005" in sato.text
        await sato.send("/approvals")
        assert "承認する申込を選択してください。" in sato.text
        await sato.send("/approvals", application=[f"{application_id}:1", "RA-99999999:1"])
        assert "選択した2件の申込を承認します。" in sato.text
        await sato.send("/approvals")
        assert "1件を承認しました（1件は承認できませんでした）" in sato.text


@pytest.mark.rule("D153")
async def test_headquarters_sets_the_approval_flow(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(TANAKA) as tanaka, portal_stack.signed_in(SATO) as sato:
        assert (await sato.visit("/approval-flow")).status == 403
        await tanaka.visit("/approval-flow")
        assert sorted(tanaka.form("/approval-flow")["levels"]) == ["hq_approval", "store_approval"]
        await tanaka.send("/approval-flow", hq_mails="hq@d01.example.jp\nnobody\nbad@@x")
        assert tanaka.status == 422
        assert "よろしいですか" not in tanaka.text
        assert "2行目「nobody」：メールアドレスの形式が正しくありません" in tanaka.text
        assert "3行目「bad@@x」：" in tanaka.text
        await tanaka.send("/approval-flow", hq_mails="hq@d01.example.jp\nhq2@d01.example.jp")
        await tanaka.send("/approval-flow")
        assert "承認フローを保存しました。" in tanaka.text


async def test_a_manager_adds_and_removes_a_substitute(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(SATO) as sato:
        await sato.visit("/substitutes")
        await sato.send("/substitutes", from_on="", to_on="きのう")
        assert "日付は" in sato.error_for("to_on")
        assert "開始日を入力してください" in sato.error_for("from_on")
        assert "代理承認者を選択してください" in sato.error_for("substitute_id")
        await sato.send(
            "/substitutes", substitute_id="D01-M100", from_on="2025/7/16", to_on="2025/7/18"
        )
        assert "同じ販売店の有効な別の担当者" in sato.error_for("substitute_id")
        await sato.send(
            "/substitutes", substitute_id="D01-E101", from_on="2025/7/16", to_on="2025/7/18"
        )
        assert "この内容で代理承認者を登録します。" in sato.text
        await sato.send("/substitutes")
        assert "代理承認者を登録しました。" in sato.text
        assert "2025/07/16(水)" in sato.text
        await sato.send("/end")
        await sato.send("/end")
        assert "代理を取り消しました。" in sato.text


@pytest.mark.rule("D97")
async def test_the_entry_is_printed_after_sending(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(YAMADA) as yamada:
        application_id = await report(yamada, "C1006")
        reply = await yamada.browser.http.get(f"/returns/{application_id}/print")
    assert reply.content.startswith(b"%PDF")


@pytest.mark.rule("D1", "D2")
async def test_other_dealers_find_nothing_and_tfc_cannot_originate(
    portal_stack: PortalStack,
) -> None:
    async with portal_stack.signed_in(SUZUKI) as suzuki, portal_stack.signed_in(TFC) as tfc:
        assert (await suzuki.visit("/returns/RA-00000001")).status == 404
        assert (await tfc.visit("/contracts/C1001/return/entry")).status == 403
        assert (await tfc.visit("/returns/RA-00000001/unheard-of")).status == 404


async def test_an_unavailable_part_leaves_the_rest(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(TANAKA) as tanaka:
        await tanaka.visit("/operation/mails")
        assert tanaka.status == 200
        assert "通知メールの情報を表示できません。" in tanaka.text
