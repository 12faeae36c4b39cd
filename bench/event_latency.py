"""Event latency from commit to effect at a moderate 50 events per second, and of each hop alone.

The hops: a business commit with its event, a confirmed publish, a delivery from publish to
consumer, and a commit of the effect. Embedded, the publish is a commit into the inbox.
"""

import asyncio
import multiprocessing
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from multiprocessing.connection import Connection

import aio_pika
import asyncpg
import uvloop
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bench.event_baselines import EFFECT, TYPE, message
from bench.event_fixture import SUBSCRIPTIONS, EventFixture
from event_contracts.contract import NoteSaved
from shared import outbox
from shared.clock import SystemClock
from shared.db import Database
from shared.envelope import Envelope
from shared.inbox import Inbox
from shared.rabbitmq import RabbitTransport, Topology
from shared.service import Service, ServiceRuntime
from shared.trace_context import new_id
from shared.transport import EmbeddedTransport
from shared.worker import Delivery, Subscribers

PER_SECOND = 50
EFFECT_WITH_NOTIFICATION = text("""
    WITH effect AS (INSERT INTO effect (contract_no, n) VALUES ('C', :n))
    SELECT pg_notify('effect', CAST(:n AS text))
""")


def percentile(times: list[float], share: float) -> float:
    """The value below which `share` of the times lie, in milliseconds."""
    return sorted(times)[min(len(times) - 1, int(len(times) * share))] * 1000


async def timed(samples: int, act: Callable[[int], Awaitable[object]]) -> list[float]:
    """Seconds that `act` takes, repeated at a moderate rate."""
    took = []
    for n in range(samples + 20):
        await asyncio.sleep(1 / PER_SECOND / 2)
        begun = time.perf_counter()
        await act(n)
        took.append(time.perf_counter() - begun)
    return took[20:]


async def emit(database: Database, n: int) -> None:
    """One business transaction with one event."""
    event = NoteSaved(dealer_id="D01", contract_no=f"C{n % 97}", note_version=n, length=1)
    async with database.transaction(event.dealer_id) as tx:
        await outbox.add(tx, event, now=datetime.now(UTC))


async def hops(at: EventFixture, samples: int) -> dict[str, list[float]]:
    """Each hop measured alone."""
    source, target = Database(await at.database()), Database(await at.database())
    transport = RabbitTransport(at.rabbitmq, at.topology)
    inbox = Inbox(target, "bench")
    arrived = asyncio.Event()

    async def effect(n: int) -> None:
        async with target.transaction() as tx:
            await tx.execute(EFFECT, {"contract_no": "C1", "n": n})

    async def take(incoming: aio_pika.abc.AbstractIncomingMessage) -> None:
        await incoming.ack()
        arrived.set()

    measured = {"commit": await timed(samples, lambda n: emit(source, n))}
    measured["effect"] = await timed(samples, effect)
    measured["store"] = await timed(samples, lambda n: inbox.store([envelope(n)]))
    measured["publish"] = await timed(samples, lambda n: transport.publish([envelope(n)]))
    await at.empty_queues()
    async with await aio_pika.connect(at.rabbitmq) as connection:
        sending = await connection.channel(publisher_confirms=False)
        exchange = await sending.get_exchange(at.topology.exchange)
        receiving = await connection.channel()
        queue = await receiving.get_queue(at.topology.queue("bench"))
        await queue.consume(take)

        async def deliver(n: int) -> None:
            arrived.clear()
            await exchange.publish(message(n, 97), TYPE)
            await arrived.wait()

        measured["delivery"] = await timed(samples, deliver)
    await transport.close()
    await source.close()
    await target.close()
    return measured


def envelope(n: int) -> Envelope:
    """An event of a new stream."""
    return Envelope(
        new_id(), "/hop", TYPE, "contract", f"H{n}-{time.time_ns()}", 1, "D01",
        datetime.now(UTC), b'{"dealer_id": "D01"}',
    )  # fmt: skip


def receiver(database: Database) -> ServiceRuntime:
    """A service whose effects send a notification when they are committed."""
    subscribers = Subscribers()

    async def effect(event: NoteSaved, _: Delivery, tx: AsyncSession) -> None:
        await tx.execute(EFFECT_WITH_NOTIFICATION, {"n": event.note_version})

    subscribers.on(NoteSaved)(effect)
    return ServiceRuntime(
        Service("bench", "shared", subscribers=subscribers), database, SystemClock()
    )


