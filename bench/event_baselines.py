"""Event path and its baselines, split into a sending and a receiving side.

Each side is a function that runs in its own process: it prepares, reports that it is ready, waits
for the start signal, and works. The baselines are raw aio-pika and faststream-outbox.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Protocol

import aio_pika
from faststream.rabbit import QueueType, RabbitBroker, RabbitExchange, RabbitQueue
from faststream_outbox import OutboxBroker, make_outbox_table
from pamqp.commands import Basic
from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from event_contracts.contract import SelectionRecorded
from shared.clock import SystemClock
from shared.db import Database
from shared.event_batch import STRUCTURED, to_batch
from shared.inbox import Inbox
from shared.notifications import NotificationListener
from shared.outgoing import Chain, Outgoing
from shared.rabbitmq import PREFETCH, InboundBuffer, RabbitTransport, Topology, consume
from shared.relay import TRACKS, Relay
from shared.transport import Transport
from shared.worker import Delivery, Subscribers, Worker

BODY = (
    b'{"dealer_id": "D01", "contract_no": "C%d", "category": "vehicle_return", '
    b'"own_replacement": true, "vehicle_code": "PRIUS", "late": false, '
    b'"deadline_on": "2025-07-15", "confirmation_received_on": "2025-07-01"}'
)
HEADERS = {
    "ce-specversion": "1.0",
    "ce-source": "/bench",
    "ce-type": "contract.selection_recorded.v1",
    "ce-time": "2025-07-15T00:00:00+00:00",
    "ce-aggregatetype": "contract",
    "ce-dealerid": "D01",
    "ce-traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "ce-correlationid": "0198f9a0-0000-7000-8000-000000000000",
    "ce-actor": "E101",
}
TYPE = "contract.selection_recorded.v1"
EFFECTS = text("""
    INSERT INTO effect (contract_no, n)
    SELECT * FROM unnest(CAST(:contract_nos AS text[]), CAST(:ns AS bigint[]))
""")
EFFECT = text("INSERT INTO effect (contract_no, n) VALUES (:contract_no, :n)")


def message(n: int, aggregates: int) -> aio_pika.Message:
    """The same event as in the filled outbox, as raw aio-pika sends it."""
    event_id = f"0198f9a0-0000-7000-8000-{n:012d}"
    return aio_pika.Message(
        BODY % (n % aggregates),
        content_type="application/json",
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        message_id=event_id,
        headers={
            **HEADERS,
            "ce-id": event_id,
            "ce-subject": f"C{n % aggregates}",
            "ce-partitionkey": f"C{n % aggregates}",
            "ce-sequence": str(n // aggregates + 1),
        },
    )


async def relay_once(url: str, transport: Transport, events: int) -> float:
    """The product's relay: events per second until the outbox is empty."""
    database = Database(url)
    relay = Relay(database, transport, "/bench")
    await relay.renew_leases()
    await transport.publish([])
    begun = time.perf_counter()
    await relay_all(relay)
    elapsed = time.perf_counter() - begun
    await transport.close()
    await database.close()
    return events / elapsed


async def relay_all(relay: Relay) -> None:
    """Relay on every track, as `Relay.run` does, until the outbox is empty."""

    async def follow(track: int) -> None:
        while await relay.relay_once(track):
            pass

    await asyncio.gather(*(follow(track) for track in range(TRACKS)))


async def publish_raw(url: str, topology: Topology, events: int, group: int = 500) -> float:
    """Raw aio-pika with confirms pipelined in groups: events per second."""
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        exchange = await channel.get_exchange(topology.exchange)
        messages = [message(n, 1000) for n in range(events)]
        begun = time.perf_counter()
        for first in range(0, events, group):
            await asyncio.gather(
                *(
                    exchange.publish(m, TYPE, mandatory=True)
                    for m in messages[first : first + group]
                )
            )
        return events / (time.perf_counter() - begun)


async def stock_table(url: str, events: int) -> None:
    """Fill the outbox table of faststream-outbox."""
    metadata = MetaData()
    table = make_outbox_table(metadata, "stock_outbox")
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.begin() as tx:
        await tx.run_sync(metadata.create_all)
        rows: list[dict[str, object]] = [
            {
                "queue": "bench",
                "payload": BODY % (n % 1000),
                "headers": {**HEADERS, "content-type": "application/json", "ce-id": f"id-{n}"},
            }
            for n in range(events)
        ]
        await tx.execute(table.insert(), rows)
    await engine.dispose()


