"""Relays: several share one outbox, and one that stalled does no harm."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import text

from event_contracts.contract import NoteSaved
from shared import outbox, tracing
from shared.db import EVERY_DEALER, Database
from shared.envelope import Envelope
from shared.event_tables import LANES
from shared.fault_injection import FaultHooks
from shared.relay import Relay
from shared.transport import TransportDown

NOW = datetime(2025, 7, 15, 1, 0, tzinfo=UTC)
LEASE_S = 3600


class Wire:
    """A transport that records batches, and fails on request."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, int]] = []
        self.refuses: set[str] = set()
        self.down = False
        self.before_answer: Callable[[], Awaitable[None]] | None = None

    async def publish(self, batch: Sequence[Envelope]) -> set[UUID]:
        if self.down:
            raise TransportDown("gone")
        confirmed, blocked = set(), set(self.refuses)
        for event in batch:
            if event.aggregate_id not in blocked:
                self.sent.append((event.aggregate_id, event.sequence))
                confirmed.add(event.event_id)
        if self.before_answer:
            await self.before_answer()
        return confirmed

    async def close(self) -> None: ...


@pytest.fixture
async def database(new_database: Callable[[str], Awaitable[str]]) -> AsyncIterator[Database]:
    database = Database(await new_database("shared"))
    yield database
    await database.close()


async def emit(database: Database, *contracts: str) -> None:
    async with database.transaction(EVERY_DEALER) as tx:
        for contract in contracts:
            event = NoteSaved(dealer_id="D01", contract_no=contract, note_version=1, length=1)
            await outbox.add(tx, event, now=NOW)


async def unpublished(database: Database) -> int:
    async with database.transaction(EVERY_DEALER) as tx:
        query = "SELECT count(*) FROM outbox_queue"
        return int((await tx.execute(text(query))).scalar_one())


async def let_pass(database: Database, seconds: float) -> None:
    """Move the timestamps that relays wrote into the past."""
    aged = "UPDATE {} SET {} = {} - make_interval(secs => :seconds)"
    async with database.transaction(EVERY_DEALER) as tx:
        for table, column in (("relay", "seen_at"), ("relay_lease", "expires_at")):
            await tx.execute(text(aged.format(table, column, column)), {"seconds": seconds})


async def test_two_relays_divide_the_lanes_evenly(database: Database) -> None:
    one, two = Relay(database, Wire(), "/c"), Relay(database, Wire(), "/c")
    await one.renew_leases()
    assert len(one._lanes) == LANES
    await two.renew_leases()
    await one.renew_leases()
    await two.renew_leases()
    assert len(one._lanes) == len(two._lanes) == LANES // 2
    assert not set(one._lanes) & set(two._lanes)


async def test_a_relay_that_vanished_is_replaced_when_its_lease_ends(database: Database) -> None:
    gone = Relay(database, Wire(), "/c", lease=LEASE_S)
    await gone.renew_leases()
    wire = Wire()
    heir = Relay(database, wire, "/c", lease=LEASE_S)
    await emit(database, "A")
    await heir.renew_leases()
    assert await heir.relay_once() == 0
    await let_pass(database, LEASE_S)
    await heir.renew_leases()
    assert await heir.relay_once() == 1
    assert wire.sent == [("A", 1)]


@pytest.mark.parametrize(
    ("hooks", "left"), [(FaultHooks(), 1), (FaultHooks(frozenset({"fencing"})), 0)]
)
async def test_a_stalled_relay_marks_nothing_in_lanes_it_lost(
    database: Database, hooks: FaultHooks, left: int
) -> None:
    await emit(database, "A")
    wire = Wire()
    slow = Relay(database, wire, "/c", lease=LEASE_S, hooks=hooks)

    async def stall() -> None:
        await let_pass(database, LEASE_S)
        await Relay(database, Wire(), "/c", lease=LEASE_S).renew_leases()

    wire.before_answer = stall
    assert await slow.relay_once() == 1
    assert await unpublished(database) == left


async def test_only_the_span_of_an_unconfirmed_event_has_failed(database: Database) -> None:
    exporter = InMemorySpanExporter()
    tracing.record("test", SimpleSpanProcessor(exporter))
    wire = Wire()
    wire.refuses = {"A"}
    await emit(database, "A", "B")
    try:
        assert await Relay(database, wire, "/c", lease=LEASE_S).relay_once() == 2
    finally:
        tracing.stop()
    ends = [span.status.status_code.name for span in exporter.get_finished_spans()]
    assert sorted(ends) == ["ERROR", "UNSET"]
    [failed] = [span for span in exporter.get_finished_spans() if not span.status.is_ok]
    assert any(str(value).endswith("/A") for value in (failed.attributes or {}).values())


async def test_an_unconfirmed_event_holds_back_only_its_own_aggregate(database: Database) -> None:
    wire = Wire()
    relay = Relay(database, wire, "/c")
    await emit(database, "A", "B", "A", "B")
    wire.refuses = {"A"}
    await relay.relay_once()
    assert wire.sent == [("B", 1), ("B", 2)]
    assert await unpublished(database) == 2
    wire.refuses = set()
    await asyncio.sleep(0.3)
    await relay.relay_once()
    assert wire.sent[2:] == [("A", 1), ("A", 2)]
    assert await unpublished(database) == 0


async def test_an_outage_loses_nothing_however_long_it_lasts(database: Database) -> None:
    wire = Wire()
    relay = Relay(database, wire, "/c")
    await emit(database, "A")
    wire.down = True
    for _ in range(5):
        with pytest.raises(TransportDown):
            await relay.relay_once()
    wire.down = False
    assert await relay.relay_once() == 1
    assert wire.sent == [("A", 1)]


async def test_numbers_have_no_gap_under_concurrent_commits(database: Database) -> None:
    async def one(n: int) -> None:
        async with database.transaction(EVERY_DEALER) as tx:
            event = NoteSaved(dealer_id="D01", contract_no="A", note_version=n, length=1)
            await outbox.add(tx, event, now=NOW)
            if n % 3 == 0:
                raise ZeroDivisionError

    await asyncio.gather(*(one(n) for n in range(30)), return_exceptions=True)
    async with database.transaction(EVERY_DEALER) as tx:
        rows = await tx.execute(text("SELECT sequence FROM outbox ORDER BY position"))
        assert [row.sequence for row in rows] == list(range(1, 21))
