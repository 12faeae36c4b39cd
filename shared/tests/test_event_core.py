"""Event core from commit to effect: outbox, relay, transport, inbox, worker; on real servers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts import SUBSCRIPTIONS, Event
from event_contracts.contract import NoteSaved
from shared import metrics, outbox
from shared.clock import SystemClock
from shared.db import EVERY_DEALER, Database
from shared.envelope import Envelope
from shared.inbox import Inbox, NoSuchDeadLetter
from shared.relay import Relay
from shared.testing.databases import TestDatabases
from shared.testing.stepwise import drain
from shared.trace_context import TraceContext, new_traceparent, use_context
from shared.transport import EmbeddedTransport
from shared.worker import Delivery, Subscribers, Worker

NOW = datetime(2025, 7, 15, 1, 0, tzinfo=UTC)


def note(contract_no: str, version: int) -> NoteSaved:
    return NoteSaved(dealer_id="D01", contract_no=contract_no, note_version=version, length=1)


class Pair:
    """A service that emits, and one that records each event it receives."""

    def __init__(self, source: Database, target: Database) -> None:
        self.source = source
        self.target = target
        self.fails: set[tuple[str, int]] = set()
        self.inbox = Inbox(target, "returns")
        transport = EmbeddedTransport({"returns": self.inbox}, SUBSCRIPTIONS)
        self.relay = Relay(source, transport, "/contracts")
        subscribers = Subscribers()
        subscribers.on(NoteSaved)(self.record)
        self.worker = Worker(
            target, "returns", subscribers.handlers, SystemClock(), attempts=2, pause=0.0
        )

    async def record(self, event: NoteSaved, _: Delivery, tx: AsyncSession) -> None:
        await tx.execute(
            text("INSERT INTO effect (contract_no, n) VALUES (:c, :n)"),
            {"c": event.contract_no, "n": event.note_version},
        )
        if (event.contract_no, event.note_version) in self.fails:
            raise ValueError("this one is poisoned")

    async def emit(self, *events: Event) -> None:
        async with self.source.transaction(EVERY_DEALER) as tx:
            for event in events:
                await outbox.add(tx, event, now=NOW)

    async def effects(self) -> list[tuple[str, int]]:
        async with self.target.transaction(EVERY_DEALER) as tx:
            rows = await tx.execute(text("SELECT contract_no, n FROM effect ORDER BY id"))
            return [(row.contract_no, row.n) for row in rows]

    async def settle(self) -> None:
        while await self.relay.relay_once():
            pass
        await drain(self.worker)


@pytest.fixture
async def pair(
    new_database: Callable[[str], Awaitable[str]], as_owner: Callable[[str, str], Awaitable[None]]
) -> AsyncIterator[Pair]:
    source, target = Database(await new_database("shared")), Database(await new_database("shared"))
    await as_owner(target.url, "CREATE TABLE effect (id serial, contract_no text, n int)")
    yield Pair(source, target)
    await source.close()
    await target.close()


async def test_an_event_takes_effect_once_and_in_order(pair: Pair) -> None:
    await pair.emit(note("A", 1), note("B", 1), note("A", 2))
    await pair.settle()
    assert await pair.effects() == [("A", 1), ("A", 2), ("B", 1)]


async def test_the_log_can_be_replayed_into_an_inbox_that_lost_it(pair: Pair) -> None:
    await pair.emit(note("A", 1), note("A", 2))
    await pair.settle()
    async with pair.target.transaction(EVERY_DEALER) as tx:
        await tx.execute(text("DELETE FROM inbox_stream"))
        await tx.execute(text("DELETE FROM effect"))
    async with pair.source.transaction(EVERY_DEALER) as tx:
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        assert await outbox.replay_log(tx, first=NOW, last=tomorrow) == 2
    await pair.settle()
    assert await pair.effects() == [("A", 1), ("A", 2)]


async def test_a_replayed_log_has_no_effect_where_it_was_processed(pair: Pair) -> None:
    await pair.emit(note("A", 1), note("A", 2))
    await pair.settle()
    async with pair.source.transaction(EVERY_DEALER) as tx:
        await outbox.replay_log(tx, first=NOW, last=datetime.now(UTC) + timedelta(days=1))
    await pair.settle()
    assert await pair.effects() == [("A", 1), ("A", 2)]


async def test_trace_and_correlation_cross_outbox_and_inbox(pair: Pair) -> None:
    async def pass_on(event: NoteSaved, delivery: Delivery, tx: AsyncSession) -> None:
        await outbox.add(tx, event, now=delivery.now)

    trace = new_traceparent()
    with use_context(TraceContext(correlation_id="request-1", traceparent=trace, actor="D01-E101")):
        await pair.emit(note("A", 1))
    await pair.relay.relay_once()
    await drain(replace(pair.worker, handlers={NoteSaved.wire_type: pass_on}))
    headers = []
    for database in (pair.source, pair.target):
        async with database.transaction(EVERY_DEALER) as tx:
            headers.append((await tx.execute(text("SELECT event_id, headers FROM outbox"))).one())
    (first_id, first), (_, second) = headers
    assert first["traceparent"].split("-")[1] == trace.split("-")[1]
    assert second["traceparent"].split("-")[1] == trace.split("-")[1]
    assert second["traceparent"] != first["traceparent"]
    assert second["correlationid"] == first["correlationid"] == "request-1"
    assert second["causationid"] == str(first_id)
    assert second["actor"] == "D01-E101"


async def test_several_workers_share_an_inbox_and_keep_every_order(pair: Pair) -> None:
    for n in range(1, 21):
        await pair.emit(*(note(c, n) for c in "ABCDEFGH"))
    while await pair.relay.relay_once():
        pass
    await asyncio.gather(*(drain(replace(pair.worker, batch=7)) for _ in range(3)))
    await drain(pair.worker)
    effects = await pair.effects()
    for contract in "ABCDEFGH":
        assert [n for c, n in effects if c == contract] == list(range(1, 21))


async def test_an_event_waits_for_the_one_before_it(pair: Pair) -> None:
    class Swapped(EmbeddedTransport):
        async def publish(self, batch: Sequence[Envelope]) -> set[UUID]:
            self.batch = batch
            return {event.event_id for event in batch}

    tap = Swapped({}, {})
    await pair.emit(note("A", 1), note("A", 2), note("A", 3))
    await Relay(pair.source, tap, "/contracts").relay_once()
    one, two, three = tap.batch
    await pair.inbox.store([three])
    await drain(pair.worker)
    await pair.inbox.store([two])
    await drain(pair.worker)
    assert await pair.effects() == []
    await pair.inbox.store([one, two])
    await drain(pair.worker)
    assert await pair.effects() == [("A", 1), ("A", 2), ("A", 3)]
    assert await pair.inbox.store([one, two, three]) == 0


async def test_events_without_a_handler_are_ignored(pair: Pair) -> None:
    await pair.emit(note("A", 1), note("A", 2))
    await pair.relay.relay_once()
    await drain(replace(pair.worker, handlers={}))
    await pair.emit(note("A", 3))
    await pair.settle()
    assert await pair.effects() == [("A", 3)]


async def test_an_unknown_type_is_dead_at_once_and_seen(
    pair: Pair, databases: TestDatabases
) -> None:
    await pair.emit(note("A", 1), note("B", 1))
    await databases.tamper(
        pair.source.url,
        "UPDATE outbox SET type = 'contract.note_saved.v9' WHERE aggregate_id = 'A'",
    )
    await pair.settle()
    [dead] = await pair.inbox.dead_letters()
    assert (dead.stream, dead.attempts) == ("/contracts/contract/A", 1)
    assert "contract.note_saved.v9" in dead.cause
    assert await pair.effects() == [("B", 1)]


async def test_an_unknown_dead_letter_is_refused(pair: Pair) -> None:
    with pytest.raises(NoSuchDeadLetter):
        await pair.inbox.replay(event_id=uuid4())
    with pytest.raises(NoSuchDeadLetter):
        await pair.inbox.skip(uuid4(), reason="x")


async def test_the_gauges_show_what_waits(pair: Pair) -> None:
    pair.fails = {("A", 1)}
    await pair.emit(note("A", 1), note("A", 2))
    await pair.settle()
    await pair.emit(note("A", 3))
    await metrics.sample(pair.source, "contracts", now=NOW)
    await metrics.sample(pair.target, "returns", now=NOW)
    value = metrics.REGISTRY.get_sample_value
    assert (value("outbox_age_seconds", {"service": "contracts"}) or 0) > 0
    assert value("inbox_dead_events", {"service": "returns"}) == 1
    assert value("inbox_waiting_events", {"service": "returns"}) == 1


async def test_a_handler_that_hangs_in_the_database_is_cut_off_and_its_stream_alone_waits(
    pair: Pair,
) -> None:
    async def sleep(_: NoteSaved, __: Delivery, tx: AsyncSession) -> None:
        await tx.execute(text("SELECT pg_sleep(20)"))

    slow = Worker(
        pair.target,
        "returns",
        {NoteSaved.wire_type: sleep},
        SystemClock(),
        attempts=1,
        handler_timeout_s=0.3,
    )
    await pair.emit(note("A", 1), note("A", 2))
    await pair.relay.relay_once()
    await drain(slow)
    [dead] = await pair.inbox.dead_letters()
    assert (dead.sequence, dead.cause) == (1, "HandlerHung: the handler took too long")


async def test_an_action_that_fails_emits_nothing(pair: Pair) -> None:
    with pytest.raises(RuntimeError, match="after the event"):
        async with pair.source.transaction(EVERY_DEALER) as tx:
            await outbox.add(tx, note("A", 1), now=NOW)
            raise RuntimeError("after the event")
    await pair.emit(note("A", 2))
    await pair.settle()
    assert await pair.effects() == [("A", 2)]


async def test_a_poisoned_event_blocks_only_its_own_stream(pair: Pair) -> None:
    pair.fails = {("A", 2)}
    await pair.emit(note("A", 1), note("A", 2), note("A", 3), note("B", 1))
    await pair.settle()
    assert sorted(await pair.effects()) == [("A", 1), ("B", 1)]
    [dead] = await pair.inbox.dead_letters()
    assert (dead.sequence, dead.attempts, dead.cause) == (
        2,
        2,
        "ValueError: this one is poisoned",
    )


async def test_a_replayed_event_has_all_its_attempts_again(pair: Pair) -> None:
    pair.fails = {("A", 1)}
    await pair.emit(note("A", 1))
    await pair.settle()
    [dead] = await pair.inbox.dead_letters()
    assert await pair.inbox.replay(event_id=dead.event_id) == 1
    assert await pair.inbox.dead_letters() == []
    await pair.settle()
    [again] = await pair.inbox.dead_letters()
    assert (again.event_id, again.attempts) == (dead.event_id, dead.attempts)


async def test_a_replayed_event_lets_its_stream_go_on(pair: Pair) -> None:
    pair.fails = {("A", 1)}
    await pair.emit(note("A", 1), note("A", 2))
    await pair.settle()
    pair.fails = set()
    assert await pair.inbox.replay(cause="poisoned") == 1
    await pair.settle()
    assert await pair.effects() == [("A", 1), ("A", 2)]


async def test_a_skipped_event_lets_its_stream_go_on_without_it(pair: Pair) -> None:
    pair.fails = {("A", 1)}
    await pair.emit(note("A", 1), note("A", 2))
    await pair.settle()
    [dead] = await pair.inbox.dead_letters()
    await pair.inbox.skip(dead.event_id, reason="entered by hand")
    await pair.settle()
    assert await pair.effects() == [("A", 2)]
    assert await pair.inbox.dead_letters() == []
