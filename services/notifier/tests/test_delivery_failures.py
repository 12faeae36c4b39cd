"""Mail delivery when the server, the network or the notifier fails: never twice, never lost."""

import asyncio
import json
import socket
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from event_contracts.returns import ReturnCompleted
from notifier_service.actions.deliver_mail import RetryPolicy
from notifier_service.recipients_client import Application, RecipientSource
from shared.notifications import WorkSignal

COMPLETED = {
    "completed_at": datetime(2025, 7, 7, 1, 0, tzinfo=UTC),
    "result": "returned",
    "separate_procedure": False,
    "completion_mail_opt_in": True,
}
YAMADA = "yamada@d01.example"


async def one_mail(notifier: Any) -> None:
    """A mail to 山田 alone is due."""
    notifier.knows(round_approvers=[])
    await notifier.receive(ReturnCompleted, **COMPLETED)


async def state_of_the_one(notifier: Any) -> str:
    [[state]] = await notifier.ledger("state")
    return str(state)


@pytest.mark.rule("D155")
async def test_a_mail_waits_for_a_mail_server_that_is_down(notifier: Any) -> None:
    notifier.host.close()
    await one_mail(notifier)
    for _ in range(3):
        await notifier.sender().send_due()
        assert await state_of_the_one(notifier) == "scheduled"
        await notifier.at_once()
    notifier.host.open()
    await notifier.sender().send_due()
    assert notifier.host.written_to == [YAMADA]
    assert await notifier.ledger("state", "attempts", "last_error") == [("sent", 4, None)]


async def test_the_pauses_between_attempts_grow_to_a_limit() -> None:
    retry_policy = RetryPolicy(first_delay_s=2, longest_delay_s=600)
    assert [retry_policy.retry_delay_s(n) for n in (0, 1, 2, 8, 9, 400)] == [2, 4, 8, 512, 600, 600]


@pytest.mark.rule("D155")
@pytest.mark.parametrize(
    ("reply", "state"),
    [("451 later", "scheduled"), ("452 full", "scheduled"), ("550 nobody here", "failed")],
)
async def test_a_refused_address_is_tried_again_or_given_up(
    notifier: Any, reply: str, state: str
) -> None:
    notifier.host.refuse = lambda _: reply
    await one_mail(notifier)
    await notifier.sender().send_due()
    assert await notifier.ledger("state", "last_error") == [(state, reply)]
    notifier.host.refuse = lambda _: None
    await notifier.at_once()
    await notifier.sender().send_due()
    assert len(notifier.host.mails) == (state == "scheduled")


@pytest.mark.rule("D155")
@pytest.mark.parametrize(
    ("reply", "state"), [("451 later", "scheduled"), ("554 no thanks", "failed")]
)
async def test_a_refused_text_is_tried_again_or_given_up(
    notifier: Any, reply: str, state: str
) -> None:
    notifier.host.behave = lambda _: reply
    await one_mail(notifier)
    await notifier.sender().send_due()
    assert await notifier.ledger("state", "last_error") == [(state, reply)]
    kinds = [kind for kind, _, _ in await notifier.sent_mails()]
    assert kinds == (["mail.failed.v1"] if state == "failed" else [])


@pytest.mark.rule("D155")
@pytest.mark.parametrize("behaviour", ["drop", "cut"], ids=["taken", "not taken"])
async def test_a_line_that_breaks_after_the_text_leaves_the_outcome_unknown(
    notifier: Any, behaviour: str
) -> None:
    notifier.host.behave = lambda _: behaviour
    await one_mail(notifier)
    await notifier.sender().send_due()
    notifier.host.behave = lambda _: "250 OK"
    await notifier.at_once()
    await notifier.sender().send_due()
    await notifier.sender().mark_lost_unknown()
    await notifier.sender().send_due()
    assert await state_of_the_one(notifier) == "unknown"
    assert notifier.host.texts == 1
    assert await notifier.sent_mails() == [("mail.outcome_unknown.v1", "originator", None)]


