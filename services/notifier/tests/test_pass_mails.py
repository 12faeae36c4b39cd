"""Commuter pass mails. R27, R29-R33, R122."""

from typing import Any

import pytest

from event_contracts import Event
from event_contracts.commuter import (
    PassApplied,
    PassConfirmed,
    PassEnding,
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


def ending(notifier: Any, *declined: str, **changes: Any) -> None:
    """Set the end of 営業太郎's pass in the commuter service."""
    mail = changes.pop("mail", "taro@d01.example")
    holder = {"person_id": "D01-E101", "name": "営業太郎", "mail": mail, "declined": list(declined)}
    notifier.desk.applications["2018-03-31"] = {
        "pass_id": "P1", "dealer_id": "D01", "section": "東京―新宿", "ends_on": "2018-03-31",
        "holder": holder, "ends": True,
    } | changes  # fmt: skip


@pytest.mark.rule("R122")
async def test_the_holder_is_reminded_once_for_an_end(notifier: Any) -> None:
    ending(notifier)
    await receive(notifier, PassEnding, ends_on="2018-03-31")
    await receive(notifier, PassEnding, ends_on="2018-03-31")  # announced again
    (mail,) = notifier.host.mails
    assert (mail["To"], mail["Subject"]) == (
        "taro@d01.example", "【楽楽精算】定期区間の終了予告（2018/03/31(土)まで）",
    )  # fmt: skip
    assert "区間　　：東京―新宿" in mail.get_content()
    notifier.desk.applications["2018-09-30"] = {
        **notifier.desk.applications["2018-03-31"], "ends_on": "2018-09-30",
    }  # fmt: skip
    await receive(notifier, PassEnding, ends_on="2018-09-30")
    assert len(notifier.host.mails) == 2


@pytest.mark.rule("R122")
@pytest.mark.parametrize(
    ("declined", "changes", "reason"),
    [
        (("pass_ending",), {}, "opted_out"),
        ((), {"ends": False}, "status_left"),
        ((), {"mail": None}, "no_address"),
    ],
)
async def test_who_declined_or_has_renewed_is_not_reminded(
    notifier: Any, declined: tuple[str, ...], changes: dict[str, Any], reason: str
) -> None:
    ending(notifier, *declined, **changes)
    await receive(notifier, PassEnding, ends_on="2018-03-31")
    assert notifier.host.mails == []
    assert await notifier.ledger() == [("C4", "applicant", "suppressed", reason)]
