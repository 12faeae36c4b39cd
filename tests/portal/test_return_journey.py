"""A car's return from the search to 完了, as each person does it with forms alone."""

import re

from .portal_stack import SATO, TANAKA, TFC, YAMADA, PortalStack, Visitor


async def report(visitor: Visitor, contract_no: str = "C1001", day: str = "2025/7/1") -> str:
    """Fill in 起票画面, confirm, and give the application's id."""
    await visitor.visit(f"/contracts/{contract_no}/return/entry")
    await visitor.send("/return/entry", received_on=day)
    await visitor.send("/return/entry")
    found = re.fullmatch(r"/returns/(.+)/sent", visitor.path)
    assert found, visitor.text
    return found[1]


async def take(visitor: Visitor, application_id: str, step: str, **typed: str) -> Visitor:
    await visitor.visit(f"/returns/{application_id}/{step}")
    return await visitor.send(f"/{step}", **typed)


async def test_a_return_goes_from_the_search_to_its_end(portal_stack: PortalStack) -> None:
    async with (
        portal_stack.visitor(YAMADA) as yamada,
        portal_stack.visitor(SATO) as sato,
        portal_stack.visitor(TANAKA) as tanaka,
        portal_stack.visitor(TFC) as tfc,
    ):
        await yamada.visit("/contracts?mode=individual&customer_name=山本")
        assert "C1001" in yamada.text
        await yamada.visit("/contracts/detail?contract=C1001")
        assert yamada.path == "/contracts/C1001"
        assert "車両返却結果入力・進捗確認" in yamada.text
        await yamada.visit("/contracts/C1001/return")
        assert "車両返却 結果入力" in yamada.text
        await yamada.visit("/contracts/C1001/return/entry")
        assert yamada.form("/return/entry")["kind"] == ["RETURNED"]
        assert yamada.form("/return/entry")["completion_mail"] == ["yes"]
        await yamada.send("/return/entry", received_on="令和7年7月1日")
        assert "よろしいですか" in yamada.text
        assert "2025/07/01(火)" in yamada.text
        await yamada.send("/return/entry")
        assert "送信が完了しました" in yamada.text
        assert "承認者へ承認依頼のご連絡をお願いします" in yamada.text
        application_id = yamada.path.split("/")[2]

        await sato.visit("/returns")
        assert "店舗承認者手続中" in sato.text
        assert "あなたの手続待ち" in sato.text
        await take(sato, application_id, "approval")
        assert "承認しました。 ステータスは「本部承認者手続中」" in sato.text
        await take(tanaka, application_id, "approval")
        await tfc.visit("/tfc/requests")
        assert "依頼中" in tfc.text
        await take(tfc, application_id, "acceptance")
        await take(tfc, application_id, "completion")
        assert "手続きが完了しました" in tfc.text

        await yamada.visit("/returns?tab=past")
        assert "完了" in yamada.text
        assert "C1001" in yamada.text


async def test_remanded_and_corrected(portal_stack: PortalStack) -> None:
    async with portal_stack.visitor(YAMADA) as yamada, portal_stack.visitor(SATO) as sato:
        application_id = await report(yamada, "C1002")
        await take(sato, application_id, "remand", comment="受領日を確認してください")
        assert "差戻しが完了しました。" in sato.text
        await yamada.visit(f"/returns/{application_id}")
        assert "受領日を確認してください" in yamada.text
        await yamada.visit(f"/returns/{application_id}/correction")
        assert yamada.form("/correction")["received_on"] == ["2025/07/01"]
        await yamada.send("/correction", received_on="2025/7/2")
        await yamada.send("/correction")
        assert "訂正が完了しました。" in yamada.text
        assert "2025/07/01(火) → 変更後： 2025/07/02(水)" in yamada.text


async def test_what_is_wrong_stands_beside_its_field(portal_stack: PortalStack) -> None:
    async with portal_stack.visitor(YAMADA) as yamada:
        await yamada.visit("/contracts/C1003/return/entry")
        await yamada.send("/return/entry", received_on="2025/7/16", contact_3="abc@")
        assert yamada.status == 422
        assert "本日までの日付" in yamada.error_for("received_on")
        assert "形式が正しくありません" in yamada.error_for("contact_3")
        assert yamada.form("/return/entry")["received_on"] == ["2025/7/16"]


async def test_a_lost_race_shows_what_changed_and_keeps_the_input(
    portal_stack: PortalStack,
) -> None:
    async with portal_stack.visitor(YAMADA) as yamada, portal_stack.visitor(SATO) as sato:
        application_id = await report(yamada, "C1003")
        await sato.visit(f"/returns/{application_id}/remand")
        await take(yamada, application_id, "withdrawal")
        assert "取下げが完了しました。" in yamada.text
        await sato.send("/remand", comment="まだ間に合いますか")
        assert sato.status == 409
        assert "あなたが開いたあとに変わったこと" in sato.text
        assert "取下げ" in sato.text
        assert sato.form("/remand")["comment"] == ["まだ間に合いますか"]


async def test_a_double_click_sends_once(portal_stack: PortalStack) -> None:
    async with portal_stack.visitor(YAMADA) as yamada:
        await yamada.visit("/contracts/C1005/return/entry")
        await yamada.send("/return/entry", received_on="2025/7/1")
        asked = yamada.html
        first = (await yamada.send("/return/entry")).path
        yamada.html = asked
        second = (await yamada.send("/return/entry")).path
        assert first == second


async def test_what_one_may_not_see_is_not_found(portal_stack: PortalStack) -> None:
    async with portal_stack.visitor(YAMADA) as yamada:
        await yamada.visit("/returns/01900000-0000-7000-8000-000000000000")
        assert yamada.status == 404
        assert "お問い合わせ番号" in yamada.text
