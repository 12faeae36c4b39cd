"""Inbox faults found by long runs, as minimal tests."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import aiormq
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts.contract import NoteSaved
from shared.clock import SystemClock
from shared.db import Database
from shared.envelope import Envelope, to_headers
from shared.inbox import Inbox
from shared.rabbitmq import InboundBuffer
from shared.testing.stepwise import drain
from shared.trace_context import new_id
from shared.worker import Delivery, Subscribers, Worker

NOW = datetime(2025, 7, 15, 1, 0, tzinfo=UTC)
BATCH = 20


def event(aggregate: str, n: int) -> Envelope:
    note = NoteSaved(dealer_id="D01", contract_no=aggregate, note_version=n, length=1)
    return Envelope(
        event_id=new_id(),
        source="/contracts",
        type=note.wire_type,
        aggregate_type="contract",
        aggregate_id=aggregate,
        sequence=n,
        dealer_id="D01",
        occurred_at=NOW,
        payload=note.model_dump_json().encode(),
    )


class Receiver:
    """An inbox with a worker, and a handler that runs `trouble`."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.inbox = Inbox(database, "returns")
        self.trouble: dict[tuple[str, int], Callable[[AsyncSession], Awaitable[object]]] = {}
        subscribers = Subscribers()
        subscribers.on(NoteSaved)(self.take_effect)
        self.worker = Worker(
            database, "returns", subscribers.handlers, SystemClock(), batch=BATCH, attempts=1
        )

    async def take_effect(self, note: NoteSaved, _: Delivery, tx: AsyncSession) -> None:
        if trouble := self.trouble.get((note.contract_no, note.note_version)):
            await trouble(tx)
        await tx.execute(
            text("INSERT INTO effect (aggregate, n) VALUES (:aggregate, :n)"),
            {"aggregate": note.contract_no, "n": note.note_version},
        )

    async def effects(self) -> list[tuple[str, int]]:
        async with self.database.transaction() as tx:
            rows = await tx.execute(text("SELECT aggregate, n FROM effect ORDER BY id"))
            return [(row.aggregate, row.n) for row in rows]


@pytest.fixture
async def receiver(
    new_database: Callable[[str], Awaitable[str]], as_owner: Callable[[str, str], Awaitable[None]]
) -> AsyncIterator[Receiver]:
    database = Database(await new_database("shared"))
    await as_owner(database.url, "CREATE TABLE effect (id serial, aggregate text, n int)")
    yield Receiver(database)
    await database.close()


async def fail_permanently(_: AsyncSession) -> None:
    raise ValueError("this one is poisoned")


async def test_a_long_queue_behind_a_poisoned_event_blocks_no_other_stream(
    receiver: Receiver,
) -> None:
    receiver.trouble = {("A", 1): fail_permanently}
    await receiver.inbox.store([event("A", n) for n in range(1, 4 * BATCH)])
    await receiver.inbox.store([event("B", 1)])
    await drain(receiver.worker)
    assert await receiver.effects() == [("B", 1)]
    receiver.trouble = {}
    await receiver.inbox.replay(cause="poisoned")
    await drain(receiver.worker)
    assert await receiver.effects() == [("B", 1), *(("A", n) for n in range(1, 4 * BATCH))]


async def test_a_long_queue_behind_a_missing_event_blocks_no_other_stream(
    receiver: Receiver,
) -> None:
    await receiver.inbox.store([event("A", n) for n in range(2, 4 * BATCH)])
    await receiver.inbox.store([event("B", 1)])
    await drain(receiver.worker)
    assert await receiver.effects() == [("B", 1)]
    await receiver.inbox.store([event("A", 1)])
    await drain(receiver.worker)
    assert await receiver.effects() == [("B", 1), *(("A", n) for n in range(1, 4 * BATCH))]


async def test_a_connection_lost_in_a_handler_is_no_fault_of_the_event(receiver: Receiver) -> None:
    async def fail_in_the_quick_pass(_: AsyncSession) -> None:
        del receiver.trouble["A", 1]
        raise ValueError("only once")

    async def lose_the_connection(tx: AsyncSession) -> None:
        del receiver.trouble["B", 1]
        await tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    receiver.trouble = {("A", 1): fail_in_the_quick_pass, ("B", 1): lose_the_connection}
    await receiver.inbox.store([event("A", 1), event("B", 1), event("B", 2)])
    with pytest.raises(DBAPIError):
        await drain(receiver.worker)
    await drain(receiver.worker)
    assert await receiver.effects() == [("A", 1), ("B", 1), ("B", 2)]
    assert await receiver.inbox.dead_letters() == []


class Channel:
    """A fake channel that records acknowledgements."""

    def __init__(self) -> None:
        self.acknowledged: list[int] = []

    async def basic_ack(self, tag: int, **_: object) -> None:
        self.acknowledged.append(tag)


class Message(SimpleNamespace):
    """A fake message for storing and acknowledging; its channel may be closed."""

    @property
    def channel(self) -> Channel:
        if self.came_by is None:
            raise aiormq.exceptions.ChannelInvalidStateError
        return cast("Channel", self.came_by)


def message(n: int, tag: int, came_by: Channel | None) -> Any:
    of = event("A", n)
    return Message(body=of.payload, headers=to_headers(of), delivery_tag=tag, came_by=came_by)


async def test_messages_of_a_closed_channel_are_stored_and_those_of_the_next_acknowledged(
    receiver: Receiver,
) -> None:
    arrivals, channel = InboundBuffer(receiver.inbox), Channel()
    first, second = [message(1, 1, channel)], [message(3, 2, channel), message(2, 7, None)]
    for group in (first, second):
        await arrivals._store(group)
        await arrivals._acknowledge(group)
    assert channel.acknowledged == [1, 2]
    await drain(receiver.worker)
    assert await receiver.effects() == [("A", 1), ("A", 2), ("A", 3)]