async def test_an_unknown_mail_is_sent_again_only_where_the_operator_chose_so(
    notifier: Any,
) -> None:
    notifier.host.behave = lambda _: "cut"
    await one_mail(notifier)
    await notifier.sender(resend_unknown=True).send_one()
    notifier.host.behave = lambda _: "250 OK"
    await notifier.at_once()
    await notifier.sender(resend_unknown=True).send_due()
    assert await state_of_the_one(notifier) == "sent"
    assert notifier.host.texts == 2
    assert await notifier.sent_mails() == [("mail.sent.v1", "originator", None)]


async def test_a_mail_server_that_thinks_too_long_leaves_the_outcome_unknown(notifier: Any) -> None:
    def think(_: str) -> str:
        time.sleep(1)
        return "250 OK"

    notifier.host.behave = think
    await one_mail(notifier)
    await notifier.sender(smtp_timeout_s=0.3).send_due()
    assert await state_of_the_one(notifier) == "unknown"


async def test_a_mail_server_that_never_greets_is_tried_again(notifier: Any) -> None:
    await one_mail(notifier)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        await notifier.sender(smtp_timeout_s=0.3, smtp_port=port).send_due()
    assert await state_of_the_one(notifier) == "scheduled"


@pytest.mark.parametrize("address", ["a@b\r\nBcc: c@d.example", "@b", "<a@b>", "a@[b"])
async def test_an_address_that_cannot_be_written_to_fails(notifier: Any, address: str) -> None:
    """The address parser refuses each with another kind of error."""
    nobody = {"person_id": "D01-E101", "role": "sales", "mail": address}
    notifier.knows(round_approvers=[], originator=nobody)
    await notifier.receive(ReturnCompleted, **COMPLETED)
    await notifier.sender().send_due()
    assert await state_of_the_one(notifier) == "failed"
    assert notifier.host.mails == []


async def test_after_so_many_attempts_a_mail_has_failed(notifier: Any) -> None:
    notifier.host.close()
    await one_mail(notifier)
    for _ in range(3):
        await notifier.sender(attempts=3).send_due()
        await notifier.at_once()
    assert await notifier.ledger("state", "attempts") == [("failed", 3)]
    assert await notifier.sent_mails() == [("mail.failed.v1", "originator", None)]


@pytest.mark.rule("D155")
async def test_a_returns_service_that_is_down_only_delays_a_mail(notifier: Any) -> None:
    notifier.desk.out_of_order = True
    await one_mail(notifier)
    await notifier.sender().send_due()
    assert await state_of_the_one(notifier) == "scheduled"
    notifier.desk.out_of_order = False
    await notifier.at_once()
    await notifier.sender().send_due()
    assert notifier.host.written_to == [YAMADA]


async def test_an_application_that_nobody_knows_is_written_to_nobody(notifier: Any) -> None:
    await notifier.receive(ReturnCompleted, **COMPLETED)
    await notifier.sender().send_due()
    assert await notifier.ledger("state", "last_error") == [
        ("failed", "recipients: no such application")
    ]


async def test_the_address_of_the_day_of_sending_counts(notifier: Any) -> None:
    notifier.host.close()
    await one_mail(notifier)
    await notifier.sender().send_due()
    new = {"person_id": "D01-E101", "role": "sales", "mail": "new@d01.example"}
    notifier.knows(round_approvers=[], originator=new)
    notifier.host.open()
    await notifier.at_once()
    await notifier.sender().send_due()
    assert notifier.host.written_to == ["new@d01.example"]


