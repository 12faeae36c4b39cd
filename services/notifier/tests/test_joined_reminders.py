"""Several reminders to one person on one day: one mail, and a line of the ledger for each."""

import asyncio
from datetime import datetime
from typing import Any

import pytest

from event_contracts.returns import ReturnStatusChanged
from shared.clock import JST

YAMADA, SATO, TANAKA = "yamada@d01.example", "sato@d01.example", "tanaka@d01.example"
M2, M5 = "手続状況ご確認のお願い", "承認状況ご確認のお願い"


def july(day: int, hour: int = 9) -> datetime:
    return datetime(2025, 7, day, hour, tzinfo=JST)


def person(mail: str) -> dict[str, Any]:
    return {"person_id": "D01-E101", "role": "sales", "mail": mail}


async def enter(notifier: Any, number: int, status: str, **known: Any) -> None:
    """The application with this number enters a status."""
    name, contract = f"A{number}", f"1000000{number}"
    notifier.knows(
        application_id=name, contract_no=contract, status=status, status_version=1, **known
    )
    who = known.get("originator", person(YAMADA))
    await notifier.receive(
        ReturnStatusChanged,
        application_id=name,
        contract_no=contract,
        originator_id=who["person_id"],
        from_status=None,
        to_status=status,
        status_version=1,
        entered_at=notifier.clock.now(),
    )


async def at_the_store(notifier: Any, *numbers: int, **known: Any) -> None:
    """Applications of one person wait for the store since Monday."""
    notifier.clock.travel_to(july(7, 10))
    for number in numbers:
        await enter(notifier, number, "STORE_PENDING", **known)


def sent(notifier: Any) -> list[tuple[str, str]]:
    return [(str(m["To"]), str(m["Subject"]).partition("】")[2]) for m in notifier.host.mails]


def contracts_in(mail: Any) -> list[str]:
    lines = mail.get_content().splitlines()
    return sorted(one.partition("：")[2] for one in lines if one.startswith("契約番号"))


@pytest.mark.rule("D147", "D155")
async def test_several_reminders_to_one_person_are_one_mail(notifier: Any) -> None:
    await at_the_store(notifier, 1, 2, 3)
    await notifier.travel_to(july(14))
    assert sent(notifier) == [(YAMADA, f"{M2}（3件）")]
    [mail] = notifier.host.mails
    assert contracts_in(mail) == ["10000001", "10000002", "10000003"]
    assert "https://portal.example.jp/returns/A2" in mail.get_content()
    assert await notifier.ledger() == [("M2", "originator", "sent", None)] * 3
    assert {row for (row,) in await notifier.rows("SELECT message_id FROM mail")} == {
        mail["Message-ID"]
    }
    assert await notifier.sent_mails() == [("mail.sent.v1", "originator", None)] * 3
    await notifier.receive_all_again()
    await notifier.travel_to(july(21))
    assert len(notifier.host.mails) == 1


@pytest.mark.rule("D147", "D155")
async def test_lanes_that_work_at_once_still_send_one_mail(notifier: Any) -> None:
    await at_the_store(notifier, *range(1, 9))
    notifier.clock.travel_to(july(14))
    await notifier.running.timer_worker.fire_due()
    for _ in range(3):  # who was put off comes again
        await asyncio.gather(*(notifier.sender().send_due() for _ in range(6)))
        await notifier.at_once()
    assert sent(notifier) == [(YAMADA, f"{M2}（8件）")]


@pytest.mark.rule("D147")
async def test_a_single_reminder_keeps_the_manuals_text(notifier: Any) -> None:
    await at_the_store(notifier, 1)
    await notifier.travel_to(july(14))
    assert sent(notifier) == [(YAMADA, f"{M2}（契約番号10000001）")]


async def test_an_installation_may_send_each_by_itself(notifier: Any) -> None:
    await at_the_store(notifier, 1, 2)
    notifier.clock.travel_to(july(14))
    await notifier.running.timer_worker.fire_due()
    await notifier.sender(join_reminders=False).send_due()
    assert len(sent(notifier)) == 2
    assert all("契約番号" in subject for _, subject in sent(notifier))


async def test_each_person_gets_their_own(notifier: Any) -> None:
    await at_the_store(notifier, 1, 2)
    other = {"person_id": "D01-E102", "role": "sales", "mail": SATO}
    await at_the_store(notifier, 3, originator=other)
    await notifier.travel_to(july(14))
    assert sorted(sent(notifier)) == [
        (SATO, f"{M2}（契約番号10000003）"),
        (YAMADA, f"{M2}（2件）"),
    ]


