"""A database that cannot be reached or has no connection left: others work on, and nothing is lost.

A worker whose own database connection is cut gives its messages back; an API answers 503.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import APIRouter, Depends, Request
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts.contract import NoteSaved
from resilience.faults.network_proxy import Link
from shared import outbox
from shared.api import create_api
from shared.auth import Principal, public
from shared.clock import SystemClock
from shared.db import EVERY_DEALER, Database
from shared.http import database_of, transaction_of
from shared.inbox import Inbox
from shared.rabbitmq import InboundBuffer, RabbitTransport, Topology, consume
from shared.relay import Relay
from shared.service import Service
from shared.testing.databases import TestDatabases
from shared.testing.disposable_servers import PrivatePostgres
from shared.testing.servers import free_port
from shared.testing.stepwise import drain
from shared.worker import Delivery, Worker

NOW = datetime(2025, 7, 15, 1, 0, tzinfo=UTC)
EVENTS, STREAMS = 120, 6
NewDatabase = Callable[[str], Awaitable[str]]


@pytest.fixture
async def link(postgres_url: str) -> AsyncIterator[Link]:
    between = Link(urlsplit(postgres_url).port or 5432)
    await between.start()
    yield between
    await between.close()


def through(link: Link, url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(
        netloc=f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{link.port}"
    ).geturl()


async def publish(source: Database, transport: RabbitTransport) -> None:
    async with source.transaction("D01") as tx:
        for n in range(EVENTS):
            note = NoteSaved(
                dealer_id="D01", contract_no=f"C{n % STREAMS}", note_version=n, length=1
            )
            await outbox.add(tx, note, now=NOW)
    assert await Relay(source, transport, "/contracts").relay_once() == EVENTS


async def stored(database: Database) -> int:
    async with database.transaction() as tx:
        return int((await tx.execute(text("SELECT inbox_waiting()"))).scalar_one())


async def until(question: Callable[[], Awaitable[bool]], within_s: float) -> float:
    """Seconds until it is so."""
    begun = time.monotonic()
    async with asyncio.timeout(within_s):
        while not await question():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.05)
    return time.monotonic() - begun


async def test_a_worker_without_its_database_gives_its_messages_to_the_others(
    rabbitmq_url: str, topology: Topology, new_database: NewDatabase, link: Link
) -> None:
    source, url = Database(await new_database("shared")), await new_database("shared")
    cut, healthy = Database(through(link, url)), Database(url)
    transport = RabbitTransport(rabbitmq_url, topology)
    buffers = [InboundBuffer(Inbox(database, "returns")) for database in (cut, healthy, healthy)]
    async with AsyncExitStack() as stack:
        stack.push_async_callback(transport.close)

        def begin(buffer: InboundBuffer) -> None:
            task = asyncio.create_task(consume(rabbitmq_url, topology, "returns", buffer))
            stack.callback(task.cancel)

        assert await cut.is_reachable()
        begin(buffers[0])
        await until(buffers[0].has_consumer, 20)
        link.stall()
        await publish(source, transport)
        await asyncio.sleep(0.5)  # all of them lie with the one that cannot store them
        for buffer in buffers[1:]:
            begin(buffer)

        async def all_stored() -> bool:
            return await stored(healthy) == EVENTS

        assert await until(all_stored, 10) < 10
        assert not await buffers[0].has_consumer()
        link.flow()
        await until(buffers[0].has_consumer, 20)
    seen: dict[str, list[int]] = {}

    async def note(event: NoteSaved, _: Delivery, __: AsyncSession) -> None:
        seen.setdefault(event.contract_no, []).append(event.note_version)

    await drain(Worker(healthy, "returns", {NoteSaved.wire_type: note}, SystemClock()))
    assert seen == {f"C{s}": list(range(s, EVENTS, STREAMS)) for s in range(STREAMS)}
    for database in (source, cut, healthy):
        await database.close()


async def writing(request: Request) -> AsyncIterator[AsyncSession]:
    async for tx in transaction_of(database_of(request), "D01"):
        yield tx


router = APIRouter(dependencies=[public()])


@router.post("/notes", status_code=201)
async def save_note(tx: Annotated[AsyncSession, Depends(writing, scope="function")]) -> int:
    note = NoteSaved(dealer_id="D01", contract_no="C1", note_version=1, length=1)
    return await outbox.add(tx, note, now=NOW)


async def nobody(_: Request) -> Principal:
    raise AssertionError("the caller is not identified here")


@pytest.fixture
async def small_server() -> AsyncIterator[str]:
    """The URL of a superuser on a server that gives nine connections to others."""
    server = PrivatePostgres(free_port(), durable=False, settings=("max_connections=12",))
    await server.start()
    yield server.url
    server.remove()


async def test_two_hundred_requests_for_nine_connections(small_server: str) -> None:
    databases = TestDatabases(small_server, durable=False)
    database = Database(await databases.create("shared"), pool_size=50)
    service = Service("notes", "shared")
    app = create_api(service, router, database=database, clock=SystemClock(), principal_of=nobody)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://service/api/notes/v1"
    ) as http:
        answers = await asyncio.gather(*(http.post("/notes") for _ in range(200)))
        refused = [answer for answer in answers if answer.status_code == 503]
        counted = Counter(answer.status_code for answer in answers)
        assert set(counted) == {201, 503}
        assert {answer.json()["code"] for answer in refused} == {"UNAVAILABLE"}
        assert {answer.headers["retry-after"] for answer in refused} == {"5"}
        assert [(await http.post("/notes")).status_code for _ in range(20)] == [201] * 20
    async with database.transaction(EVERY_DEALER) as tx:
        kept = (await tx.execute(text("SELECT count(*), max(sequence) FROM outbox"))).one()
    assert tuple(kept) == (counted[201] + 20, counted[201] + 20)
    await database.close()
    await databases.drop_all()
