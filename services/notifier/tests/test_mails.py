"""Mails from events: the five mails of A15, through inbox, ledger and a real mail server."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from event_contracts.returns import (
    OriginatorTakenOver,
    ReturnCompleted,
    ReturnEvent,
    ReturnRemanded,
    ReturnStatusChanged,
    ReturnWithdrawn,
)
from notifier_service.actions.schedule_mail import Cause, schedule_mail
from notifier_service.rules.recipients import Facts, MailKind
from shared.db import EVERY_DEALER

COMPLETED = {
    "completed_at": datetime(2025, 7, 7, 1, 0, tzinfo=UTC),
    "result": "returned",
    "separate_procedure": False,
    "completion_mail_opt_in": True,
}
FROM_TFC = {"from_level": "tfc", "to_level": "hq", "recipient_has_address": True}
BY_TANAKA = {"remanded_by": "田中 裕子", "remanded_at": "2025-07-15T09:27:00Z"}
FROM_HQ = {"from_level": "hq", "to_level": "store", "recipient_has_address": True}
FROM_STORE = {"from_level": "store", "to_level": "originator", "recipient_has_address": True}
YAMADA, SATO, TANAKA = "yamada@d01.example", "sato@d01.example", "tanaka@d01.example"


@pytest.mark.rule("D146")
async def test_completion_is_mailed_to_originator_and_both_approvers(notifier: Any) -> None:
    notifier.knows()
    await notifier.receive(ReturnCompleted, **COMPLETED)
    await notifier.sender().send_due()
    assert notifier.host.written_to == [SATO, TANAKA, YAMADA]
    assert sorted(await notifier.ledger()) == [
        ("M1", "hq_approver", "sent", None),
        ("M1", "originator", "sent", None),
        ("M1", "store_approver", "sent", None),
    ]
    assert sorted(await notifier.sent_mails()) == [
        ("mail.sent.v1", "hq_approver", None),
        ("mail.sent.v1", "originator", None),
        ("mail.sent.v1", "store_approver", None),
    ]


@pytest.mark.rule("D146")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"completion_mail": False}, "opted_out"),
        ({"originator": {"person_id": "D01-E101", "role": "sales", "mail": None}}, "no_address"),
    ],
    ids=["the box is not ticked", "連絡先3 is blank"],
)
async def test_completion_is_mailed_to_no_one(
    notifier: Any, changes: dict[str, Any], reason: str
) -> None:
    notifier.knows(**changes)
    await notifier.receive(ReturnCompleted, **COMPLETED)
    await notifier.sender().send_due()
    assert notifier.host.mails == []
    assert await notifier.ledger() == [("M1", "originator", "suppressed", reason)]
    assert await notifier.sent_mails() == [("mail.suppressed.v1", "originator", reason)]


@pytest.mark.rule("D146")
async def test_one_address_gets_one_mail_however_many_parts_its_owner_has(notifier: Any) -> None:
    notifier.knows(hq_approver_mails=[SATO, TANAKA])
    await notifier.receive(ReturnCompleted, **COMPLETED)
    await notifier.sender().send_due()
    assert notifier.host.written_to == [SATO, TANAKA, YAMADA]
    duplicates = [row for row in await notifier.ledger() if row[2] == "suppressed"]
    assert duplicates == [("M1", "hq_approver", "suppressed", "duplicate")]


@pytest.mark.rule("D146")
async def test_a_withdrawal_sends_no_mail(notifier: Any) -> None:
    await notifier.enter("WITHDRAWN", 3)
    await notifier.receive(ReturnWithdrawn, from_status="STORE_PENDING")
    assert await notifier.ledger() == []


@pytest.mark.rule("D145")
async def test_every_mail_comes_from_the_one_sender(notifier: Any) -> None:
    notifier.clock.travel_to(datetime(2025, 7, 7, 1, 0, tzinfo=UTC))
    notifier.knows()
    await notifier.receive(ReturnCompleted, **COMPLETED)
    await notifier.receive(ReturnRemanded, **FROM_STORE)
    await notifier.enter("HQ_PENDING", 10)
    start = notifier.clock.now()
    for days in (3, 7):
        await notifier.travel_to(start + timedelta(days=days))
    assert len(notifier.host.mails) == 7
    assert {str(mail["From"]) for mail in notifier.host.mails} == {
        "j-pass_uketsuke@toyota-finance.co.jp"
    }


@pytest.mark.rule("D148")
@pytest.mark.parametrize(
    ("remand", "expected"), [(FROM_TFC, TANAKA), (FROM_HQ, SATO), (FROM_STORE, YAMADA)]
)
async def test_a_remand_is_mailed_to_the_previous_step(
    notifier: Any, remand: dict[str, Any], expected: str
) -> None:
    notifier.knows(last_remand={**remand, **BY_TANAKA, "comment": "受領日をご確認ください。"})
    await notifier.receive(ReturnRemanded, **remand)
    await notifier.sender().send_due()
    [mail] = notifier.host.mails
    assert str(mail["To"]) == expected
    assert str(mail["Subject"]) == "【J-PASS】差戻しのお知らせ（契約番号12345678）"
    assert "受領日をご確認ください。" in mail.get_content()


@pytest.mark.rule("D148")
async def test_two_remands_are_two_mails_even_if_the_first_one_is_late(notifier: Any) -> None:
    await notifier.receive(ReturnRemanded, **FROM_TFC)
    await notifier.receive(ReturnRemanded, **FROM_HQ)
    notifier.knows(last_remand={**FROM_HQ, **BY_TANAKA, "comment": "店長へ"})
    await notifier.sender().send_due()
    assert [(str(m["To"]), "店長へ" in m.get_content()) for m in notifier.host.mails] == [
        (TANAKA, False),
        (SATO, True),
    ]


@pytest.mark.rule("D148")
async def test_a_remand_to_a_person_without_address_sends_no_mail(notifier: Any) -> None:
    notifier.knows(store_approver=None)
    await notifier.receive(ReturnRemanded, **FROM_HQ)
    await notifier.sender().send_due()
    assert await notifier.ledger() == [("M3", "store_approver", "suppressed", "no_address")]


async def test_mails_of_a_taken_over_application_go_to_its_new_originator(notifier: Any) -> None:
    notifier.knows(originator={"person_id": "D01-E102", "role": "sales", "mail": "ito@d01.example"})
    await notifier.receive(OriginatorTakenOver, from_id="D01-E101", to_id="D01-E102")
    await notifier.sender().send_due()
    assert notifier.host.written_to == ["ito@d01.example"]
    assert notifier.host.subjects == ["差戻しのお知らせ"]


@pytest.mark.rule("D149")
async def test_headquarters_is_asked_each_time_its_approval_is_waited_for(notifier: Any) -> None:
    await notifier.enter("STORE_PENDING", 1)
    await notifier.sender().send_due()
    assert notifier.host.mails == []
    await notifier.enter("HQ_PENDING", 2)
    await notifier.sender().send_due()
    assert notifier.host.written_to == [TANAKA]
    await notifier.enter("HQ_REMANDED", 3)
    await notifier.sender().send_due()
    assert notifier.host.written_to == [TANAKA]
    await notifier.enter("HQ_PENDING", 4)
    await notifier.sender().send_due()
    assert notifier.host.written_to == [TANAKA, TANAKA]
    assert set(notifier.host.subjects) == {"承認のお願い"}


@pytest.mark.rule("D149", "D153")
async def test_without_an_address_of_headquarters_the_flow_goes_on_silently(notifier: Any) -> None:
    await notifier.enter("HQ_PENDING", 2, hq_approver_mails=[])
    await notifier.travel_to(notifier.clock.now() + timedelta(days=4))
    assert notifier.host.mails == []
    assert await notifier.ledger() == [
        ("M4", "hq_approver", "suppressed", "no_address"),
        ("M5", "hq_approver", "suppressed", "no_address"),
    ]


SUZUKI = "suzuki@d01.example"
AT_STORE = {"store_approver_notice": True, "store_approver_mails": [SATO, SUZUKI]}


@pytest.mark.rule("D96", "D149")
async def test_the_store_gets_no_notice_unless_its_dealer_wants_it(notifier: Any) -> None:
    await notifier.enter("STORE_PENDING", 1, store_approver_mails=[SATO, SUZUKI])
    await notifier.sender().send_due()
    assert notifier.host.mails == []
    assert await notifier.ledger() == []


@pytest.mark.rule("D96")
async def test_if_the_dealer_wants_notices_the_store_gets_one_each_time(notifier: Any) -> None:
    await notifier.enter("STORE_PENDING", 1, **AT_STORE)
    await notifier.sender().send_due()
    assert notifier.host.written_to == [SATO, SUZUKI]
    await notifier.enter("STORE_PENDING", 2, **AT_STORE)
    await notifier.sender().send_due()
    assert notifier.host.written_to == [SATO, SATO, SUZUKI, SUZUKI]
    assert set(notifier.host.subjects) == {"店舗承認のお願い"}
    await notifier.enter("STORE_REMANDED", 3, **AT_STORE)
    await notifier.enter("STORE_PENDING", 4, store_approver_mails=[SATO, SUZUKI])
    await notifier.sender().send_due()
    assert len(notifier.host.mails) == 4


async def test_a_notice_that_comes_too_late_is_kept_back(notifier: Any) -> None:
    await notifier.enter("STORE_PENDING", 1, **AT_STORE)
    notifier.knows(status="HQ_PENDING", status_version=2, **AT_STORE)
    await notifier.sender().send_due()
    assert await notifier.ledger() == [("N1", "store_approver", "suppressed", "status_left")]


async def test_a_notice_that_is_no_longer_wished_for_is_kept_back(notifier: Any) -> None:
    await notifier.enter("STORE_PENDING", 1, **AT_STORE)
    notifier.knows(status="STORE_PENDING", status_version=1, store_approver_notice=False)
    await notifier.sender().send_due()
    assert await notifier.ledger() == [("N1", "store_approver", "suppressed", "opted_out")]


async def test_each_address_of_headquarters_gets_a_mail_of_its_own(notifier: Any) -> None:
    await notifier.enter("HQ_PENDING", 2, hq_approver_mails=[TANAKA, SATO])
    await notifier.sender().send_due()
    assert notifier.host.written_to == [SATO, TANAKA]


@pytest.mark.rule("D155")
async def test_an_event_that_comes_again_makes_no_second_mail(notifier: Any) -> None:
    notifier.knows(round_approvers=[])
    await notifier.receive(ReturnCompleted, times=3, **COMPLETED)
    await notifier.sender().send_due()
    assert notifier.host.written_to == [YAMADA]


@pytest.mark.rule("D155")
async def test_an_event_that_is_processed_again_makes_no_second_mail(notifier: Any) -> None:
    """Even where the inbox was emptied: the ledger knows the cause."""
    notifier.knows(round_approvers=[])
    cause = Cause("an-event-id", "D01", "A1", "12345678")
    for planned in (True, False):
        async with notifier.database.transaction(EVERY_DEALER) as tx:
            mail_id = await schedule_mail(
                tx, cause, MailKind.COMPLETED, Facts(), now=notifier.clock.now()
            )
        assert (mail_id is not None) is planned
        await notifier.sender().send_due()
    assert notifier.host.written_to == [YAMADA]


@pytest.mark.parametrize(
    ("age", "imported"),
    [(timedelta(hours=47), False), (timedelta(hours=49), False), (timedelta(), True)],
    ids=["of yesterday", "an old log read again", "the initial import"],
)
@pytest.mark.parametrize(
    ("event", "facts"),
    [
        (ReturnCompleted, COMPLETED),
        (ReturnRemanded, FROM_HQ),
        (
            ReturnStatusChanged,
            {
                "from_status": "STORE_PENDING",
                "to_status": "HQ_PENDING",
                "entered_at": COMPLETED["completed_at"],
                "status_version": 4,
            },
        ),
        (
            ReturnStatusChanged,
            {
                "from_status": None,
                "to_status": "STORE_PENDING",
                "entered_at": COMPLETED["completed_at"],
                "status_version": 1,
                "store_approver_notice": True,
            },
        ),
    ],
    ids=["M1", "M3", "M4", "N1"],
)
async def test_imports_and_replays_make_no_mail(
    notifier: Any, event: type[ReturnEvent], facts: dict[str, Any], age: timedelta, imported: bool
) -> None:
    await notifier.receive(event, at=notifier.clock.now() - age, imported=imported, **facts)
    fresh = age < timedelta(days=2) and not imported
    assert len(await notifier.ledger()) == (1 if fresh else 0)
    assert await notifier.rows("SELECT kind FROM timer") == []
    notifier.knows()
    await notifier.sender().send_due()
    assert fresh or notifier.host.mails == []
