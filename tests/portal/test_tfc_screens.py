"""What TFC does with a request besides completing it, and what the dealer then sees; masters."""

import pytest

from .counter import SATO, TANAKA, TFC, YAMADA, Counter, Visitor
from .test_return_walk import report, take


async def requested(counter: Counter, contract_no: str) -> str:
    """An application that TFC is asked for."""
    async with counter.of(YAMADA) as yamada, counter.of(SATO) as sato, counter.of(TANAKA) as tanaka:
        application_id = await report(yamada, contract_no)
        await take(sato, application_id, "approval")
        await take(tanaka, application_id, "approval")
    return application_id


async def chip(visitor: Visitor, application_id: str) -> str:
    await visitor.go(f"/returns/{application_id}")
    return visitor.words


async def test_tfc_holds_releases_and_writes_to_the_dealer(counter: Counter) -> None:
    application_id = await requested(counter, "C1001")
    async with counter.of(TFC) as tfc, counter.of(YAMADA) as yamada:
        await take(tfc, application_id, "acceptance")
        await tfc.go(f"/returns/{application_id}/hold")
        await tfc.send("/hold", reason="")
        assert tfc.status in {409, 422}
        assert tfc.beside("reason")
        await tfc.send("/hold", reason="車検証の写しを待っています")
        assert "保留にしました。 ステータスは「TFC対応保留」" in tfc.words
        assert "TFC対応保留" in await chip(yamada, application_id)
        await take(tfc, application_id, "release")
        assert "保留を解除しました。" in tfc.words
        await take(tfc, application_id, "contact-entry")
        assert "TFC連絡事項入力中" in await chip(yamada, application_id)
        await tfc.go(f"/returns/{application_id}/contact")
        await tfc.send("/contact", message="")
        assert tfc.beside("message")
        await tfc.send("/contact", message="鍵を二本ともお預かりください。")
        assert "連絡事項を登録しました。" in tfc.words
        assert "鍵を二本ともお預かりください。" in await chip(yamada, application_id)


@pytest.mark.rule("D117")
async def test_tfc_remands_and_the_dealer_corrects(counter: Counter) -> None:
    application_id = await requested(counter, "C1002")
    async with counter.of(TFC) as tfc, counter.of(TANAKA) as tanaka:
        await take(tfc, application_id, "acceptance")
        await tfc.go(f"/returns/{application_id}/tfc-remand")
        await tfc.send("/tfc-remand", reason="")
        assert tfc.beside("reason")
        await tfc.send("/tfc-remand", reason="受領日が確認できません")
        assert "差戻しが完了しました。" in tfc.words
        words = await chip(tanaka, application_id)
        assert "本部承認者手続中（差戻）" in words
        assert "受領日が確認できません" in words


async def test_headquarters_takes_over_for_another_originator(counter: Counter) -> None:
    async with counter.of(YAMADA) as yamada, counter.of(TANAKA) as tanaka:
        application_id = await report(yamada, "C1003")
        await tanaka.go(f"/returns/{application_id}/take-over")
        assert "E102 伊藤 翔" in tanaka.words
        await tanaka.send("/take-over")
        assert tanaka.beside("new_originator_id")
        await tanaka.send("/take-over", new_originator_id="D01-E102")
        assert "引継ぎが完了しました。" in tanaka.words
        assert "伊藤 翔" in tanaka.words
        await yamada.go(f"/returns/{application_id}/correction")
        await yamada.send("/correction", received_on="2025/7/2")
        await yamada.send("/correction")
        assert yamada.status in {403, 409}


async def test_masters_are_looked_up_by_tfc_alone(counter: Counter) -> None:
    async with counter.of(TFC) as tfc, counter.of(TANAKA) as tanaka:
        assert (await tanaka.go("/tfc/masters")).status == 403
        await tfc.go("/tfc/masters")
        assert "みなと自動車販売" in tfc.words
        assert "プリウス" in tfc.words
        await tfc.go("/tfc/masters/D01")
        assert "(旧東店) 03-0010-9000 使われていない" in tfc.words
        assert "E101 山田 太郎 S10 営業スタッフ 在籍" in tfc.words
        assert (await tfc.go("/tfc/masters/D99")).status == 404
