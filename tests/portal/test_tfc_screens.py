"""TFC screens: hold, release, contact and remand of a request, the dealer's view, and masters."""

import pytest

from shared.testing.people import SATO, TANAKA, TFC, YAMADA

from .portal_stack import PortalStack, PortalUser
from .test_return_journey import report, take


async def requested(portal_stack: PortalStack, contract_no: str) -> str:
    """An application that is requested from TFC."""
    async with (
        portal_stack.signed_in(YAMADA) as yamada,
        portal_stack.signed_in(SATO) as sato,
        portal_stack.signed_in(TANAKA) as tanaka,
    ):
        application_id = await report(yamada, contract_no)
        await take(sato, application_id, "approval")
        await take(tanaka, application_id, "approval")
    return application_id


async def chip(user: PortalUser, application_id: str) -> str:
    await user.visit(f"/returns/{application_id}")
    return user.text


async def test_tfc_holds_releases_and_writes_to_the_dealer(portal_stack: PortalStack) -> None:
    application_id = await requested(portal_stack, "C1001")
    async with portal_stack.signed_in(TFC) as tfc, portal_stack.signed_in(YAMADA) as yamada:
        await take(tfc, application_id, "acceptance")
        await tfc.visit(f"/returns/{application_id}/hold")
        assert "トップ 依頼受付 車両返却 保留" in tfc.text  # the list of TFC, not of dealers
        await tfc.send("/hold", reason="")
        assert tfc.status in {409, 422}
        assert tfc.error_for("reason")
        await tfc.send("/hold", reason="車検証の写しを待っています")
        assert "保留にしました。 ステータスは「TFC対応保留」" in tfc.text
        assert "TFC対応保留" in await chip(yamada, application_id)
        await take(tfc, application_id, "release")
        assert "保留を解除しました。" in tfc.text
        await take(tfc, application_id, "contact-entry")
        assert "TFC連絡事項入力中" in await chip(yamada, application_id)
        await tfc.visit(f"/returns/{application_id}/contact")
        await tfc.send("/contact", message="")
        assert tfc.error_for("message")
        await tfc.send("/contact", message="鍵を二本ともお預かりください。")
        assert "連絡事項を登録しました。" in tfc.text
        assert "鍵を二本ともお預かりください。" in await chip(yamada, application_id)


@pytest.mark.rule("D117")
async def test_tfc_remands_and_the_dealer_corrects(portal_stack: PortalStack) -> None:
    application_id = await requested(portal_stack, "C1002")
    async with portal_stack.signed_in(TFC) as tfc, portal_stack.signed_in(TANAKA) as tanaka:
        await take(tfc, application_id, "acceptance")
        await tfc.visit(f"/returns/{application_id}/tfc-remand")
        await tfc.send("/tfc-remand", reason="")
        assert tfc.error_for("reason")
        await tfc.send("/tfc-remand", reason="受領日が確認できません")
        assert "差戻しが完了しました。" in tfc.text
        words = await chip(tanaka, application_id)
        assert "本部承認者手続中（差戻）" in words
        assert "受領日が確認できません" in words


async def test_headquarters_takes_over_for_another_originator(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(YAMADA) as yamada, portal_stack.signed_in(TANAKA) as tanaka:
        application_id = await report(yamada, "C1003")
        await tanaka.visit(f"/returns/{application_id}/take-over")
        assert "E102 伊藤 翔" in tanaka.text
        await tanaka.send("/take-over")
        assert tanaka.error_for("new_originator_id")
        await tanaka.send("/take-over", new_originator_id="D01-E102")
        assert "引継ぎが完了しました。" in tanaka.text
        assert "伊藤 翔" in tanaka.text
        await yamada.visit(f"/returns/{application_id}/correction")
        await yamada.send("/correction", received_on="2025/7/2")
        assert yamada.status in {403, 409}  # refused before it is asked


async def test_only_tfc_can_search_masters(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(TFC) as tfc, portal_stack.signed_in(TANAKA) as tanaka:
        assert (await tanaka.visit("/tfc/masters")).status == 403
        await tfc.visit("/tfc/masters")
        assert "みなと自動車販売" in tfc.text
        assert "プリウス" in tfc.text
        await tfc.visit("/tfc/masters/D01")
        assert "(旧東店) 03-0010-9000 使われていない" in tfc.text
        assert "E101 山田 太郎 S10 営業スタッフ 在籍" in tfc.text
        assert (await tfc.visit("/tfc/masters/D99")).status == 404