async def record_effects(url: str, effects: dict[int, float]) -> None:
    """Record when each effect is committed, until cancelled."""
    connection = await asyncpg.connect(url)

    def note(_: object, __: int, ___: str, payload: object) -> None:
        effects.setdefault(int(str(payload)), time.monotonic())

    await connection.add_listener("effect", note)
    await asyncio.Event().wait()


async def send(database: Database, seconds: float) -> dict[int, float]:
    """Commit events at the moderate rate; returns the time of each commit."""
    committed, begun = {}, time.monotonic()
    for n in range(int(seconds * PER_SECOND)):
        await asyncio.sleep(max(0.0, begun + n / PER_SECOND - time.monotonic()))
        await emit(database, n)
        committed[n] = time.monotonic()
    return committed


async def embedded(source_url: str, target_url: str, seconds: float) -> list[float]:
    """Run both sides in one process; returns the latency of each event."""
    source, target = Database(source_url), Database(target_url)
    sender = ServiceRuntime(Service("sender", "shared"), source, SystemClock())
    taker, effects = receiver(target), dict[int, float]()
    transport = EmbeddedTransport({"bench": taker.inbox}, SUBSCRIPTIONS)
    tasks = [
        asyncio.create_task(record_effects(target_url, effects)),
        asyncio.create_task(sender.work(transport)),
        asyncio.create_task(taker.work(EmbeddedTransport({}, {}))),
    ]
    await asyncio.sleep(2)
    committed = await send(source, seconds)
    await asyncio.sleep(1)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return [effects[n] - at for n, at in committed.items()]


def receive(pipe: Connection, url: str, rabbitmq: str, topology: Topology) -> None:
    """The receiving side in its own process; sends its recorded times on request."""

    async def run() -> None:
        effects = dict[int, float]()
        taker = receiver(Database(url))
        tasks = [
            asyncio.create_task(record_effects(url, effects)),
            asyncio.create_task(taker.work_with_rabbitmq(RabbitTransport(rabbitmq, topology))),
        ]
        await asyncio.to_thread(pipe.recv)
        pipe.send(effects)
        for task in tasks:
            task.cancel()

    uvloop.run(run())


async def distributed(
    at: EventFixture, source_url: str, target_url: str, seconds: float
) -> list[float]:
    """Run a process per side with RabbitMQ between them; returns the latency of each event."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=receive, args=(there, target_url, at.rabbitmq, at.topology), daemon=True
    )
    process.start()
    source = Database(source_url)
    sender = ServiceRuntime(Service("sender", "shared"), source, SystemClock())
    relaying = asyncio.create_task(sender.work(RabbitTransport(at.rabbitmq, at.topology)))
    await asyncio.sleep(4)
    committed = await send(source, seconds)
    await asyncio.sleep(1)
    here.send("done")
    effects: dict[int, float] = await asyncio.to_thread(here.recv)
    relaying.cancel()
    await asyncio.gather(relaying, return_exceptions=True)
    process.kill()
    return [effects[n] - at_ for n, at_ in committed.items()]


async def latency(at: EventFixture, seconds: float) -> list[str]:
    """The table of latencies."""
    alone = await hops(at, 300)
    medians = {hop: percentile(took, 0.5) for hop, took in alone.items()}
    ways = {
        "RabbitMQ": ("commit", "publish", "delivery", "effect"),
        "embedded": ("commit", "store", "effect"),
    }
    lines = [
        "",
        f"At {PER_SECOND} events/s for {seconds:.0f} s, commit to effect; hops alone (median, ms): "
        + ", ".join(f"{hop} {ms:.1f}" for hop, ms in medians.items())
        + ".",
        "",
        "| way | p50 ms | p99 ms | sum of hops ms | p50 / sum (<= 5) | p99 / sum (<= 3) |",
        "|---|---|---|---|---|---|",
    ]
    for way, parts in ways.items():
        source, target = await at.database(), await at.database()
        if way == "embedded":
            took = await embedded(source, target, seconds)
        else:
            took = await distributed(at, source, target, seconds)
        total = sum(medians[part] for part in parts)
        p50, p99 = percentile(took, 0.5), percentile(took, 0.99)
        lines.append(
            f"| {way} | {p50:.1f} | {p99:.1f} | {total:.1f} "
            f"| **{p50 / total:.2f}** | **{p99 / total:.2f}** |"
        )
    return lines