def stock_relay(
    url: str, rabbitmq: str, topology: Topology, workers: int
) -> tuple[OutboxBroker, RabbitBroker]:
    """The relay as documented by faststream-outbox."""
    table = make_outbox_table(MetaData(), "stock_outbox")
    engine = create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://"), pool_size=20
    )
    rabbit = RabbitBroker(rabbitmq, logger=None)
    outbox = OutboxBroker(engine, outbox_table=table, logger=None)
    exchange = RabbitExchange(topology.exchange, declare=False)
    publisher = rabbit.publisher(routing_key=TYPE, exchange=exchange, persist=True, mandatory=True)

    @publisher
    @outbox.subscriber("bench", max_workers=workers, propagate_inbound_headers=True)
    async def relay(body: dict[str, object]) -> dict[str, object]:
        return body

    return outbox, rabbit


async def relay_stock(
    url: str, rabbitmq: str, topology: Topology, events: int, workers: int
) -> float:
    """The stock relay: events per second until its filled table is empty."""
    outbox, rabbit = stock_relay(url, rabbitmq, topology, workers)
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))
    await rabbit.start()
    begun = time.perf_counter()
    await outbox.start()
    async with engine.connect() as connection:
        probe = await connection.execution_options(isolation_level="AUTOCOMMIT")
        while (await probe.execute(text("SELECT 1 FROM stock_outbox LIMIT 1"))).first():
            await asyncio.sleep(0.02)
    elapsed = time.perf_counter() - begun
    await outbox.stop()
    await rabbit.stop()
    await engine.dispose()
    return events / elapsed


async def load_queue(rabbitmq: str, topology: Topology, events: int) -> None:
    """Put events into the queue."""
    await publish_raw(rabbitmq, topology, events)


async def stored(database: Database, events: int) -> None:
    """Wait until the inbox has `events` events."""
    async with database.engine.connect() as connection:
        probe = await connection.execution_options(isolation_level="AUTOCOMMIT")
        while (await probe.execute(text("SELECT inbox_waiting()"))).scalar_one() < events:
            await asyncio.sleep(0.02)


async def ingest(url: str, rabbitmq: str, topology: Topology, events: int) -> float:
    """The product's ingest by FastStream: events per second from the queue to the inbox."""
    database = Database(url)
    begun = time.perf_counter()
    task = asyncio.create_task(
        consume(rabbitmq, topology, "bench", InboundBuffer(Inbox(database, "bench")))
    )
    await stored(database, events)
    elapsed = time.perf_counter() - begun
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await database.close()
    return events / elapsed


async def ingest_raw(url: str, rabbitmq: str, topology: Topology, events: int) -> float:
    """Raw aio-pika into the same group commit."""
    database = Database(url)
    arrivals = InboundBuffer(Inbox(database, "bench"))

    async def take(incoming: aio_pika.abc.AbstractIncomingMessage) -> None:
        arrivals.add(incoming)

    begun = time.perf_counter()
    async with await aio_pika.connect(rabbitmq) as connection, connection.channel() as channel:
        await channel.set_qos(prefetch_count=PREFETCH)
        queue = await channel.get_queue(topology.queue("bench"))
        await queue.consume(take)
        task = asyncio.create_task(arrivals.run())
        await stored(database, events)
        elapsed = time.perf_counter() - begun
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await database.close()
    return events / elapsed


class Start(Protocol):
    """How a side takes part in a race: `await ready()`, then work, then `await ready.finished()`.

    The connections must be open when it has finished: their CPU time is read then.
    """

    async def __call__(self) -> None:
        """Report that this side is prepared, and wait for the start."""
        ...

    async def finished(self) -> None:
        """Report that everything is done, and wait for the end."""
        ...


class StructuredTransport(RabbitTransport):
    """One event per message in the JSON format: measured, not used."""

    def messages(self, chain: Chain) -> Iterator[Outgoing]:
        """A message for each event."""
        for group in chain:
            for event in group:
                properties = Basic.Properties(
                    content_type=STRUCTURED,
                    headers={"content-type": STRUCTURED},
                    delivery_mode=2,
                    message_id=str(event.event_id),
                )
                yield Outgoing((event.event_id,), event.type, properties, to_batch([event])[1:-1])


FORMS: dict[str, Callable[[str, Topology], RabbitTransport]] = {
    "batches": RabbitTransport,
    "binary": partial(RabbitTransport, events_per_message=1),
    "structured": partial(StructuredTransport, events_per_message=1),
}


async def our_sender(
    ready: Start, url: str, rabbitmq: str, topology: Topology, events: int, form: str = "batches"
) -> None:
    """The product's relay as the sending side."""
    database, transport = Database(url), FORMS[form](rabbitmq, topology)
    relay = Relay(database, transport, "/bench")
    await relay.renew_leases()
    await transport.publish([])
    await ready()
    await relay_all(relay)
    await ready.finished()


