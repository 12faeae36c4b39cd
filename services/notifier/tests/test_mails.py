"""From an event to a mail: the five mails of A15, through inbox, ledger and a real mail server."""

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
from notifier_service.actions.planning import Cause, plan_mail
from notifier_service.rules.recipients import Facts, MailKind
from shared.db import EVERY_DEALER

COMPLETED = {
    "completed_at": datetime(2025, 7, 7, 1, 0, tzinfo=UTC),
    "result": "returned",
    "separate_procedure": False,
    "completion_mail_opt_in": True,
}
FROM_TFC = {"from_level": "tfc", "to_level": "hq", "recipient_has_address": True}
FROM_HQ = {"from_level": "hq", "to_level": "store", "recipient_has_address": True}
FROM_STORE = {"from_level": "store", "to_level": "originator", "recipient_has_address": True}
YAMADA, SATO, TANAKA = "yamada@d01.example", "sato@d01.example", "tanaka@d01.example"


@pytest.mark.rule("D146")
async def test_completion_is_told_to_originator_and_both_approvers(house: Any) -> None:
    house.knows()
    await house.hear(ReturnCompleted, **COMPLETED)
    await house.sender().send_due()
    assert house.host.written_to == [SATO, TANAKA, YAMADA]
    assert sorted(await house.ledger()) == [
        ("M1", "hq_approver", "sent", None),
        ("M1", "originator", "sent", None),
        ("M1", "store_approver", "sent", None),
    ]
    assert sorted(await house.told()) == [
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
async def test_completion_is_told_to_nobody(
    house: Any, changes: dict[str, Any], reason: str
) -> None:
    house.knows(**changes)
    await house.hear(ReturnCompleted, **COMPLETED)
    await house.sender().send_due()
    assert house.host.mails == []
    assert await house.ledger() == [("M1", "originator", "suppressed", reason)]
    assert await house.told() == [("mail.suppressed.v1", "originator", reason)]


@pytest.mark.rule("D146")
async def test_one_address_gets_one_mail_however_many_parts_its_owner_has(house: Any) -> None:
    house.knows(hq_approver_mails=[SATO, TANAKA])
    await house.hear(ReturnCompleted, **COMPLETED)
    await house.sender().send_due()
    assert house.host.written_to == [SATO, TANAKA, YAMADA]
    duplicates = [row for row in await house.ledger() if row[2] == "suppressed"]
    assert duplicates == [("M1", "hq_approver", "suppressed", "duplicate")]


@pytest.mark.rule("D146")
async def test_a_withdrawal_is_told_to_nobody(house: Any) -> None:
    await house.enter("WITHDRAWN", 3)
    await house.hear(ReturnWithdrawn, from_status="STORE_PENDING")
    assert await house.ledger() == []


@pytest.mark.rule("D145")
async def test_every_mail_comes_from_the_one_sender(house: Any) -> None:
    house.clock.travel_to(datetime(2025, 7, 7, 1, 0, tzinfo=UTC))
    house.knows()
    await house.hear(ReturnCompleted, **COMPLETED)
    await house.hear(ReturnRemanded, **FROM_STORE)
    await house.enter("HQ_PENDING", 10)
    start = house.clock.now()
    for days in (3, 7):
        await house.travel_to(start + timedelta(days=days))
    assert len(house.host.mails) == 7
    assert {str(mail["From"]) for mail in house.host.mails} == {
        "j-pass_uketsuke@toyota-finance.co.jp"
    }


@pytest.mark.rule("D148")
@pytest.mark.parametrize(
    ("remand", "expected"), [(FROM_TFC, TANAKA), (FROM_HQ, SATO), (FROM_STORE, YAMADA)]
)
async def test_a_remand_is_told_to_the_one_before(
    house: Any, remand: dict[str, Any], expected: str
) -> None:
    house.knows(last_remand={**remand, "comment": "受領日をご確認ください。"})
    await house.hear(ReturnRemanded, **remand)
    await house.sender().send_due()
    [mail] = house.host.mails
    assert str(mail["To"]) == expected
    assert str(mail["Subject"]) == "【J-PASS】差戻しのお知らせ（契約番号12345678）"
    assert "受領日をご確認ください。" in mail.get_content()


@pytest.mark.rule("D148")
async def test_two_remands_are_two_mails_even_if_the_first_one_is_late(house: Any) -> None:
    await house.hear(ReturnRemanded, **FROM_TFC)
    await house.hear(ReturnRemanded, **FROM_HQ)
    house.knows(last_remand={**FROM_HQ, "comment": "店長へ"})
    await house.sender().send_due()
    assert [(str(m["To"]), "店長へ" in m.get_content()) for m in house.host.mails] == [
        (TANAKA, False),
        (SATO, True),
    ]


@pytest.mark.rule("D148")
async def test_a_remand_to_somebody_without_address_is_told_to_nobody(house: Any) -> None:
    house.knows(store_approver=None)
    await house.hear(ReturnRemanded, **FROM_HQ)
    await house.sender().send_due()
    assert await house.ledger() == [("M3", "store_approver", "suppressed", "no_address")]


async def test_a_taken_over_application_is_told_to_its_new_owner(house: Any) -> None:
    house.knows(originator={"person_id": "D01-E102", "role": "sales", "mail": "ito@d01.example"})
    await house.hear(OriginatorTakenOver, from_id="D01-E101", to_id="D01-E102")
    await house.sender().send_due()
    assert house.host.written_to == ["ito@d01.example"]
    assert house.host.subjects == ["差戻しのお知らせ"]


@pytest.mark.rule("D149")
async def test_headquarters_is_asked_each_time_its_approval_is_waited_for(house: Any) -> None:
    await house.enter("STORE_PENDING", 1)
    await house.sender().send_due()
    assert house.host.mails == []
    await house.enter("HQ_PENDING", 2)
    await house.sender().send_due()
    assert house.host.written_to == [TANAKA]
    await house.enter("HQ_REMANDED", 3)
    await house.sender().send_due()
    assert house.host.written_to == [TANAKA]
    await house.enter("HQ_PENDING", 4)
    await house.sender().send_due()
    assert house.host.written_to == [TANAKA, TANAKA]
    assert set(house.host.subjects) == {"承認のお願い"}


@pytest.mark.rule("D149", "D153")
async def test_without_an_address_of_headquarters_the_flow_goes_on_silently(house: Any) -> None:
    await house.enter("HQ_PENDING", 2, hq_approver_mails=[])
    await house.travel_to(house.clock.now() + timedelta(days=4))
    assert house.host.mails == []
    assert await house.ledger() == [
        ("M4", "hq_approver", "suppressed", "no_address"),
        ("M5", "hq_approver", "suppressed", "no_address"),
    ]


SUZUKI = "suzuki@d01.example"
AT_STORE = {"store_approver_notice": True, "store_approver_mails": [SATO, SUZUKI]}


@pytest.mark.rule("D96", "D149")
async def test_the_store_is_told_nothing_unless_its_dealer_asked_for_it(house: Any) -> None:
    await house.enter("STORE_PENDING", 1, store_approver_mails=[SATO, SUZUKI])
    await house.sender().send_due()
    assert house.host.mails == []
    assert await house.ledger() == []


@pytest.mark.rule("D96")
async def test_where_the_dealer_asked_for_it_the_store_is_told_each_time(house: Any) -> None:
    await house.enter("STORE_PENDING", 1, **AT_STORE)
    await house.sender().send_due()
    assert house.host.written_to == [SATO, SUZUKI]
    await house.enter("STORE_PENDING", 2, **AT_STORE)
    await house.sender().send_due()
    assert house.host.written_to == [SATO, SATO, SUZUKI, SUZUKI]
    assert set(house.host.subjects) == {"店舗承認のお願い"}
    await house.enter("STORE_REMANDED", 3, **AT_STORE)
    await house.enter("STORE_PENDING", 4, store_approver_mails=[SATO, SUZUKI])
    await house.sender().send_due()
    assert len(house.host.mails) == 4


async def test_a_notice_that_comes_too_late_is_kept_back(house: Any) -> None:
    await house.enter("STORE_PENDING", 1, **AT_STORE)
    house.knows(status="HQ_PENDING", status_version=2, **AT_STORE)
    await house.sender().send_due()
    assert await house.ledger() == [("N1", "store_approver", "suppressed", "status_left")]


async def test_a_notice_that_is_no_longer_wished_for_is_kept_back(house: Any) -> None:
    await house.enter("STORE_PENDING", 1, **AT_STORE)
    house.knows(status="STORE_PENDING", status_version=1, store_approver_notice=False)
    await house.sender().send_due()
    assert await house.ledger() == [("N1", "store_approver", "suppressed", "opted_out")]


async def test_each_address_of_headquarters_gets_a_mail_of_its_own(house: Any) -> None:
    await house.enter("HQ_PENDING", 2, hq_approver_mails=[TANAKA, SATO])
    await house.sender().send_due()
    assert house.host.written_to == [SATO, TANAKA]


@pytest.mark.rule("D155")
async def test_an_event_that_comes_again_makes_no_second_mail(house: Any) -> None:
    house.knows(round_approvers=[])
    await house.hear(ReturnCompleted, times=3, **COMPLETED)
    await house.sender().send_due()
    assert house.host.written_to == [YAMADA]


@pytest.mark.rule("D155")
async def test_an_event_that_is_processed_again_makes_no_second_mail(house: Any) -> None:
    """Even where the inbox has forgotten it: the ledger itself knows the cause."""
    house.knows(round_approvers=[])
    cause = Cause("an-event-id", "D01", "A1", "12345678")
    for planned in (True, False):
        async with house.database.transaction(EVERY_DEALER) as tx:
            mail_id = await plan_mail(tx, cause, MailKind.COMPLETED, Facts(), now=house.clock.now())
        assert (mail_id is not None) is planned
        await house.sender().send_due()
    assert house.host.written_to == [YAMADA]


@pytest.mark.parametrize(
    ("age", "imported"),
    [(timedelta(hours=47), False), (timedelta(hours=49), False), (timedelta(), True)],
    ids=["of yesterday", "an old log read anew", "the initial import"],
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
    house: Any, event: type[ReturnEvent], facts: dict[str, Any], age: timedelta, imported: bool
) -> None:
    await house.hear(event, at=house.clock.now() - age, imported=imported, **facts)
    fresh = age < timedelta(days=2) and not imported
    assert len(await house.ledger()) == (1 if fresh else 0)
    assert await house.rows("SELECT kind FROM timer") == []
    house.knows()
    await house.sender().send_due()
    assert fresh or house.host.mails == []
