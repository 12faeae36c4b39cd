"""Transfers of settled slips: to whom, how much, each once, and who sees accounts (R104-R106)."""

import asyncio
from typing import Any

import pytest

from .conftest import (
    ADMIN,
    CHIEF,
    HANAKO,
    HEAD,
    OTHER_ADMIN,
    TARO,
    CommuterApi,
    refused,
)

ACCOUNT = {
    "bank_code": "0009", "branch_code": "123", "account_type": "1", "number": "34567",
    "holder": "エイギョウ タロウ",
}  # fmt: skip
PAYER = {
    "enabled": True, "client_code": "12345", "client": "カ）マドグチ", "bank_code": "0001",
    "bank": "ミズホ", "branch_code": "005", "branch": "マルノウチ", "account_type": "2",
    "number": "7654321",
}  # fmt: skip
TRANSFERS = "/accounting/transfers"
PAY_ON = {"pay_on": "2022-07-15"}


@pytest.fixture
async def api(commuter_api: CommuterApi) -> CommuterApi:
    """The company pays by transfer, and 営業太郎 has an account."""
    await commuter_api.put(ADMIN, "/accounting/transfer-settings", PAYER, version=0)
    await commuter_api.put(TARO, "/my-bank-account", ACCOUNT, version=0)
    return commuter_api


async def settled(api: CommuterApi, *yen: int, who: Any = TARO) -> Any:
    items = [{"item_on": "2022/07/11", "words": "駐車場", "amount_yen": one} for one in yen]
    slip = await api.slip(*items, who=who)
    slip = await api.step(who, slip, "submit")
    for approver in (CHIEF, HEAD):
        slip = await api.step(approver, slip, "approve")
    return await api.step(ADMIN, slip, "settle")


async def file_of(api: CommuterApi, transfer: Any) -> list[bytes]:
    path = f"{TRANSFERS}/{transfer['transfer_id']}/zengin.txt"
    answer = await api.request(ADMIN, "GET", path)
    assert answer.headers["content-disposition"].startswith("attachment")
    return answer.content.split(b"\r\n")[:-1]


@pytest.mark.rule("R105", "R106")
async def test_settled_slips_are_transferred_once(api: CommuterApi) -> None:
    await settled(api, 800, 200)
    await settled(api, 1_500)
    await settled(api, 700, who=HANAKO)  # who has no account
    waiting = (await api.get(ADMIN, TRANSFERS))["waiting"]
    assert [(one["name"], one["slips"], one["yen"], bool(one["account"])) for one in waiting] == [
        ("営業太郎", 2, 2_500, True), ("営業花子", 1, 700, False),
    ]  # fmt: skip
    made = await api.post(ADMIN, TRANSFERS, PAY_ON)
    assert (made["slips"], made["payments"], made["total_yen"]) == (2, 1, 2_500)
    header, data, trailer, _ = await file_of(api, made)
    assert header[54:58] == b"0715"
    assert (data[80:90], data[43:50]) == (b"0000002500", b"0034567")
    assert trailer[:19] == b"8000001000000002500"
    refused(await api.request(ADMIN, "POST", TRANSFERS, PAY_ON), 409, "NOTHING_TO_TRANSFER")
    await api.put(
        ADMIN, f"/accounting/bank-accounts/{HANAKO.person_id}",
        {**ACCOUNT, "holder": "エイギョウ ハナコ"}, version=0,
    )  # fmt: skip
    assert (await api.post(ADMIN, TRANSFERS, PAY_ON))["total_yen"] == 700


@pytest.mark.rule("R106")
async def test_a_transfer_is_taken_back_on_purpose_only(api: CommuterApi) -> None:
    slip = await settled(api, 800)
    made = await api.post(ADMIN, TRANSFERS, PAY_ON)
    before = await file_of(api, made)
    await api.put(TARO, "/my-bank-account", {**ACCOUNT, "number": "9"}, version=1)
    assert await file_of(api, made) == before
    path = f"/slips/{slip['slip_id']}/unsettle"
    undo = {"comment": "間違い"}
    answer = await api.request(ADMIN, "POST", path, undo, version=slip["version"])
    refused(answer, 409, "SLIP_TRANSFERRED")
    cancel = f"{TRANSFERS}/{made['transfer_id']}/cancellation"
    refused(await api.request(ADMIN, "POST", cancel, {}), 422, "FORM_ERRORS")
    await api.post(ADMIN, cancel, {"reason": "口座の変更"})
    refused(await api.request(ADMIN, "POST", cancel, {"reason": "x"}), 409, "TRANSFER_CANCELLED")
    gone = await api.request(ADMIN, "GET", f"{TRANSFERS}/{made['transfer_id']}/zengin.txt")
    refused(gone, 409, "TRANSFER_CANCELLED")
    again = await api.post(ADMIN, TRANSFERS, PAY_ON)
    assert (again["number"], again["total_yen"]) == (2, 800)
    assert (await file_of(api, again))[1][43:50] == b"0000009"
    await api.post(ADMIN, f"{TRANSFERS}/{again['transfer_id']}/cancellation", {"reason": "x"})
    assert (await api.post(ADMIN, path, undo, version=slip["version"]))["status"] == "approved"


@pytest.mark.rule("R106")
async def test_two_accountants_at_once_transfer_once(api: CommuterApi) -> None:
    for _ in range(3):
        await settled(api, 800)
    asked = [api.request(ADMIN, "POST", TRANSFERS, PAY_ON) for _ in range(4)]
    answers = await asyncio.gather(*asked)
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    [made] = (await api.get(ADMIN, TRANSFERS))["items"]
    assert made["total_yen"] == 2_400


@pytest.mark.rule("R61", "R104")
async def test_accounts_are_masked_and_the_owners_and_accountings(api: CommuterApi) -> None:
    own = await api.get(TARO, "/my-bank-account")
    assert own["account"] == "銀行 0009 支店 123 普通 ****567"
    assert own["holder"] == "ｴｲｷﾞﾖｳ ﾀﾛｳ"
    assert (await api.get(HANAKO, "/my-bank-account"))["account"] is None
    path = "/accounting/bank-accounts"
    for who in (TARO, CHIEF, HEAD):
        assert (await api.request(who, "GET", path)).status_code == 403
    lines = (await api.get(ADMIN, path))["items"]
    assert "****567" in next(one["account"] for one in lines if one["name"] == "営業太郎")
    assert "34567" not in str(lines)
    foreign = f"{path}/{TARO.person_id}"
    await api.put(OTHER_ADMIN, "/accounting/transfer-settings", PAYER, version=0)
    answer = await api.request(OTHER_ADMIN, "PUT", foreign, ACCOUNT, version=1)
    assert answer.status_code == 404
    trail = await api.events()
    assert "34567" not in str(trail)
    wrong = await api.request(TARO, "PUT", "/my-bank-account", {"holder": "髙橋"}, version=1)
    errors = refused(wrong, 422, "FORM_ERRORS")["errors"]
    assert {one["field"] for one in errors} == {
        "bank_code", "branch_code", "account_type", "number", "holder",
    }  # fmt: skip


@pytest.mark.rule("R104")
async def test_a_company_that_does_not_transfer_keeps_no_accounts(
    commuter_api: CommuterApi,
) -> None:
    answer = await commuter_api.request(TARO, "PUT", "/my-bank-account", ACCOUNT, version=0)
    refused(answer, 409, "TRANSFERS_SWITCHED_OFF")
    refused(
        await commuter_api.request(ADMIN, "POST", TRANSFERS, PAY_ON), 409, "TRANSFERS_SWITCHED_OFF"
    )
    assert await commuter_api.count("bank_account") == 0