async def our_receiver(
    ready: Start, url: str, rabbitmq: str, topology: Topology, events: int, *, lists: bool = False
) -> None:
    """The product's ingest and worker as the receiving side; ends after `events` effects."""
    database = Database(url)
    subscribers, all_handled = effects(events, lists=lists)
    inbox, listener = Inbox(database, "bench"), NotificationListener(url, ("inbox",))
    worker = Worker(database, "bench", subscribers.handlers, SystemClock())
    tasks = [
        asyncio.create_task(listener.run()),
        asyncio.create_task(consume(rabbitmq, topology, "bench", InboundBuffer(inbox))),
        asyncio.create_task(worker.run(listener["inbox"])),
    ]
    await ready()
    await all_handled.wait()
    async with database.engine.connect() as connection:
        probe = await connection.execution_options(isolation_level="AUTOCOMMIT")
        question = text("SELECT coalesce(max(id), 0) > :all FROM effect")
        while not (await probe.execute(question, {"all": events - 1})).scalar_one():
            await asyncio.sleep(0.01)
    await ready.finished()
    for task in tasks:
        task.cancel()


def effects(events: int, *, lists: bool) -> tuple[Subscribers, asyncio.Event]:
    """A handler with a statement per event or per list, and when it has handled all."""
    subscribers, handled, all_handled = Subscribers(), 0, asyncio.Event()

    def count(some: int) -> None:
        nonlocal handled
        handled += some
        if handled >= events:
            all_handled.set()

    async def one(event: SelectionRecorded, on: Delivery, tx: AsyncSession) -> None:
        count(1)
        await tx.execute(EFFECT, {"contract_no": event.aggregate_id, "n": on.sequence})

    async def many(some: Sequence[tuple[SelectionRecorded, Delivery]], tx: AsyncSession) -> None:
        count(len(some))
        rows = [event.aggregate_id for event, _ in some], [on.sequence for _, on in some]
        await tx.execute(EFFECTS, dict(zip(("contract_nos", "ns"), rows, strict=True)))

    if lists:
        subscribers.on_list(SelectionRecorded)(many)
    else:
        subscribers.on(SelectionRecorded)(one)
    return subscribers, all_handled


async def naive_sender(
    ready: Start, url: str, rabbitmq: str, topology: Topology, events: int
) -> None:
    """The stock relay as the sending side."""
    outbox, rabbit = stock_relay(url, rabbitmq, topology, workers=1)
    await rabbit.start()
    await ready()
    await outbox.start()
    await ready.finished()


async def naive_receiver(
    ready: Start, url: str, rabbitmq: str, topology: Topology, events: int
) -> None:
    """A FastStream subscriber with one SQLAlchemy transaction per message."""
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))
    broker, done, finished = RabbitBroker(rabbitmq, logger=None), 0, asyncio.Event()

    @broker.subscriber(
        RabbitQueue(topology.queue("bench"), queue_type=QueueType.QUORUM, declare=False),
        RabbitExchange(topology.exchange, declare=False),
    )
    async def effect(body: dict[str, object]) -> None:
        nonlocal done
        async with AsyncSession(engine) as session, session.begin():
            await session.execute(EFFECT, {"contract_no": body["contract_no"], "n": done})
        done += 1
        if done >= events:
            finished.set()

    await broker.start()
    await ready()
    await finished.wait()
    await ready.finished()


async def raw_sender(ready: Start, _: str, rabbitmq: str, topology: Topology, events: int) -> None:
    """Raw aio-pika publishing, without a database, as the sending side."""
    await ready()
    await publish_raw(rabbitmq, topology, events)
    await ready.finished()


async def raw_receiver(
    ready: Start, _: str, rabbitmq: str, topology: Topology, events: int
) -> None:
    """Raw aio-pika consuming and acknowledging, without a database, as the receiving side."""
    done, finished = 0, asyncio.Event()

    async def take(incoming: aio_pika.abc.AbstractIncomingMessage) -> None:
        nonlocal done
        await incoming.ack()
        done += 1
        if done >= events:
            finished.set()

    async with await aio_pika.connect(rabbitmq) as connection, connection.channel() as channel:
        await channel.set_qos(prefetch_count=1000)
        queue = await channel.get_queue(topology.queue("bench"))
        await queue.consume(take)
        await ready()
        await finished.wait()
        await ready.finished()


SIDES: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "ours": (our_sender, our_receiver),
    "ours, lists": (our_sender, partial(our_receiver, lists=True)),
    "binary": (partial(our_sender, form="binary"), our_receiver),
    "structured": (partial(our_sender, form="structured"), our_receiver),
    "naive": (naive_sender, naive_receiver),
    "raw": (raw_sender, raw_receiver),
}
