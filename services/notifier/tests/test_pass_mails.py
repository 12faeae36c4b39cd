"""The mails about commuter passes R27, R29-R33."""

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


def known(house: Any, pass_id: str = "P1", **changes: Any) -> None:
    """Let the commuter service know a pass of 営業太郎."""
    house.desk.applications[pass_id] = {
        "pass_id": pass_id,
        "dealer_id": "D01",
        "applicant_name": "営業太郎",
        "applicant_mail": "taro@d01.example",
        "applied_on": "2018-01-16",
        "reason": None,
        "administrator_mails": ["a@d01.example", "b@d01.example", "admin@d01.example"],
    } | changes


async def hear(house: Any, event: type[PassEvent], pass_id: str = "P1", **facts: Any) -> None:
    who = {"dealer_id": "D01", "pass_id": pass_id, "employee_id": "D01-E101"}
    made: Event = event(**(who | facts))
    envelope = house.envelope(made, house.clock.now())
    for _ in range(2):  # every event may come twice
        await house.running.inbox.store([envelope])
    await drain(house.running.worker)
    assert await house.running.inbox.dead_letters() == []
    await house.sender().send_due()


@pytest.mark.rule("R29", "R31", "R30")
async def test_an_application_is_told_to_the_administrators(house: Any) -> None:
    known(house)
    await hear(house, PassApplied, applied_on="2018-01-16")
    assert house.host.written_to == sorted(["a@d01.example", "admin@d01.example", "b@d01.example"])
    mail = house.host.mails[0]
    assert mail["Subject"] == "【楽楽精算】定期区間の申請通知"
    lines = mail.get_content().strip().splitlines()
    assert lines == [RULE, "営業太郎さんが定期区間を申請しました。", "申請日:2018/01/16", RULE]


@pytest.mark.rule("R29")
async def test_who_stands_twice_is_written_to_once(house: Any) -> None:
    known(house, administrator_mails=["Admin@d01.example", "admin@d01.example"])
    await hear(house, PassApplied, applied_on="2018-01-16")
    assert len(house.host.mails) == 1


@pytest.mark.rule("R27", "R29")
async def test_nobody_is_told_where_nobody_has_the_permission(house: Any) -> None:
    known(house, administrator_mails=[])
    await hear(house, PassApplied, applied_on="2018-01-16")
    assert house.host.mails == []
    assert await house.ledger() == [("C1", "administrator", "suppressed", "no_address")]


@pytest.mark.rule("R32")
async def test_a_confirmation_is_told_to_the_applicant_alone(house: Any) -> None:
    known(house)
    await hear(house, PassConfirmed, decision_id="d1")
    (mail,) = house.host.mails
    assert (mail["To"], mail["Subject"]) == ("taro@d01.example", "【楽楽精算】定期区間の確定通知")
    assert mail.get_content().strip() == "申請していた定期区間が確定されました。"


@pytest.mark.rule("R33")
async def test_what_was_confirmed_at_once_is_one_mail(house: Any) -> None:
    known(house)
    known(house, "P2")
    known(house, "P3", applicant_mail="hanako@d01.example")
    await hear(house, PassConfirmed, "P1", decision_id="d1")
    await hear(house, PassConfirmed, "P2", decision_id="d1")
    await hear(house, PassConfirmed, "P3", decision_id="d1", employee_id="D01-E102")
    assert house.host.written_to == ["hanako@d01.example", "taro@d01.example"]
    await hear(house, PassConfirmed, "P1", decision_id="d2")
    assert len(house.host.mails) == 3


@pytest.mark.rule("R25")
async def test_a_rejection_is_told_with_its_reason(house: Any) -> None:
    known(house, reason="経路が異なります。")
    await hear(house, PassRejected)
    (mail,) = house.host.mails
    assert (mail["To"], mail["Subject"]) == ("taro@d01.example", "【楽楽精算】定期区間の差戻し通知")
    assert "理由:経路が異なります。" in mail.get_content()


@pytest.mark.rule("R33")
@pytest.mark.parametrize("event", [PassRegistered, PassWithdrawn])
async def test_registration_and_withdrawal_are_told_to_nobody(
    house: Any, event: type[PassEvent]
) -> None:
    known(house)
    await hear(house, event)
    assert await house.ledger() == []


@pytest.mark.rule("R33")
async def test_a_mail_server_that_fails_changes_nothing_but_the_mail(house: Any) -> None:
    known(house)
    house.host.close()
    await hear(house, PassConfirmed, decision_id="d1")
    assert await house.ledger("state") == [("scheduled",)]
    house.host.open()
    await house.at_once()
    await house.sender().send_due()
    assert house.host.written_to == ["taro@d01.example"]
