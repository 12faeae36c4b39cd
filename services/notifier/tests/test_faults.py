"""Many events while everything fails in turn: what was due is sent or visibly unknown, never twice.

The notifier runs in a process of its own that is killed (SIGKILL) again and again; the mail server
refuses, is slow, cuts the line after the text, and is away for a while. NOTIFIER_FAULT_EVENTS sets
how many events there are (the full run: 10000).
"""

import asyncio
import contextlib
import os
import random
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from event_contracts.returns import ReturnCompleted

EVENTS = int(os.environ.get("NOTIFIER_FAULT_EVENTS", "200"))
NOTIFIER = """
import asyncio, json, sys
from notifier_service.app import run_sender, service_with
from notifier_service.settings import NotifierSettings
from shared.clock import SystemClock
from shared.db import Database
from shared.service import Running
from shared.wakeup import Wakeup

async def main():
    settings = NotifierSettings(**json.loads(sys.argv[1]), client_secret="secret")
    database, clock = Database(settings.database_url), SystemClock()
    worker = Running(service_with(settings.timing), database, clock).worker
    await asyncio.gather(worker.run(Wakeup()), run_sender(settings, database, clock))

asyncio.run(main())
"""


@contextlib.asynccontextmanager
async def notifier(house: Any, script: Path) -> AsyncIterator[None]:
    """A notifier process; killed at the end."""
    said = house.settings.model_dump_json(exclude={"client_secret"})
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), said, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.kill()
        await process.wait()


def moody(chance: random.Random) -> Callable[[str], str]:
    """A mail server's temper: most mails are taken, some refused, some lost in both ways."""
    moods = ["250 OK"] * 90 + ["451 later"] * 4 + ["cut"] * 3 + ["drop"] * 3

    def behave(_: str) -> str:
        time.sleep(chance.choice([0] * 19 + [0.2]))
        return chance.choice(moods)

    return behave


async def open_mails(house: Any) -> int:
    """How many events and mails are not settled; nobody's pause is waited for."""
    await house.rows(
        "UPDATE mail SET due_at = clock_timestamp() WHERE state = 'scheduled'"
        " AND due_at > clock_timestamp() AND claim IS NULL RETURNING 1"
    )
    [[events]] = await house.rows("SELECT count(*) FROM inbox WHERE state <> 'done'")
    [[mails]] = await house.rows(
        "SELECT count(*) FROM mail WHERE state IN ('scheduled', 'sending')"
    )
    return int(events) + int(mails)


@pytest.mark.rule("D155")
@pytest.mark.timeout(60 + EVENTS)
async def test_nothing_due_is_lost_and_nothing_is_sent_twice(house: Any, tmp_path: Path) -> None:
    script = tmp_path / "notifier.py"
    script.write_text(NOTIFIER)
    chance = random.Random(5)
    house.host.behave = moody(chance)
    house.knows(round_approvers=[])
    one = house.desk.applications["A1"]
    envelopes = []
    for number in range(EVENTS):
        who = {"person_id": "x", "role": "sales", "mail": f"p{number}@d01.example"}
        house.desk.applications[f"A{number}"] = one | {"originator": who}
        event = ReturnCompleted(
            dealer_id="D01",
            application_id=f"A{number}",
            contract_no="1",
            store_code="S10",
            originator_id="x",
            completed_at=datetime.now(UTC),
            result="returned",
            separate_procedure=False,
            completion_mail_opt_in=True,
        )
        envelopes.append(house.envelope(event, house.clock.now()))
    await house.running.inbox.store(envelopes)

    for _ in range(4):
        async with notifier(house, script):
            await asyncio.sleep(2 + 2 * chance.random())
            house.host.close()
            await asyncio.sleep(0.5)
            house.host.open()
            await open_mails(house)
            await asyncio.sleep(chance.random())
    house.host.behave = lambda _: "250 OK"
    await house.at_once()
    async with notifier(house, script):
        while await open_mails(house):  # noqa: ASYNC110  the other process rings no bell here
            await asyncio.sleep(0.5)

    taken = Counter(house.host.written_to)
    states = dict(await house.ledger("subject_id", "state"))
    assert len(states) == EVENTS
    assert set(states.values()) <= {"sent", "unknown"}
    assert set(taken.values()) == {1}
    sent = {f"p{name[1:]}@d01.example" for name, state in states.items() if state == "sent"}
    assert sent <= set(taken)
