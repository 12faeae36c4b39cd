"""Return journey of a car from the search to 完了, with plain forms."""

import re

from shared.testing.people import SATO, TANAKA, TFC, YAMADA

from .portal_stack import PortalStack, PortalUser


async def report(user: PortalUser, contract_no: str = "C1001", day: str = "2025/7/1") -> str:
    """Fill in 起票画面 and confirm; returns the application's id."""
    await user.visit(f"/contracts/{contract_no}/return/entry")
    await user.send("/return/entry", received_on=day)
    await user.send("/return/entry")
    found = re.fullmatch(r"/returns/(.+)/sent", user.path)
    assert found, user.text
    return found[1]


async def take(user: PortalUser, application_id: str, step: str, **typed: str) -> PortalUser:
    await user.visit(f"/returns/{application_id}/{step}")
    return await user.send(f"/{step}", **typed)


async def test_a_return_goes_from_the_search_to_its_end(portal_stack: PortalStack) -> None:
    async with (
        portal_stack.signed_in(YAMADA) as yamada,
        portal_stack.signed_in(SATO) as sato,
        portal_stack.signed_in(TANAKA) as tanaka,
        portal_stack.signed_in(TFC) as tfc,
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
    async with portal_stack.signed_in(YAMADA) as yamada, portal_stack.signed_in(SATO) as sato:
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


async def test_errors_are_shown_beside_their_fields(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(YAMADA) as yamada:
        await yamada.visit("/contracts/C1003/return/entry")
        await yamada.send("/return/entry", received_on="2025/7/16", contact_3="abc@")
        assert yamada.status == 422
        assert "本日までの日付" in yamada.error_for("received_on")
        assert "形式が正しくありません" in yamada.error_for("contact_3")
        assert yamada.form("/return/entry")["received_on"] == ["2025/7/16"]


async def test_a_version_conflict_shows_the_changes_and_keeps_the_input(
    portal_stack: PortalStack,
) -> None:
    async with portal_stack.signed_in(YAMADA) as yamada, portal_stack.signed_in(SATO) as sato:
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
    async with portal_stack.signed_in(YAMADA) as yamada:
        await yamada.visit("/contracts/C1005/return/entry")
        await yamada.send("/return/entry", received_on="2025/7/1")
        asked = yamada.html
        first = (await yamada.send("/return/entry")).path
        yamada.html = asked
        second = (await yamada.send("/return/entry")).path
        assert first == second


async def test_an_invisible_application_is_not_found(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(YAMADA) as yamada:
        await yamada.visit("/returns/01900000-0000-7000-8000-000000000000")
        assert yamada.status == 404
        assert "お問い合わせ番号" in yamada.text
