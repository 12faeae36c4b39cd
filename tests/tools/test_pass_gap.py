"""`madoguchi events pass-gap`: events that will never come, passed with a reason, and recorded."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from madoguchi.cli.failures import ExitCode
from madoguchi.cli.main import main
from shared.db import EVERY_DEALER, Database
from shared.envelope import Envelope
from shared.inbox import Inbox

NewDatabase = Callable[[str], Awaitable[str]]
STREAM = "/tfc/contract/12345678"


def arrived(sequence: int) -> Envelope:
    return Envelope(
        event_id=uuid4(),
        type="tfc.contract_updated.v1",
        source="/tfc",
        aggregate_type="contract",
        aggregate_id="12345678",
        sequence=sequence,
        dealer_id="D01",
        occurred_at=datetime.now(UTC),
        payload=b"{}",
        headers={},
    )


async def asked(url: str, *words: str, portal: str | None = None) -> Result:
    command = ["events", *words, "--service", "returns", "--database", url]
    env = {"PORTAL_DATABASE_URL": portal}
    return await asyncio.to_thread(CliRunner().invoke, main, command, env=env)


async def rows(url: str, question: str) -> list[tuple[object, ...]]:
    database = Database(url)
    async with database.transaction(EVERY_DEALER) as tx:
        found = [tuple(row) for row in await tx.execute(text(question))]
    await database.close()
    return found


@pytest.fixture
async def url(new_database: NewDatabase) -> str:
    """A stream that has #1 and waits for #2 and #3, while #4 and #5 have come."""
    url = await new_database("returns_service")
    database = Database(url)
    inbox = Inbox(database, "returns")
    await inbox.store([arrived(4), arrived(5)])
    async with database.transaction(EVERY_DEALER) as tx:
        await tx.execute(text("UPDATE inbox_stream SET next_sequence = 2"))
        await tx.execute(text("UPDATE inbox SET state = 'parked'"))
    await database.close()
    return url


STREAMS = "SELECT stream, next_sequence FROM inbox_stream"
STATES = "SELECT sequence, state FROM inbox ORDER BY sequence"


async def test_gaps_are_listed_with_what_waits_behind_them(url: str) -> None:
    listed = await asked(url, "gaps")
    assert f"{STREAM} waits for #2 to #3 since" in listed.output
    assert "2 later event(s) wait" in listed.output
    [gap] = json.loads((await asked(url, "gaps", "--json")).output)
    assert (gap["stream"], gap["first"], gap["last"], gap["waiting"]) == (STREAM, 2, 3, 2)


async def test_a_gap_is_passed_and_recorded(url: str, new_database: NewDatabase) -> None:
    portal = await new_database("portal_service")
    words = ("pass-gap", STREAM, "--reason", "送信元で取り消された")
    done = await asked(url, *words, portal=portal)
    assert done.exit_code == 0, done.output
    assert "2 event(s) that waited are processed now" in done.output
    assert await rows(url, STREAMS) == [(STREAM, 4)]
    assert await rows(url, STATES) == [(3, "skipped"), (4, "waiting"), (5, "parked")]
    [[cause]] = await rows(url, "SELECT cause FROM inbox WHERE state = 'skipped'")
    assert str(cause).startswith("#2 to #3 passed by CLI-")
    assert "送信元で取り消された" in str(cause)
    [row] = await rows(
        portal, "SELECT action, outcome, method, route, object_kind, object_id FROM access_log"
    )
    how = ("operator-step", "success", "CLI", "madoguchi events pass-gap")
    assert row == (*how, "stream", STREAM)
    line = json.loads(done.stderr.splitlines()[0])
    assert (line["event"], line["event.action"]) == ("access", "operator-step")
    assert "送信元" not in done.stderr  # texts are for the database
    assert "0 gap(s)" in (await asked(url, "gaps")).output


async def test_what_comes_after_all_is_ignored(url: str) -> None:
    assert (await asked(url, "pass-gap", STREAM, "--reason", "x")).exit_code == 0
    database = Database(url)
    assert await Inbox(database, "returns").store([arrived(2), arrived(3)]) == 0
    await database.close()
    assert [state for _, state in await rows(url, STATES)] == ["skipped", "waiting", "parked"]


async def test_without_the_portals_database_only_the_line_records_it(url: str) -> None:
    done = await asked(url, "pass-gap", STREAM, "--reason", "x")
    assert (done.exit_code, "PORTAL_DATABASE_URL is not set" in done.stderr) == (0, True)


async def test_what_cannot_be_recorded_is_not_done(url: str) -> None:
    away = "postgresql://nobody@127.0.0.1:1/x"
    done = await asked(url, "pass-gap", STREAM, "--reason", "x", portal=away)
    assert (done.exit_code, "Traceback" in done.output) == (ExitCode.AWAY, False)
    assert await rows(url, STREAMS) == [(STREAM, 2)]


async def test_a_dry_run_says_what_and_does_nothing(url: str, new_database: NewDatabase) -> None:
    portal = await new_database("portal_service")
    words = ("pass-gap", STREAM, "--reason", "x", "--dry-run")
    done = await asked(url, *words, portal=portal)
    assert (done.exit_code, "#2 to #3 would be passed" in done.output) == (0, True), done.output
    assert await rows(url, STREAMS) == [(STREAM, 2)]
    assert await rows(portal, "SELECT 1 FROM access_log") == []


async def test_a_stream_that_waits_for_nothing(url: str) -> None:
    database = Database(url)
    await Inbox(database, "returns").store([arrived(2), arrived(3)])
    await database.close()
    for stream in (STREAM, "/tfc/contract/unknown"):
        done = await asked(url, "pass-gap", stream, "--reason", "x")
        assert done.exit_code == ExitCode.WRONG_USE
        assert "waits for no event" in " ".join(done.stderr.split())