async def test_a_list_in_another_order_writes_to_nobody_twice(notifier: Any) -> None:
    refused: set[str] = {"b@d01.example"}
    notifier.host.refuse = lambda address: "451 later" if address in refused else None
    both = ["a@d01.example", "b@d01.example"]
    await notifier.enter("HQ_PENDING", 2, hq_approver_mails=both)
    await notifier.sender().send_due()
    notifier.knows(status="HQ_PENDING", status_version=2, hq_approver_mails=both[::-1])
    refused.clear()
    await notifier.at_once()
    await notifier.sender().send_due()
    assert notifier.host.written_to == both


@pytest.mark.rule("D155")
async def test_many_senders_at_once_send_each_mail_once(notifier: Any) -> None:
    notifier.knows(round_approvers=[])
    for number in range(40):
        notifier.desk.applications[f"A{number}"] = notifier.desk.applications["A1"] | {
            "originator": {"person_id": "x", "role": "sales", "mail": f"p{number}@d01.example"}
        }
        await notifier.receive(ReturnCompleted, application_id=f"A{number}", **COMPLETED)
    await asyncio.gather(*(notifier.sender().send_due() for _ in range(6)))
    assert notifier.host.written_to == sorted(f"p{n}@d01.example" for n in range(40))
    assert {state for (state,) in await notifier.ledger("state")} == {"sent"}


@pytest.mark.rule("D155")
async def test_two_rows_to_one_address_are_one_mail_even_if_they_race(notifier: Any) -> None:
    """The ledger refuses a second mail of one cause to one address."""
    await notifier.enter("HQ_PENDING", 2, hq_approver_mails=["a@d01.example", "b@d01.example"])
    await notifier.sender().send_due()
    await notifier.rows(
        "UPDATE mail SET state = 'scheduled', address = NULL, due_at = clock_timestamp()"
        " WHERE place = 2 RETURNING 1"
    )
    notifier.knows(
        status="HQ_PENDING", status_version=2, hq_approver_mails=["x@d01.example", "A@d01.example"]
    )
    await notifier.sender().send_due()
    assert notifier.host.written_to == ["a@d01.example", "b@d01.example"]
    assert await notifier.ledger("place", "state", "reason") == [
        (1, "sent", None),
        (2, "suppressed", "duplicate"),
    ]


async def killed_while_sending(notifier: Any, tmp_path: Path) -> None:
    """Kill a sender process (SIGKILL) while the mail server has the text."""
    started = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold(_: str) -> str:
        loop.call_soon_threadsafe(started.set)
        time.sleep(0.5)
        return "250 OK"

    notifier.host.behave = hold
    settings = notifier.settings.model_copy(update={"smtp_timeout_s": 30})
    script = tmp_path / "mail_worker.py"
    script.write_text(
        "import asyncio, json, sys\n"
        "from notifier_service.app import SERVICE, run_sender\n"
        "from notifier_service.settings import NotifierSettings\n"
        "from shared.clock import SystemClock\n"
        "from shared.db import Database\n"
        "from shared.service import ServiceRuntime\n"
        "settings = NotifierSettings(**json.loads(sys.argv[1]), client_secret='secret')\n"
        "url = settings.database_url.get_secret_value()\n"
        "running = ServiceRuntime(SERVICE, Database(url), SystemClock())\n"
        "asyncio.run(run_sender(settings, running))\n"
    )
    known = settings.model_dump(mode="json", exclude={"client_secret"})
    said = json.dumps(known | {"database_url": settings.database_url.get_secret_value()})
    process = await asyncio.create_subprocess_exec(sys.executable, str(script), said)
    try:
        await asyncio.wait_for(started.wait(), 120)
    finally:
        process.kill()
        await process.wait()
    notifier.host.behave = lambda _: "250 OK"


@pytest.mark.rule("D155")
async def test_a_sender_killed_after_the_text_leaves_the_mail_unknown(
    notifier: Any, tmp_path: Path
) -> None:
    await one_mail(notifier)
    await killed_while_sending(notifier, tmp_path)
    assert await state_of_the_one(notifier) == "sending"
    await notifier.sender().mark_lost_unknown()
    assert await state_of_the_one(notifier) == "sending"
    await notifier.at_once()
    assert await notifier.sender().mark_lost_unknown() == 1
    await notifier.at_once()
    await notifier.sender().send_due()
    assert await state_of_the_one(notifier) == "unknown"
    assert notifier.host.texts == 1
    assert await notifier.sent_mails() == [("mail.outcome_unknown.v1", "originator", None)]


