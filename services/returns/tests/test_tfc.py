"""TFC's side: by HTTP and by messages of its core; what comes too late is answered."""

from datetime import date
from typing import Any

import pytest

from event_contracts import Event, tfc_returns
from event_contracts.mail import MailFailed, MailOutcomeUnknown, MailSent, MailSuppressed
from event_contracts.returns import ReturnStatusChanged, TfcEventRejected
from returns_service.actions.tfc_steps import UnknownApplication
from shared.testing.people import SATO, TANAKA, TFC, YAMADA

from .conftest import ReturnsApi, T

APPROVED = [(SATO, "approval"), (TANAKA, "approval")]


def message(
    kind: type[tfc_returns.TfcReturnEvent], application_id: str, version: int, **more: Any
) -> Event:
    return kind(dealer_id="D01", application_id=application_id, application_version=version, **more)


async def requested(returns: ReturnsApi) -> str:
    application_id = await returns.submit_new()
    await returns.take_steps(application_id, *APPROVED)
    return application_id


async def test_an_operator_takes_every_step(returns: ReturnsApi) -> None:
    application_id = await requested(returns)
    seen = []
    for step in [
        "acceptance", "hold", "release", "contact-entry", "contact", "contact-entry", "hold",
        "contact-entry", "completion",
    ]:  # fmt: skip
        await returns.take_steps(application_id, (TFC, step))
        seen.append(await returns.status(application_id))
    assert seen == [
        "TFC対応中（取下げ・訂正NG）", "TFC対応保留", "TFC対応中（取下げ・訂正NG）",
        "TFC連絡事項入力中", "TFC対応中（取下げ・訂正NG）", "TFC連絡事項入力中", "TFC対応保留",
        "TFC連絡事項入力中", "完了",
    ]  # fmt: skip


@pytest.mark.parametrize("step", ["hold", "tfc-remand", "completion", "contact-entry"])
async def test_nothing_but_acceptance_at_requested(returns: ReturnsApi, step: str) -> None:
    application_id = await requested(returns)
    answer = await returns(TFC).step(application_id, step, reason="x")
    assert (answer.status_code, answer.json()["code"]) == (409, "STEP_NOT_POSSIBLE")


@pytest.mark.parametrize(
    ("step", "code"),
    [
        ("hold", "REASON_MISSING"),
        ("tfc-remand", "REASON_MISSING"),
        ("contact", "CONTACT_MESSAGE_MISSING"),
    ],
)
async def test_tfc_must_say_why(returns: ReturnsApi, step: str, code: str) -> None:
    application_id = await requested(returns)
    await returns.take_steps(application_id, (TFC, "acceptance"))
    if step == "contact":
        await returns.take_steps(application_id, (TFC, "contact-entry"))
    answer = await returns(TFC).step(application_id, step, reason=" ", message=" ")
    assert (answer.status_code, answer.json()["code"]) == (422, code)


