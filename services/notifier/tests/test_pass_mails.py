"""Commuter pass mails. R27, R29-R33."""

from typing import Any

import pytest

from event_contracts import Event
from event_contracts.commuter import (
    PassApplied,
    PassConfirmed,
    PassEvent,
    PassRegistered,
    PassRejected,
    PassWithdrawn,
)
from shared.testing.stepwise import drain

RULE = "――――――――――――――――――――"


def known(notifier: Any, pass_id: str = "P1", **changes: Any) -> None:
    """Set a pass of 営業太郎 in the commuter service."""
    notifier.desk.applications[pass_id] = {
        "pass_id": pass_id,
        "dealer_id": "D01",
        "applicant_name": "営業太郎",
        "applicant_mail": "taro@d01.example",
        "applied_on": "2018-01-16",
        "reason": None,
        "administrator_mails": ["a@d01.example", "b@d01.example", "admin@d01.example"],
    } | changes


async def receive(notifier: Any, event: type[PassEvent], pass_id: str = "P1", **facts: Any) -> None:
    who = {"dealer_id": "D01", "pass_id": pass_id, "employee_id": "D01-E101"}
    made: Event = event(**(who | facts))
    envelope = notifier.envelope(made, notifier.clock.now())
    for _ in range(2):  # every event may come twice
        await notifier.running.inbox.store([envelope])
    await drain(notifier.running.worker)
    assert await notifier.running.inbox.dead_letters() == []
    await notifier.sender().send_due()


@pytest.mark.rule("R29", "R31", "R30")
async def test_an_application_is_mailed_to_the_administrators(notifier: Any) -> None:
    known(notifier)
    await receive(notifier, PassApplied, applied_on="2018-01-16")
    assert notifier.host.written_to == sorted(
        ["a@d01.example", "admin@d01.example", "b@d01.example"]
    )
    mail = notifier.host.mails[0]
    assert mail["Subject"] == "【楽楽精算】定期区間の申請通知"
    lines = mail.get_content().strip().splitlines()
    assert lines[:4] == [RULE, "営業太郎さんが定期区間を申請しました。", "申請日:2018/01/16", RULE]
    assert "https://portal.example.jp/commuter/confirmations" in lines
    assert mail["From"] == "keihi@d01.example"


@pytest.mark.rule("R29")
async def test_who_stands_twice_is_written_to_once(notifier: Any) -> None:
    known(notifier, administrator_mails=["Admin@d01.example", "admin@d01.example"])
    await receive(notifier, PassApplied, applied_on="2018-01-16")
    assert len(notifier.host.mails) == 1


@pytest.mark.rule("R27", "R29")
async def test_no_mail_without_anyone_who_has_the_permission(notifier: Any) -> None:
    known(notifier, administrator_mails=[])
    await receive(notifier, PassApplied, applied_on="2018-01-16")
    assert notifier.host.mails == []
    assert await notifier.ledger() == [("C1", "administrator", "suppressed", "no_address")]


@pytest.mark.rule("R32")
async def test_a_confirmation_is_mailed_to_the_applicant_only(notifier: Any) -> None:
    known(notifier)
    await receive(notifier, PassConfirmed, decision_id="d1")
    (mail,) = notifier.host.mails
    assert (mail["To"], mail["Subject"]) == ("taro@d01.example", "【楽楽精算】定期区間の確定通知")
    lines = mail.get_content().strip().splitlines()
    assert lines[0] == "申請していた定期区間が確定されました。"
    assert "https://portal.example.jp/commuter/my-passes" in lines


@pytest.mark.rule("R33")
async def test_what_was_confirmed_at_once_is_one_mail(notifier: Any) -> None:
    known(notifier)
    known(notifier, "P2")
    known(notifier, "P3", applicant_mail="hanako@d01.example")
    await receive(notifier, PassConfirmed, "P1", decision_id="d1")
    await receive(notifier, PassConfirmed, "P2", decision_id="d1")
    await receive(notifier, PassConfirmed, "P3", decision_id="d1", employee_id="D01-E102")
    assert notifier.host.written_to == ["hanako@d01.example", "taro@d01.example"]
    await receive(notifier, PassConfirmed, "P1", decision_id="d2")
    assert len(notifier.host.mails) == 3


@pytest.mark.rule("R25")
async def test_a_rejection_is_mailed_with_its_reason(notifier: Any) -> None:
    known(notifier, reason="経路が異なります。")
    await receive(notifier, PassRejected)
    (mail,) = notifier.host.mails
    assert (mail["To"], mail["Subject"]) == ("taro@d01.example", "【楽楽精算】定期区間の差戻し通知")
    assert "理由:経路が異なります。" in mail.get_content()


@pytest.mark.rule("R33")
@pytest.mark.parametrize("event", [PassRegistered, PassWithdrawn])
async def test_registration_and_withdrawal_send_no_mail(
    notifier: Any, event: type[PassEvent]
) -> None:
    known(notifier)
    await receive(notifier, event)
    assert await notifier.ledger() == []


@pytest.mark.rule("R33")
async def test_a_mail_server_that_fails_changes_nothing_but_the_mail(notifier: Any) -> None:
    known(notifier)
    notifier.host.close()
    await receive(notifier, PassConfirmed, decision_id="d1")
    assert await notifier.ledger("state") == [("scheduled",)]
    notifier.host.open()
    await notifier.at_once()
    await notifier.sender().send_due()
    assert notifier.host.written_to == ["taro@d01.example"]
