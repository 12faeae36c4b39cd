"""Contract detail (顧客詳細): data, memo, buttons, printed form."""

from datetime import date

import pytest

from contracts_service.policy import ReflectedBy
from event_contracts.contract import NoteSaved, PaymentConfirmationPrinted

from .conftest import ContractsApi, OpenContractsApi


@pytest.mark.rule("D46")
async def test_the_contract_is_shown(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    detail = await contracts_api.detail("C1", "E101")
    assert detail["product"]["name"] == "ガンマファイナンス"
    assert detail["final_on"] == "2025-12-31"
    assert (detail["vehicle"]["model"], detail["loan"]["instalments"]) == ("プリウス", 60)
    assert detail["staff"] == {"code": "E101", "name": "山田 太郎"}


@pytest.mark.rule("D47")
async def test_the_memo_is_shared_inside_the_store(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    saved = await contracts_api.change(
        "E101", "PUT", "/contracts/C1/memo", {"text": "査定120万円"}, 0
    )
    assert (saved.status_code, saved.headers["etag"]) == (200, '"1"')
    assert (await contracts_api.detail("C1", "M100"))["memo"]["text"] == "査定120万円"
    assert (await contracts_api.get("E201", "/contracts/C1")).status_code == 404
    seen_by_hq = (await contracts_api.detail("C1", "H001"))["memo"]
    assert (seen_by_hq["text"], seen_by_hq["editable"]) == ("査定120万円", False)
    (published,) = await contracts_api.events(NoteSaved)
    assert "査定" not in published.model_dump_json()


@pytest.mark.rule("D47", "D142")
async def test_the_memo_moves_with_the_contract(open_contracts_api: OpenContractsApi) -> None:
    contracts_api = await open_contracts_api(reflection=ReflectedBy.SELF)
    await contracts_api.contract("C1")
    path = "/contracts/C1/memo"
    await contracts_api.change("E101", "PUT", path, {"text": "査定120万円"}, 0)
    await contracts_api.change(
        "M100", "POST", "/contracts/C1/assignment-change", {"to_store": "S20"}
    )
    contracts_api.clock.set(date(2025, 7, 16))
    for code in ("E101", "E201"):
        answer = await contracts_api.change(code, "PUT", path, {"text": "x"}, 1)
        assert answer.status_code == 404
    contracts_api.clock.set(date(2025, 7, 18))
    await contracts_api.timers()
    assert (await contracts_api.detail("C1", "E201"))["memo"]["text"] == "査定120万円"
    assert (await contracts_api.change("E201", "PUT", path, {"text": "済"}, 1)).status_code == 200
    assert (await contracts_api.change("E101", "PUT", path, {"text": "x"}, 2)).status_code == 404


@pytest.mark.rule("D47")
async def test_who_may_not_write_the_memo(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    body = {"text": "x"}
    assert (
        await contracts_api.change("H001", "PUT", "/contracts/C1/memo", body, 0)
    ).status_code == 403
    assert (
        await contracts_api.change("E201", "PUT", "/contracts/C1/memo", body, 0)
    ).status_code == 404


@pytest.mark.rule("D47")
async def test_two_writers_of_the_memo(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    await contracts_api.change("E101", "PUT", "/contracts/C1/memo", {"text": "first"}, 0)
    second = await contracts_api.change("M100", "PUT", "/contracts/C1/memo", {"text": "second"}, 0)
    assert (second.status_code, second.json()["facts"]) == (412, {"current_version": 1})
    assert (await contracts_api.detail("C1"))["memo"]["text"] == "first"
    long = await contracts_api.change("E101", "PUT", "/contracts/C1/memo", {"text": "あ" * 2001}, 1)
    assert long.status_code == 422


@pytest.mark.rule("D48")
async def test_five_buttons_with_reasons(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1", 最終回年月日="2026/04/16")
    actions = (await contracts_api.detail("C1", "E101"))["actions"]
    assert [a["label"] for a in actions] == [
        *("進捗・結果入力", "車両返却結果入力・進捗確認", "再分割シミュレーション"),
        *("お支払方法確認書印刷", "店舗・スタッフ変更"),
    ]
    by_button = {a["button"]: a for a in actions}
    assert by_button["resplit"]["reason"] == "再分割シミュレーションは2025年7月16日から実施可能です"
    assert by_button["change_assignment"]["code"] == "ROLE_MAY_NOT"
    assert by_button["result_entry"]["enabled"]


@pytest.mark.rule("D51", "D65", "D66", "D67")
async def test_the_payment_confirmation(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1", 最終回年月日="2025/09/15")
    path = "/contracts/C1/payment-confirmation.pdf"
    answer = await contracts_api.get("E101", path)
    assert answer.headers["content-type"] == "application/pdf"
    assert b"FontFile" in answer.content
    words = "".join(text_of(answer.content).split())
    for word in (
        *("最終回お支払い方法のご確認", "山本太郎", "東京都渋谷区渋谷1丁目2番3号", "C1"),
        *("現金決済", "車両返却", "申込日", "ご署名", "印", "変更手続き"),
        *("2025-07-15まで", "送付は不要", "貴社で保管"),
    ):
        assert word in words, word
    assert len(await contracts_api.events(PaymentConfirmationPrinted)) == 1
    assert (await contracts_api.get("E201", path)).status_code == 404


def text_of(pdf: bytes) -> str:
    from io import BytesIO

    from pypdf import PdfReader

    return "".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)