async def test_a_sender_that_was_only_slow_still_tells_the_truth(notifier: Any) -> None:
    await one_mail(notifier)
    waited = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold(_: str) -> str:
        loop.call_soon_threadsafe(waited.set)
        time.sleep(0.5)
        return "250 OK"

    notifier.host.behave = hold
    slow = asyncio.create_task(notifier.sender().send_one())
    await waited.wait()
    await notifier.at_once()
    await notifier.sender().mark_lost_unknown()
    assert await state_of_the_one(notifier) == "unknown"
    await slow
    assert await state_of_the_one(notifier) == "sent"
    assert [kind for kind, _, _ in await notifier.sent_mails()] == [
        "mail.outcome_unknown.v1",
        "mail.sent.v1",
    ]


@pytest.mark.rule("D155")
async def test_a_running_sender_hears_of_a_mail_and_sees_it_off_when_it_is_stopped(
    notifier: Any,
) -> None:
    taken = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold(_: str) -> str:
        loop.call_soon_threadsafe(taken.set)
        time.sleep(0.3)
        return "250 OK"

    notifier.host.behave = hold
    listener = notifier.running.listener
    listening = asyncio.create_task(listener.run())
    running = asyncio.create_task(notifier.sender().run(listener["mail"]))
    await one_mail(notifier)
    await taken.wait()
    for task in (running, listening):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await state_of_the_one(notifier) == "sent"


class Puzzled:
    """A returns service for which one application raises an unexpected error."""

    def __init__(self, real: RecipientSource) -> None:
        self.real = real

    async def of(self, application_id: str) -> Application:
        if application_id == "A1":
            raise RuntimeError("an unexpected error")
        return await self.real.of(application_id)


async def test_trouble_that_nobody_thought_of_stops_one_mail_only(notifier: Any) -> None:
    notifier.knows(round_approvers=[])
    await notifier.receive(ReturnCompleted, **COMPLETED)
    notifier.knows(application_id="A2", round_approvers=[])
    await notifier.receive(ReturnCompleted, application_id="A2", **COMPLETED)
    sender = notifier.sender()
    running = asyncio.create_task(
        replace(sender, recipients=Puzzled(sender.recipients)).run(WorkSignal())
    )
    async with asyncio.timeout(20):
        while not notifier.host.mails:  # noqa: ASYNC110  the mail server is in another thread
            await asyncio.sleep(0.05)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert sorted(await notifier.ledger("subject_id", "state")) == [
        ("A1", "scheduled"),
        ("A2", "sent"),
    ]


NO_DATE = "template: ValueError: Invalid isoformat string: 'the day before'"


async def test_a_mail_that_cannot_be_rendered_fails_and_the_next_is_sent(notifier: Any) -> None:
    """The error comes from a filter, so that it is none of the template library's own."""
    notifier.knows(round_approvers=[], submitted_at="the day before")
    await notifier.receive(ReturnCompleted, **COMPLETED)
    notifier.knows(application_id="A2", round_approvers=[])
    await notifier.receive(ReturnCompleted, application_id="A2", **COMPLETED)
    assert await notifier.sender().send_due() == 2
    assert sorted(await notifier.ledger("subject_id", "state", "last_error")) == [
        ("A1", "failed", NO_DATE),
        ("A2", "sent", None),
    ]
    assert sorted(await notifier.sent_mails()) == [
        ("mail.failed.v1", "originator", None),
        ("mail.sent.v1", "originator", None),
    ]
    assert notifier.host.written_to == [YAMADA]
