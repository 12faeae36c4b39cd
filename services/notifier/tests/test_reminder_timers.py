"""Reminder timers: which mails are sent on which day of a stay in a status."""

from datetime import datetime
from typing import Any

import pytest

from event_contracts.returns import DealerNoteChanged
from shared.clock import JST

M2, M4, M5 = "手続状況ご確認のお願い", "承認のお願い", "承認状況ご確認のお願い"

AT_STORE = {"store_approver_notice": True, "store_approver_mails": ["sato@d01.example"]}


def july(day: int, hour: int = 9, minute: int = 0) -> datetime:
    return datetime(2025, 7, day, hour, minute, tzinfo=JST)


@pytest.mark.rule("D147", "D150", "D151")
async def test_a_whole_stay_at_headquarters(notifier: Any) -> None:
    notifier.clock.travel_to(july(7, 10))
    await notifier.enter("HQ_PENDING", 2)
    seen = {}
    for day in range(7, 23):
        for instant in (july(day, 8, 59), july(day, 9, 0)):
            before = len(notifier.host.mails)
            await notifier.travel_to(max(instant, july(7, 10)))
            seen[instant.day, instant.hour] = notifier.host.subjects[before:]
    assert {when: subjects for when, subjects in seen.items() if subjects} == {
        (7, 8): [M4],
        (10, 9): [M5],
        (14, 9): [M2],
    }


@pytest.mark.rule("D147")
@pytest.mark.parametrize("status", ["REQUESTED", "TFC_HOLD"])
async def test_what_waits_for_the_finance_company_never_grows_stale(
    notifier: Any, status: str
) -> None:
    notifier.clock.travel_to(july(7, 10))
    await notifier.enter(status, 5)
    await notifier.travel_to(july(17, 10))
    assert await notifier.ledger() == []


@pytest.mark.rule("D150")
async def test_a_remand_at_headquarters_is_stale_for_the_originator_only(notifier: Any) -> None:
    notifier.clock.travel_to(july(7, 10))
    await notifier.enter("HQ_REMANDED", 5)
    await notifier.travel_to(july(14))
    assert notifier.host.subjects == [M2]
    assert notifier.host.written_to == ["yamada@d01.example"]


@pytest.mark.rule("D147")
async def test_the_completion_box_does_not_matter_to_a_stale_mail(notifier: Any) -> None:
    notifier.clock.travel_to(july(7, 10))
    await notifier.enter("STORE_PENDING", 1, completion_mail=False)
    await notifier.travel_to(july(14))
    assert notifier.host.written_to == ["yamada@d01.example"]


@pytest.mark.rule("D151")
async def test_an_approval_on_the_sixth_day_ends_the_stay(notifier: Any) -> None:
    notifier.clock.travel_to(july(7, 10))
    await notifier.enter("STORE_PENDING", 1)
    await notifier.travel_to(july(13))
    await notifier.enter("REQUESTED", 2)
    await notifier.travel_to(july(14))
    assert notifier.host.mails == []
    assert await notifier.ledger() == []


@pytest.mark.rule("D151", "D152")
async def test_a_correction_begins_a_new_stay(notifier: Any) -> None:
    notifier.clock.travel_to(july(7, 10))
    await notifier.enter("STORE_PENDING", 1)
    notifier.clock.travel_to(july(10, 10))
    await notifier.enter("STORE_PENDING", 2)
    await notifier.travel_to(july(16, 23))
    assert notifier.host.mails == []
    await notifier.travel_to(july(17))
    assert notifier.host.subjects == [M2]


@pytest.mark.rule("D151")
async def test_two_stays_in_one_status_are_two_mails(notifier: Any) -> None:
    notifier.clock.travel_to(july(7, 10))
    await notifier.enter("STORE_PENDING", 1)
    await notifier.travel_to(july(14, 12))
    await notifier.enter("STORE_PENDING", 2)
    await notifier.travel_to(july(21, 12))
    assert notifier.host.subjects == [M2, M2]


@pytest.mark.rule("D152")
async def test_a_note_does_not_reset_the_clock(notifier: Any) -> None:
    notifier.clock.travel_to(july(7, 10))
    await notifier.enter("HQ_PENDING", 2)
    notifier.clock.travel_to(july(9, 10))
    await notifier.receive(DealerNoteChanged, note_version=1)
    for day in (10, 14):
        await notifier.travel_to(july(day))
    assert notifier.host.subjects == [M4, M5, M2]


@pytest.mark.rule("D151")
async def test_a_stay_that_ends_unheard_of_is_noticed_at_sending(notifier: Any) -> None:
    """The event of its end has not arrived; the returns service already knows."""
    notifier.clock.travel_to(july(7, 10))
    await notifier.enter("STORE_PENDING", 1)
    notifier.knows(status="STORE_PENDING", status_version=2)
    await notifier.travel_to(july(14))
    assert notifier.host.mails == []
    assert await notifier.ledger() == [("M2", "originator", "suppressed", "status_left")]


@pytest.mark.rule("D155")
@pytest.mark.parametrize("day", [14, 15, 30])
async def test_a_replayed_log_sends_nothing_again(notifier: Any, day: int) -> None:
    """Neither soon after, when its mails would still be timely, nor later."""
    notifier.clock.travel_to(july(7, 10))
    await notifier.enter("STORE_PENDING", 1, **AT_STORE)
    await notifier.travel_to(july(7, 11))
    await notifier.enter("HQ_PENDING", 2, **AT_STORE)
    for when in (july(7, 12), july(10), july(14)):
        await notifier.travel_to(when)
    sent_mails = ["店舗承認のお願い", M4, M5, M2]
    assert notifier.host.subjects == sent_mails
    notifier.clock.travel_to(july(day, 10))
    await notifier.receive_all_again()
    await notifier.travel_to(july(day, 11))
    assert notifier.host.subjects == sent_mails


async def test_an_imported_stay_is_reminded_only_from_now_on(notifier: Any) -> None:
    notifier.clock.travel_to(july(7, 10))
    notifier.knows(status="HQ_PENDING", status_version=2)
    notifier.clock.travel_to(july(12, 10))
    await notifier.receive_stay("HQ_PENDING", 2, entered_at=july(7, 10), imported=True)
    await notifier.travel_to(july(12, 11))
    assert notifier.host.mails == []
    await notifier.travel_to(july(14))
    assert notifier.host.subjects == [M2]
