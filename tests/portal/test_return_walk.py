"""A car's return from the search to 完了, as each person does it with forms alone."""

import re

from .counter import SATO, TANAKA, TFC, YAMADA, Counter, Visitor


async def report(visitor: Visitor, contract_no: str = "C1001", day: str = "2025/7/1") -> str:
    """Fill in 起票画面, confirm, and give the application's id."""
    await visitor.go(f"/contracts/{contract_no}/return/entry")
    await visitor.send("/return/entry", received_on=day)
    await visitor.send("/return/entry")
    found = re.fullmatch(r"/returns/(.+)/sent", visitor.path)
    assert found, visitor.words
    return found[1]


async def take(visitor: Visitor, application_id: str, step: str, **typed: str) -> Visitor:
    await visitor.go(f"/returns/{application_id}/{step}")
    return await visitor.send(f"/{step}", **typed)


async def test_a_return_goes_from_the_search_to_its_end(counter: Counter) -> None:
    async with (
        counter.of(YAMADA) as yamada,
        counter.of(SATO) as sato,
        counter.of(TANAKA) as tanaka,
        counter.of(TFC) as tfc,
    ):
        await yamada.go("/contracts?mode=individual&customer_name=山本")
        assert "C1001" in yamada.words
        await yamada.go("/contracts/detail?contract=C1001")
        assert yamada.path == "/contracts/C1001"
        assert "車両返却結果入力・進捗確認" in yamada.words
        await yamada.go("/contracts/C1001/return")
        assert "車両返却 結果入力" in yamada.words
        await yamada.go("/contracts/C1001/return/entry")
        assert yamada.form("/return/entry")["kind"] == ["RETURNED"]
        assert yamada.form("/return/entry")["completion_mail"] == ["yes"]
        await yamada.send("/return/entry", received_on="令和7年7月1日")
        assert "よろしいですか" in yamada.words
        assert "2025/07/01(火)" in yamada.words
        await yamada.send("/return/entry")
        assert "送信が完了しました" in yamada.words
        assert "承認者へ承認依頼のご連絡をお願いします" in yamada.words
        application_id = yamada.path.split("/")[2]

        await sato.go("/returns")
        assert "店舗承認者手続中" in sato.words
        assert "あなたの手続待ち" in sato.words
        await take(sato, application_id, "approval")
        assert "承認しました。 ステータスは「本部承認者手続中」" in sato.words
        await take(tanaka, application_id, "approval")
        await tfc.go("/tfc/requests")
        assert "依頼中" in tfc.words
        await take(tfc, application_id, "acceptance")
        await take(tfc, application_id, "completion")
        assert "手続きが完了しました" in tfc.words

        await yamada.go("/returns?tab=past")
        assert "完了" in yamada.words
        assert "C1001" in yamada.words


async def test_remanded_and_corrected(counter: Counter) -> None:
    async with counter.of(YAMADA) as yamada, counter.of(SATO) as sato:
        application_id = await report(yamada, "C1002")
        await take(sato, application_id, "remand", comment="受領日を確認してください")
        assert "差戻しが完了しました。" in sato.words
        await yamada.go(f"/returns/{application_id}")
        assert "受領日を確認してください" in yamada.words
        await yamada.go(f"/returns/{application_id}/correction")
        assert yamada.form("/correction")["received_on"] == ["2025/07/01"]
        await yamada.send("/correction", received_on="2025/7/2")
        await yamada.send("/correction")
        assert "訂正が完了しました。" in yamada.words
        assert "2025/07/01(火) → 変更後： 2025/07/02(水)" in yamada.words


async def test_what_is_wrong_stands_beside_its_field(counter: Counter) -> None:
    async with counter.of(YAMADA) as yamada:
        await yamada.go("/contracts/C1003/return/entry")
        await yamada.send("/return/entry", received_on="2025/7/16", contact_3="abc@")
        assert yamada.status == 422
        assert "本日までの日付" in yamada.beside("received_on")
        assert "形式が正しくありません" in yamada.beside("contact_3")
        assert yamada.form("/return/entry")["received_on"] == ["2025/7/16"]


async def test_a_lost_race_shows_what_changed_and_keeps_the_input(counter: Counter) -> None:
    async with counter.of(YAMADA) as yamada, counter.of(SATO) as sato:
        application_id = await report(yamada, "C1003")
        await sato.go(f"/returns/{application_id}/remand")
        await take(yamada, application_id, "withdrawal")
        assert "取下げが完了しました。" in yamada.words
        await sato.send("/remand", comment="まだ間に合いますか")
        assert sato.status == 409
        assert "あなたが開いたあとに変わったこと" in sato.words
        assert "取下げ" in sato.words
        assert sato.form("/remand")["comment"] == ["まだ間に合いますか"]


async def test_a_double_click_sends_once(counter: Counter) -> None:
    async with counter.of(YAMADA) as yamada:
        await yamada.go("/contracts/C1005/return/entry")
        await yamada.send("/return/entry", received_on="2025/7/1")
        asked = yamada.html
        first = (await yamada.send("/return/entry")).path
        yamada.html = asked
        second = (await yamada.send("/return/entry")).path
        assert first == second


async def test_what_one_may_not_see_is_not_found(counter: Counter) -> None:
    async with counter.of(YAMADA) as yamada:
        await yamada.go("/returns/01900000-0000-7000-8000-000000000000")
        assert yamada.status == 404
        assert "お問い合わせ番号" in yamada.words
