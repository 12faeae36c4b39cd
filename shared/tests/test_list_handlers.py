"""List handlers: several events in one call, in the order of their aggregates, or one by one."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import get_args

import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts import Event
from event_contracts.contract import Basis, FinalHandlingReopened, NoteSaved
from shared.clock import SystemClock
from shared.db import EVERY_DEALER, Database
from shared.envelope import Envelope
from shared.inbox import Inbox
from shared.testing.stepwise import drain
from shared.trace_context import current_context, new_id
from shared.worker import Delivery, Subscribers, Worker

NOW = datetime(2025, 7, 15, 1, 0, tzinfo=UTC)
BASIS = get_args(Basis)[0]
RECORD = text("INSERT INTO effect (contract_no, n) VALUES (:contract_no, :n)")


class Receiver:
    """A service with a list handler, which records its calls, and one for single events."""

    def __init__(self, database: Database) -> None:
        self.inbox = Inbox(database, "returns")
        self.calls: list[list[tuple[str, int]]] = []
        self.causes: list[str | None] = []
        self.poisoned: set[tuple[str, int]] = set()
        subscribers = Subscribers()
        subscribers.on_list(NoteSaved)(self.many)
        subscribers.on(FinalHandlingReopened)(self.one)
        self.worker = Worker(
            database, "returns", subscribers.handlers, SystemClock(), attempts=1, pause=0.0
        )

    async def many(self, events: Sequence[tuple[NoteSaved, Delivery]], tx: AsyncSession) -> None:
        await self.record([(event.contract_no, on.sequence) for event, on in events], tx)

    async def one(self, event: FinalHandlingReopened, on: Delivery, tx: AsyncSession) -> None:
        await self.record([(event.contract_no, on.sequence)], tx)

    async def record(self, call: list[tuple[str, int]], tx: AsyncSession) -> None:
        self.calls.append(call)
        self.causes.append(current_context().causation_id)
        for contract_no, n in call:
            await tx.execute(RECORD, {"contract_no": contract_no, "n": n})
        if self.poisoned & set(call):
            raise ValueError("one of them is poisoned")

    async def store(self, *events: tuple[Event, int]) -> None:
        await self.inbox.store([
            Envelope(
                new_id(), "/contracts", event.wire_type, "contract", event.aggregate_id,
                sequence, "D01", NOW, event.model_dump_json().encode(),
            )
            for event, sequence in events
        ])  # fmt: skip

    async def effects(self) -> list[tuple[str, int]]:
        async with self.inbox.database.transaction(EVERY_DEALER) as tx:
            rows = await tx.execute(text("SELECT contract_no, n FROM effect ORDER BY id"))
            return [(row.contract_no, row.n) for row in rows]


def note(contract_no: str, n: int) -> tuple[NoteSaved, int]:
    return NoteSaved(dealer_id="D01", contract_no=contract_no, note_version=n, length=1), n


def reopened(contract_no: str, n: int) -> tuple[FinalHandlingReopened, int]:
    return FinalHandlingReopened.model_validate(
        {"dealer_id": "D01", "contract_no": contract_no, "basis": BASIS}
    ), n


@pytest.fixture
async def receiver(
    new_database: Callable[[str], Awaitable[str]], as_owner: Callable[[str, str], Awaitable[None]]
) -> AsyncIterator[Receiver]:
    url = await new_database("shared")
    await as_owner(url, "CREATE TABLE effect (id bigserial, contract_no text, n bigint)")
    database = Database(url)
    yield Receiver(database)
    await database.close()


async def test_the_events_of_a_batch_come_in_one_call(receiver: Receiver) -> None:
    await receiver.store(note("A", 1), note("A", 2), note("B", 1))
    await drain(receiver.worker)
    assert receiver.calls == [[("A", 1), ("A", 2), ("B", 1)]]
    assert receiver.causes == [None]


async def test_an_aggregates_events_of_several_types_keep_their_order(receiver: Receiver) -> None:
    await receiver.store(note("A", 1), reopened("A", 2), note("A", 3), note("B", 1))
    await drain(receiver.worker)
    assert receiver.calls == [[("A", 1)], [("A", 2)], [("A", 3), ("B", 1)]]


async def test_a_list_is_not_cut_by_an_event_of_another_aggregate(receiver: Receiver) -> None:
    await receiver.store(note("A", 1), reopened("B", 1), note("C", 1))
    await drain(receiver.worker)
    assert sorted(receiver.calls) == [[("A", 1), ("C", 1)], [("B", 1)]]


async def test_a_poisoned_event_blocks_only_its_own_aggregate(receiver: Receiver) -> None:
    receiver.poisoned = {("A", 2)}
    await receiver.store(note("A", 1), note("A", 2), note("A", 3), note("B", 1))
    await drain(receiver.worker)
    assert await receiver.effects() == [("A", 1), ("B", 1)]
    [dead] = await receiver.inbox.dead_letters()
    assert (dead.stream, dead.sequence) == ("/contracts/contract/A", 2)
    assert dead.cause == "ValueError: one of them is poisoned"
    assert orjson.loads(dead.payload)["note_version"] == 2


async def test_handled_alone_an_event_is_the_cause(receiver: Receiver) -> None:
    receiver.poisoned = {("A", 1)}
    await receiver.store(note("A", 1))
    await drain(receiver.worker)
    [dead] = await receiver.inbox.dead_letters()
    assert receiver.causes == [None, str(dead.event_id)]