async def test_a_person_who_has_another_address_there_gets_that_one_apart(notifier: Any) -> None:
    await at_the_store(notifier, 1, 2)
    await at_the_store(notifier, 3, originator=person("yamada@phone.example"))
    await notifier.travel_to(july(14))
    assert sorted(sent(notifier)) == [
        ("yamada@d01.example", f"{M2}（2件）"),
        ("yamada@phone.example", f"{M2}（契約番号10000003）"),
    ]


@pytest.mark.rule("D151")
async def test_what_has_moved_on_is_left_out_and_the_ledger_says_why(notifier: Any) -> None:
    await at_the_store(notifier, 1, 2, 3)
    notifier.clock.travel_to(july(14))
    await notifier.running.timer_worker.fire_due()
    notifier.knows(application_id="A2", contract_no="10000002", status="REQUESTED")
    await notifier.sender().send_due()
    [mail] = notifier.host.mails
    assert contracts_in(mail) == ["10000001", "10000003"]
    rows = await notifier.rows("SELECT subject_id, state, reason FROM mail ORDER BY subject_id")
    assert rows == [
        ("A1", "sent", None),
        ("A2", "suppressed", "status_left"),
        ("A3", "sent", None),
    ]


@pytest.mark.rule("D150")
async def test_headquarters_gets_one_mail_for_each_of_its_addresses(notifier: Any) -> None:
    notifier.clock.travel_to(july(7, 10))
    for number in (1, 2):
        await enter(notifier, number, "HQ_PENDING", hq_approver_mails=[TANAKA, SATO])
    await notifier.sender().send_due()
    notifier.host.mails.clear()
    await notifier.travel_to(july(10))
    assert sorted(sent(notifier)) == [(SATO, f"{M5}（2件）"), (TANAKA, f"{M5}（2件）")]


@pytest.mark.rule("D155")
async def test_a_server_that_is_down_delays_all_of_them(notifier: Any) -> None:
    await at_the_store(notifier, 1, 2, 3)
    notifier.host.close()
    await notifier.travel_to(july(14))
    assert await notifier.ledger("state", "attempts") == [("scheduled", 1)] * 3
    notifier.host.open()
    await notifier.at_once()
    await notifier.sender().send_due()
    assert sent(notifier) == [(YAMADA, f"{M2}（3件）")]


@pytest.mark.rule("D155")
async def test_an_answer_that_is_lost_leaves_all_of_them_unknown(notifier: Any) -> None:
    await at_the_store(notifier, 1, 2)
    notifier.host.behave = lambda _: "cut"
    await notifier.travel_to(july(14))
    notifier.host.behave = lambda _: "250 OK"
    await notifier.at_once()
    await notifier.sender().send_due()
    assert await notifier.ledger("state") == [("unknown",)] * 2
    assert notifier.host.texts == 1


@pytest.mark.rule("D155")
async def test_a_person_who_asks_for_one_again_gets_that_one(notifier: Any) -> None:
    await at_the_store(notifier, 1, 2)
    await notifier.travel_to(july(14))
    await notifier.rows(
        "UPDATE mail SET state = 'scheduled', copies = 1, due_at = clock_timestamp()"
        " WHERE subject_id = 'A2' RETURNING 1"
    )
    await notifier.sender().send_due()
    assert sent(notifier)[1:] == [(YAMADA, f"{M2}（契約番号10000002）")]


async def test_an_application_that_cannot_be_asked_about_does_not_hold_the_others(
    notifier: Any,
) -> None:
    await at_the_store(notifier, 1, 2, 3)
    notifier.clock.travel_to(july(14))
    await notifier.running.timer_worker.fire_due()
    del notifier.desk.applications["A2"]
    await notifier.sender().send_due()
    assert contracts_in(notifier.host.mails[0]) == ["10000001", "10000003"]
    states = await notifier.rows("SELECT state FROM mail WHERE subject_id = 'A2'")
    assert states == [("failed",)]


async def test_the_first_one_waits_for_those_that_fall_due_with_it(notifier: Any) -> None:
    await at_the_store(notifier, 1, 2)
    notifier.clock.travel_to(july(14))
    [[key]] = await notifier.rows("SELECT min(key) FROM timer WHERE kind = 'stale'")
    await notifier.rows(
        f"UPDATE timer SET due_at = due_at + interval '1 s' WHERE key <> '{key}' RETURNING 1"
    )
    await notifier.running.timer_worker.fire_due()
    await notifier.rows("UPDATE timer SET due_at = due_at - interval '1 s' RETURNING 1")
    await notifier.sender().send_due()
    assert sent(notifier) == []
    assert await notifier.ledger("state", "attempts") == [("scheduled", 0)]
    await notifier.running.timer_worker.fire_due()
    await notifier.at_once()
    await notifier.sender().send_due()
    assert sent(notifier) == [(YAMADA, f"{M2}（2件）")]