@pytest.mark.rule("D1")
async def test_tfc_sees_an_application_from_its_request_on(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new()
    path = f"/applications/{application_id}"
    assert (await returns(TFC).get(path)).status_code == 404
    assert (await returns(TFC).get("/applications")).json()["items"] == []
    await returns.take_steps(application_id, *APPROVED)
    opened = await returns(TFC).get(path)
    assert {o["action"] for o in opened.json()["actions"] if o["enabled"]} == {"accept"}
    assert len((await returns(TFC).get("/applications", tab="current")).json()["items"]) == 1


async def test_the_core_takes_every_step_by_messages(returns: ReturnsApi) -> None:
    application_id = await requested(returns)
    messages: list[tuple[type[tfc_returns.TfcReturnEvent], dict[str, Any]]] = [
        (tfc_returns.TfcReturnAccepted, {}),
        (tfc_returns.TfcReturnOnHold, {"reason": "書類待ち"}),
        (tfc_returns.TfcReturnHoldReleased, {}),
        (tfc_returns.TfcReturnContactEntryStarted, {}),
        (tfc_returns.TfcReturnContactEntered, {"message": "ご確認ください"}),
        (tfc_returns.TfcReturnRemanded, {"reason_code": "R1", "reason": "受領日の誤り"}),
    ]
    for kind, more in messages:
        changed = [e for e in await returns.published() if isinstance(e, ReturnStatusChanged)]
        version = changed[-1].application_version
        assert version is not None
        await returns.receive(message(kind, application_id, version, **more))
    assert await returns.status(application_id) == "本部承認者手続中（差戻）"
    await returns.take_steps(application_id, (TANAKA, "approval"))
    await returns.receive(message(tfc_returns.TfcReturnAccepted, application_id, 10))
    await returns.receive(
        message(tfc_returns.TfcReturnCompleted, application_id, 11, completed_on=date(2025, 7, 15))
    )
    assert await returns.status(application_id) == "完了"
    assert not [e for e in await returns.published() if isinstance(e, TfcEventRejected)]


@pytest.mark.rule("D123")
async def test_an_acceptance_after_the_withdrawal_is_rejected_with_the_status(
    returns: ReturnsApi,
) -> None:
    application_id = await requested(returns)
    await returns.take_steps(application_id, (YAMADA, "withdrawal"))
    await returns.receive(message(tfc_returns.TfcReturnAccepted, application_id, 3))
    [rejected] = [e for e in await returns.published() if isinstance(e, TfcEventRejected)]
    assert rejected.model_dump(include={"action", "application_version", "current_version"}) == {
        "action": "accept",
        "application_version": 3,
        "current_version": 4,
    }
    assert rejected.current_status == "WITHDRAWN"
    assert await returns.status(application_id) == "取下げ"


async def test_a_stale_version_is_rejected_and_changes_nothing(returns: ReturnsApi) -> None:
    application_id = await requested(returns)
    before = await returns.rows("SELECT * FROM application")
    await returns.receive(message(tfc_returns.TfcReturnAccepted, application_id, 2))
    assert await returns.rows("SELECT * FROM application") == before
    [rejected] = [e for e in await returns.published() if isinstance(e, TfcEventRejected)]
    assert (rejected.current_version, rejected.current_status) == (3, "REQUESTED")


async def test_a_message_about_nothing_we_know_is_left_to_an_operator(returns: ReturnsApi) -> None:
    application_id = await requested(returns)
    with pytest.raises(UnknownApplication):
        await returns.receive(message(tfc_returns.TfcReturnAccepted, "RA-99999999", 1))
    other_dealer = message(tfc_returns.TfcReturnAccepted, application_id, 3)
    with pytest.raises(UnknownApplication):
        await returns.receive(other_dealer.model_copy(update={"dealer_id": "D02"}))


async def test_the_history_shows_the_result_of_mails(returns: ReturnsApi) -> None:
    application_id = await returns.submit_new()
    mail: dict[str, Any] = {
        "dealer_id": "D01",
        "mail_id": "m-1",
        "mail_kind": "M4",
        "subject_id": application_id,
        "recipient_role": "hq_approver",
    }
    await returns.receive(
        MailSent(**mail, message_id="<1@x>", sent_at=T),
        MailSuppressed(**mail, reason="no_address"),
        MailFailed(**mail, attempts=3),
        MailOutcomeUnknown(**mail, attempts=1),
        MailSent(**(mail | {"subject_id": "PASS-1"}), message_id="<2@x>", sent_at=T),
        MailSent(**(mail | {"dealer_id": "D02"}), message_id="<3@x>", sent_at=T),
    )
    opened = (await returns(YAMADA).get(f"/applications/{application_id}")).json()
    lines = [(line["label"], line["facts"]) for line in opened["history"][1:]]
    facts = {"mail_kind": "M4", "recipient_role": "hq_approver"}
    assert lines == [
        ("承認依頼メールを本部承認者へ送信しました", facts),
        (
            "承認依頼メールを本部承認者へ送信していません（宛先のメールアドレスが未登録）",
            facts | {"reason": "no_address"},
        ),
        ("承認依頼メールを本部承認者へ送信できませんでした", facts),
        ("承認依頼メールを本部承認者へ送信した結果が不明です", facts),
    ]
    assert opened["version"] == 1
