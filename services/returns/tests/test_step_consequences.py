"""What follows a step, said before it: the receiver, and whether a mail goes out."""

import pytest

from shared.auth import Principal
from shared.testing.people import SATO, TANAKA, TFC, YAMADA

from .conftest import FORM, ReturnsApi

ASK = "メールは送信されません。承認者へ承認依頼のご連絡をお願いします"
NO_MAIL = "メールは送信されません"
Answer = tuple[str | None, bool, str]


async def asked(returns: ReturnsApi, who: Principal, application_id: str, step: str) -> Answer:
    found = await returns(who).get(f"/applications/{application_id}/consequence", step=step)
    answer = found.json()
    return answer["receiver"], answer["mail"], answer["message"]


@pytest.mark.rule("D96", "D120")
async def test_a_step_names_its_receiver_and_its_mail_before_it_is_taken(
    returns: ReturnsApi,
) -> None:
    application_id = await returns.submit_new()
    before = await returns.rows("SELECT * FROM application")
    hq = ("田中 裕子（本部承認者）", True, "承認依頼メールを送信します")
    back = ("山田 太郎（起票者）", True, "差戻しメールを送信します")
    assert await asked(returns, SATO, application_id, "approve") == hq
    assert await asked(returns, SATO, application_id, "remand") == back
    assert await asked(returns, YAMADA, application_id, "withdraw") == (None, False, NO_MAIL)
    assert await asked(returns, YAMADA, application_id, "approve") == (None, False, "")
    assert await returns.rows("SELECT * FROM application") == before


@pytest.mark.rule("D120")
async def test_a_receiver_without_an_address_is_named_before_ok(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new(**(FORM | {"contact_3": None}))
    receiver, mail, message = await asked(returns, SATO, application_id, "remand")
    assert (receiver, mail) == ("山田 太郎（起票者）", False)
    assert "別途連絡" in message


@pytest.mark.rule("D116", "D120")
async def test_the_approver_who_approved_receives_the_remand(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new()
    await returns.take_steps(application_id, (SATO, "approval"))
    receiver, *_ = await asked(returns, TANAKA, application_id, "remand")
    assert receiver == "佐藤 誠（店舗承認者）"
    to_tfc = ("トヨタファイナンス", False, NO_MAIL)
    assert await asked(returns, TANAKA, application_id, "approve") == to_tfc
    await returns.take_steps(application_id, (TANAKA, "approval"), (TFC, "acceptance"))
    done = (None, True, "起票者と承認者へ手続完了メールを送信します")
    assert await asked(returns, TFC, application_id, "complete") == done


@pytest.mark.rule("D94", "D96")
async def test_the_check_of_a_form_says_what_would_be_kept_and_who_is_next(
    returns: ReturnsApi,
) -> None:
    form = FORM | {"contract_no": "C-1001", "contact_1": "（03）1234ー5678"}
    checked = await returns(YAMADA).send("POST", "/applications/check", form)
    answer = checked.json()
    assert answer["entry"]["contact_1"] == "03-1234-5678"
    assert answer["consequence"]["receiver"] == "佐藤 誠（店舗承認者）"
    assert answer["consequence"]["message"] == ASK
    assert answer["doubts"] == []
    long_ago = form | {"received_on": "2016-07-01"}
    answer = (await returns(YAMADA).send("POST", "/applications/check", long_ago)).json()
    assert "初度登録" in answer["doubts"][0]
