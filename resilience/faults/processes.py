"""Processes of the fault runs: an API, a relay, and an inbox with its worker.

The API's POST commits one event. All are built from the product's own parts, with short leases and
with hooks that the nemesis controls.
"""

import asyncio
import logging
import os
import zlib
from collections.abc import Coroutine
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Literal

import uvicorn
from aio_pika.abc import AbstractIncomingMessage
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts import SUBSCRIPTIONS
from event_contracts.contract import NoteSaved
from resilience.faults.crash_points import ArmedFaults
from shared import logging as shared_logging
from shared import outbox
from shared.clock import SystemClock
from shared.db import Database
from shared.fault_injection import Guarantee
from shared.inbox import Inbox
from shared.notifications import NotificationListener
from shared.rabbitmq import InboundBuffer, RabbitTransport, Topology, consume, events_of
from shared.relay import Relay
from shared.worker import Delivery, Subscribers, Worker

SOURCE_TABLES = """
    CREATE TABLE aggregate (aggregate text PRIMARY KEY, newest int NOT NULL);
    CREATE TABLE committed (aggregate text, n int, event_id uuid);
"""
TARGET_TABLES = "CREATE TABLE effect (id bigserial, aggregate text, n int, event_id uuid)"
NEXT = text("""
    INSERT INTO aggregate VALUES (:aggregate, 1)
    ON CONFLICT (aggregate) DO UPDATE SET newest = aggregate.newest + 1 RETURNING newest
""")
WRITE_DOWN = text("""
    INSERT INTO committed SELECT aggregate_id, :n, event_id FROM outbox
    WHERE aggregate_type = 'contract' AND aggregate_id = :aggregate AND sequence = :sequence
""")
TAKE_EFFECT = text("INSERT INTO effect (aggregate, n, event_id) VALUES (:aggregate, :n, :event_id)")
ATTEMPTS = text("SELECT attempts FROM inbox WHERE event_id = :event_id")

Role = Literal["api", "relay", "inbox"]


@dataclass(frozen=True, slots=True)
class Part:
    """One process of a run: its role, its servers, and its time limits.

    `lease` and `idle_limit` are in seconds; one event in `fails_one_in` fails at its first attempt
    (0: none); a handler takes `handler_takes` seconds; deliveries are counted in the file
    `counter`, a byte each, so that a kill loses none.
    """

    role: Role
    database_url: str
    rabbitmq_url: str
    prefix: str
    counter: str
    port: int = 0
    lease: float = 2.0
    idle_limit: float = 3.0
    fails_one_in: int = 0
    handler_takes: float = 0.0
    seed: int = 0
    switched_off: tuple[Guarantee, ...] = ()

    @property
    def topology(self) -> Topology:
        """The queue of the only subscribing service."""
        return Topology({"returns": SUBSCRIPTIONS["returns"]}, prefix=self.prefix)


class TransientFault(RuntimeError):
    """The handler fails once; the next attempt succeeds."""


@dataclass(slots=True)
class CountingArrivals(InboundBuffer):
    """An inbound buffer that appends a byte to a file for each event delivered."""

    counter: int = -1

    def add(self, message: AbstractIncomingMessage) -> None:
        """Count the events of the delivery, and add it."""
        os.write(self.counter, b"." * len(events_of(message)[0]))
        InboundBuffer.add(self, message)


def api(part: Part, hooks: ArmedFaults) -> Coroutine[None, None, None]:
    """An API process: each call commits one event and the source's own record of it."""
    database = Database(part.database_url, idle_limit=part.idle_limit)
    clock = SystemClock()
    app = FastAPI()

    @app.post("/notes/{aggregate}")
    async def save_note(aggregate: str) -> dict[str, int]:
        async with database.transaction("D01") as tx:
            n = (await tx.execute(NEXT, {"aggregate": aggregate})).scalar_one()
            note = NoteSaved(dealer_id="D01", contract_no=aggregate, note_version=n, length=1)
            sequence = await outbox.add(tx, note, now=clock.now())
            history = {"aggregate": aggregate, "n": n, "sequence": sequence}
            await tx.execute(WRITE_DOWN, history)
        hooks.crash_point("after_commit")
        return {"n": n}

    config = uvicorn.Config(app, host="127.0.0.1", port=part.port, log_level="warning")
    return uvicorn.Server(config).serve()


async def relay(part: Part, hooks: ArmedFaults) -> None:
    """A relay process."""
    database = Database(part.database_url, idle_limit=part.idle_limit)
    transport = RabbitTransport(
        part.rabbitmq_url, part.topology, confirm_timeout_s=3.0, hooks=hooks
    )
    relay = Relay(
        database, transport, "/contracts", lease=part.lease, longest_pause=1.0, hooks=hooks
    )
    listener = NotificationListener(part.database_url, ("outbox",))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(listener.run())
        tasks.create_task(relay.run(listener["outbox"]))


async def inbox(part: Part, hooks: ArmedFaults) -> None:
    """An inbox process: stores messages and processes them."""
    database = Database(part.database_url, idle_limit=part.idle_limit)
    counter = os.open(part.counter, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    arrivals = CountingArrivals(Inbox(database, "returns", hooks), hooks=hooks, counter=counter)
    worker = Worker(
        database,
        "returns",
        subscribers(part).handlers,
        SystemClock(),
        attempts=1000,
        pause=0.3,
        longest_pause=0.3,
        hooks=hooks,
    )
    listener = NotificationListener(part.database_url, ("inbox",))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(listener.run())
        tasks.create_task(consume(part.rabbitmq_url, part.topology, "returns", arrivals))
        tasks.create_task(worker.run(listener["inbox"]))


def subscribers(part: Part) -> Subscribers:
    """One handler that inserts a row per call, so that a second call is visible."""
    subscribers = Subscribers()

    @subscribers.on(NoteSaved)
    async def take_effect(event: NoteSaved, delivery: Delivery, tx: AsyncSession) -> None:
        row = {"aggregate": event.contract_no, "n": event.note_version}
        await tx.execute(TAKE_EFFECT, {**row, "event_id": delivery.event_id})
        if part.handler_takes:
            await asyncio.sleep(part.handler_takes)
        if is_weak(part, event):
            attempts = await tx.execute(ATTEMPTS, {"event_id": delivery.event_id})
            if attempts.scalar_one() == 0:
                raise TransientFault(f"{event.contract_no} {event.note_version}")

    return subscribers


def is_weak(part: Part, event: NoteSaved) -> bool:
    """Whether an event fails at its first attempt; deterministic for a seed."""
    key = f"{part.seed}/{event.contract_no}/{event.note_version}"
    return part.fails_one_in > 0 and zlib.crc32(key.encode()) % part.fails_one_in == 0


def run(part: Part, orders: Connection, log: str) -> None:
    """Run the part until it dies; output goes to `log`."""
    words = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(words, 1)
    os.dup2(words, 2)
    shared_logging.configure(level="WARNING")
    logging.getLogger("aio_pika").setLevel(logging.CRITICAL)
    hooks = ArmedFaults(switched_off=frozenset(part.switched_off))
    hooks.obey(orders)
    programs = {"api": api, "relay": relay, "inbox": inbox}
    asyncio.run(programs[part.role](part, hooks))
