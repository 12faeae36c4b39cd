"""RabbitMQ transport: the same guarantees over a real broker, and what it rejects."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import cast
from uuid import UUID

import aio_pika
import orjson
import pytest
from aio_pika.abc import AbstractIncomingMessage
from pamqp.commands import Basic
from sqlalchemy import text

from event_contracts.contract import NoteSaved
from shared import outbox
from shared.amqp_properties import EventProperties
from shared.db import EVERY_DEALER, Database
from shared.envelope import Envelope, from_headers, to_headers
from shared.event_batch import BATCH_HEADERS, to_batch
from shared.inbox import Inbox
from shared.rabbitmq import (
    LARGEST_BODY,
    LARGEST_STORED,
    InboundBuffer,
    RabbitTransport,
    Topology,
    consume,
)
from shared.relay import Relay
from shared.trace_context import new_id

NOW = datetime(2025, 7, 15, 1, 0, tzinfo=UTC)


@pytest.fixture
async def source(new_database: Callable[[str], Awaitable[str]]) -> AsyncIterator[Database]:
    database = Database(await new_database("shared"))
    yield database
    await database.close()


@pytest.fixture
async def inbox(new_database: Callable[[str], Awaitable[str]]) -> AsyncIterator[Inbox]:
    database = Database(await new_database("shared"))
    yield Inbox(database, "returns")
    await database.close()


@asynccontextmanager
async def consuming(url: str, topology: Topology, inbox: Inbox) -> AsyncIterator[None]:
    task = asyncio.create_task(consume(url, topology, inbox.service, InboundBuffer(inbox)))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def count(database: Database, table: str) -> int:
    async with database.transaction(EVERY_DEALER) as tx:
        return int((await tx.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())


async def eventually(question: Callable[[], Awaitable[object]], answer: object) -> None:
    for _ in range(200):
        if await question() == answer:
            return
        await asyncio.sleep(0.05)
    assert await question() == answer


async def queue_length(url: str, name: str) -> int:
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        queue = await channel.get_queue(name)
        return int(queue.declaration_result.message_count or 0)


async def release_lanes(database: Database) -> None:
    async with database.transaction(EVERY_DEALER) as tx:
        await tx.execute(text("UPDATE relay_lease SET expires_at = '-infinity'"))
        await tx.execute(text("DELETE FROM relay"))


async def emit(database: Database, count: int) -> None:
    async with database.transaction(EVERY_DEALER) as tx:
        for n in range(count):
            await outbox.add(
                tx,
                NoteSaved(dealer_id="D01", contract_no=f"C{n % 7}", note_version=n, length=1),
                now=NOW,
            )


async def test_what_was_committed_arrives(
    rabbitmq_url: str, topology: Topology, source: Database, inbox: Inbox
) -> None:
    await emit(source, 50)
    transport = RabbitTransport(rabbitmq_url, topology)
    relay = Relay(source, transport, "/contracts")
    async with consuming(rabbitmq_url, topology, inbox):
        assert await relay.relay_once() == 50
        assert await relay.relay_once() == 0
        await eventually(lambda: count(inbox.database, "inbox"), 50)
        await eventually(lambda: queue_length(rabbitmq_url, topology.queue("returns")), 0)
    await transport.close()


async def test_messages_of_the_version_before_are_read_beside_batches(
    rabbitmq_url: str, topology: Topology, source: Database, inbox: Inbox
) -> None:
    queue = topology.queue("returns")
    before = RabbitTransport(rabbitmq_url, topology, events_per_message=1)
    now = RabbitTransport(rabbitmq_url, topology)
    for transport, waiting in ((before, 20), (now, 21)):
        await emit(source, 20)
        assert await Relay(source, transport, "/contracts").relay_once() == 20
        await eventually(partial(queue_length, rabbitmq_url, queue), waiting)
        await transport.close()
        await release_lanes(source)
    async with consuming(rabbitmq_url, topology, inbox):
        await eventually(lambda: count(inbox.database, "inbox"), 40)
        await eventually(lambda: queue_length(rabbitmq_url, queue), 0)
    assert await inbox.refused() == []


async def test_an_unreadable_event_of_a_batch_is_refused_and_the_others_stored(
    rabbitmq_url: str, topology: Topology, inbox: Inbox
) -> None:
    transport = RabbitTransport(rabbitmq_url, topology)
    await transport.publish([])
    await transport.close()
    items = orjson.loads(to_batch([envelope(n) for n in range(1, 6)]))
    items[2]["time"] = "yesterday"
    items[4]["dealerid"] = "D\0"
    message = aio_pika.Message(orjson.dumps(items), headers=dict(BATCH_HEADERS))
    async with await aio_pika.connect(rabbitmq_url) as connection, connection.channel() as channel:
        exchange = await channel.get_exchange(topology.exchange)
        await exchange.publish(message, "contract.batch")
    async with consuming(rabbitmq_url, topology, inbox):
        await eventually(lambda: count(inbox.database, "inbox"), 3)
        await eventually(lambda: count(inbox.database, "inbox_refused"), 2)
        await eventually(lambda: queue_length(rabbitmq_url, topology.queue("returns")), 0)


def test_one_commit_stores_no_more_than_memory_and_locks_allow(inbox: Inbox) -> None:
    arrivals = InboundBuffer(inbox, largest_group=3)
    sizes = [LARGEST_STORED + 1, 9, LARGEST_STORED - 9, 1, 1, 1, 1, 1]
    for size in sizes:
        arrivals.add(cast("AbstractIncomingMessage", SimpleNamespace(body=b"x" * size)))
    groups = []
    while group := arrivals._next_group():
        groups.append([len(message.body) for message in group])
    assert groups == [[sizes[0]], sizes[1:3], [1, 1, 1], [1, 1]]


async def test_an_event_before_the_first_consumer_waits_in_its_queue(
    rabbitmq_url: str, topology: Topology, source: Database, inbox: Inbox
) -> None:
    await emit(source, 3)
    transport = RabbitTransport(rabbitmq_url, topology)
    assert await Relay(source, transport, "/contracts").relay_once() == 3
    await transport.close()
    async with consuming(rabbitmq_url, topology, inbox):
        await eventually(lambda: count(inbox.database, "inbox"), 3)


async def test_an_unroutable_event_stays_in_the_outbox(
    rabbitmq_url: str, topology: Topology, source: Database
) -> None:
    await emit(source, 7)
    transport = RabbitTransport(rabbitmq_url, topology)
    await transport.publish([])
    async with await aio_pika.connect(rabbitmq_url) as connection, connection.channel() as channel:
        await channel.queue_delete(topology.queue("returns"))
    relay = Relay(source, transport, "/contracts")
    await relay.relay_once()
    assert await count(source, "outbox_queue") == 7
    await transport.close()


def envelope(n: int) -> Envelope:
    note = NoteSaved(dealer_id="D01", contract_no=f"C{n}", note_version=n, length=1)
    return Envelope(
        new_id(), "/contracts", note.wire_type, "contract", note.contract_no, 1, "D01", NOW,
        note.model_dump_json().encode(),
    )  # fmt: skip


NO_UUID = {
    "ce-specversion": "1.0",
    "ce-id": "0198-not-a-uuid",
    "ce-source": "/x",
    "ce-type": "t",
    "ce-time": "2025-07-15T00:00:00+00:00",
    "ce-subject": "1",
    "ce-aggregatetype": "contract",
    "ce-sequence": "1",
    "ce-dealerid": "D01",
}
"""Headers of an event whose id is no UUID."""


async def test_foreign_messages_are_kept_for_an_operator_and_the_queue_goes_on(
    rabbitmq_url: str, topology: Topology, source: Database, inbox: Inbox
) -> None:
    good = NoteSaved(dealer_id="D01", contract_no="C1", note_version=1, length=1)
    async with source.transaction(EVERY_DEALER) as tx:
        await outbox.add(tx, good, now=NOW)
    transport = RabbitTransport(rabbitmq_url, topology)
    await transport.publish([])
    ours = {**NO_UUID, "ce-id": "0198f9a0-0000-7000-8000-000000000000"}
    bad: list[tuple[bytes, dict[str, str]]] = [
        (b"not json", {}),
        (b"{}", NO_UUID),
        (b"{not json", ours),
        (b'["a list"]', ours),
        (b'{"text": "\\u0000"}', ours),
        (b'{"n": 1e999999999}', ours),
        (b"{}", {**ours, "ce-sequence": "0"}),
        (b"{}", {**ours, "ce-time": "2025-07-15T00:00:00"}),
        (b'{"text": "' + b"x" * 10 * LARGEST_BODY + b'"}', ours),
    ]
    async with await aio_pika.connect(rabbitmq_url) as connection, connection.channel() as channel:
        exchange = await channel.get_exchange(topology.exchange)
        for body, headers in bad:
            message = aio_pika.Message(body, headers=dict(headers))
            await exchange.publish(message, "contract.note_saved.v1")
    await Relay(source, transport, "/contracts").relay_once()
    async with consuming(rabbitmq_url, topology, inbox):
        await eventually(lambda: count(inbox.database, "inbox"), 1)
        await eventually(lambda: count(inbox.database, "inbox_refused"), len(bad))
        await eventually(lambda: queue_length(rabbitmq_url, topology.queue("returns")), 0)
    refused = await inbox.refused()
    assert max(r.size for r in refused) > 10 * LARGEST_BODY
    assert all(r.reason for r in refused)
    await transport.close()


async def test_an_unavailable_broker_is_waited_for(topology: Topology, source: Database) -> None:
    await emit(source, 1)
    transport = RabbitTransport("amqp://guest:guest@127.0.0.1:1/", topology)
    with pytest.raises(ConnectionError):
        await Relay(source, transport, "/contracts").relay_once()
    assert await count(source, "outbox_queue") == 1


def test_properties_are_encoded_as_pamqp_does_it() -> None:
    event = Envelope(
        event_id=UUID("0198f9a0-0000-7000-8000-000000000000"),
        source="/contracts",
        type="contract.note_saved.v1",
        aggregate_type="contract",
        aggregate_id="契約-1",
        sequence=300,
        dealer_id="D01",
        occurred_at=NOW,
        payload=b"{}",
        headers={"actor": "D01-E101"},
    )
    plain = Basic.Properties(
        content_type="application/json",
        delivery_mode=2,
        message_id=str(event.event_id),
        message_type=event.type,
        timestamp=NOW,
        headers=dict(to_headers(event)),
    )
    theirs, ours = Basic.Properties(), Basic.Properties()
    for properties, encoded in (
        (theirs, plain.marshal()),
        (ours, EventProperties(event).marshal()),
    ):
        properties.unmarshal(int.from_bytes(encoded[:2], "big"), encoded[2:])
    assert dict(ours) == dict(theirs)
    assert ours.headers == to_headers(event)


async def test_the_envelope_survives_its_journey(source: Database) -> None:
    await emit(source, 1)

    class Tap:
        async def publish(self, batch: object) -> set[object]:
            self.batch = list(batch)  # type: ignore[call-overload]
            return {e.event_id for e in self.batch}

        async def close(self) -> None: ...

    tap = Tap()
    await Relay(source, tap, "/contracts").relay_once()  # type: ignore[arg-type]
    [event] = tap.batch
    assert from_headers(to_headers(event), event.payload) == event
