"""RabbitMQ transport: one topic exchange, one durable quorum queue per service.

Every publish is persistent, mandatory and confirmed; a returned, rejected or unanswered one counts
as not delivered. Publishers declare the whole topology too, so that nothing is published before
every subscriber's queue exists. Received messages are passed on by FastStream unparsed, stored in
groups with one commit each, and acknowledged after the commit.
"""

import asyncio
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

import aiormq
import structlog
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage
from aiormq import Channel as Wire
from aiormq.abc import AbstractChannel as AbstractWire
from faststream import AckPolicy
from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitExchange, RabbitQueue
from faststream.rabbit.annotations import RabbitMessage
from faststream.rabbit.subscriber.usecase import RabbitSubscriber
from pamqp.commands import Basic
from sqlalchemy.exc import DBAPIError

from shared.envelope import Envelope
from shared.event_batch import Unreadable, read_message
from shared.fault_injection import NO_FAULTS, FaultHooks
from shared.inbox import Inbox
from shared.outgoing import EVENTS_PER_MESSAGE, Chain, Outgoing, chains_of, message_of
from shared.postgres_connection import DatabaseUnavailable
from shared.rabbitmq_connection import connect
from shared.transport import TransportDown

log = structlog.get_logger()

HEARTBEAT = 10
LARGEST_BODY = 1024 * 1024
LARGEST_STORED = 256 * 1024  # bytes of messages in one commit; about five hundred events
PREFETCH = 300  # messages under way to a consumer; with full batches some thirty megabytes
BURST = 4
CONNECTION_ERRORS = (OSError, RuntimeError, aiormq.exceptions.AMQPError)


@dataclass(frozen=True, slots=True)
class Topology:
    """Exchange and queues; `prefix` separates several installations on one broker."""

    subscriptions: Mapping[str, Sequence[str]]
    prefix: str = ""

    @property
    def exchange(self) -> str:
        """The topic exchange of all domain events."""
        return f"{self.prefix}events"

    def queue(self, service: str) -> str:
        """The queue of one service."""
        return f"{self.prefix}{service}.events"

    @property
    def unparsed(self) -> str:
        """The dead-letter queue for messages that kill their consumer."""
        return f"{self.prefix}events.unparsed"

    def queue_arguments(self) -> dict[str, Any]:
        """A redelivery limit for messages that kill their consumer, and the queue they go to.

        Deliberately high: redeliveries count as well whenever a process dies or loses its
        connection with messages that it could not store because the database was unavailable.
        """
        return {
            "x-queue-type": "quorum",
            "x-delivery-limit": 1000,
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": self.unparsed,
        }

    async def declare(self, connection: AbstractConnection) -> None:
        """Create what does not exist yet; idempotent."""
        async with connection.channel() as channel:
            exchange = await channel.declare_exchange(self.exchange, "topic", durable=True)
            await channel.declare_queue(
                self.unparsed, durable=True, arguments={"x-queue-type": "quorum"}
            )
            for service, streams in self.subscriptions.items():
                queue = await channel.declare_queue(
                    self.queue(service), durable=True, arguments=self.queue_arguments()
                )
                for stream in streams:
                    await queue.bind(exchange, f"{stream}.#")

    def audience(self, event: Envelope) -> bool:
        """Whether any service subscribes to the stream of an event."""
        return any(event.aggregate_type in streams for streams in self.subscriptions.values())


@dataclass(slots=True)
class RabbitTransport:
    """Publishes to the exchange; connects when needed, and reconnects after every failure.

    `confirm_timeout_s`: how long a batch may wait for its confirms, in seconds. With
    `events_per_message=1` every event is a binary message, which every version reads.
    """

    url: str
    topology: Topology
    events_per_message: int = EVENTS_PER_MESSAGE
    confirm_timeout_s: float = 10.0
    hooks: FaultHooks = NO_FAULTS
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    _connection: AbstractConnection | None = None
    _channel: Wire | None = None

    async def publish(self, batch: Sequence[Envelope]) -> set[UUID]:
        """Publish a batch, pipelined; one aggregate's events together or one after the other."""
        async with self._opening:
            channel = await self._open()
        heard = [event for event in batch if self.topology.audience(event)]
        confirmed = {event.event_id for event in batch} - {event.event_id for event in heard}
        sending = [
            asyncio.ensure_future(self._send(channel, chain, confirmed))
            for chain in chains_of(heard, self.events_per_message)
        ]
        await asyncio.sleep(0)
        self.hooks.crash_point("after_publish_before_confirm")
        done, late = (
            await asyncio.wait(sending, timeout=self.confirm_timeout_s) if sending else ((), ())
        )
        for task in done:
            task.result()
        if late:
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
            await self.close()
        return confirmed

    async def _send(self, channel: Wire, chain: Chain, confirmed: set[UUID]) -> None:
        """Publish a chain of messages, each after the confirm of the one before it."""
        for message in self.messages(chain):
            try:
                answer = await channel.basic_publish(
                    message.body,
                    exchange=self.topology.exchange,
                    routing_key=message.routing_key,
                    properties=message.properties,
                    mandatory=True,
                    wait=False,
                )
            except (*CONNECTION_ERRORS, asyncio.CancelledError) as cause:
                log.warning("publish_failed", cause=repr(cause)[:200], event_ids=message.names)
                return
            if self.hooks.is_enabled("confirms") and not isinstance(answer, Basic.Ack):
                return
            confirmed.update(message.events)

    def messages(self, chain: Chain) -> Iterator[Outgoing]:
        """The messages of a chain, each made when it is its turn."""
        return map(message_of, chain)

    async def _open(self) -> Wire:
        if self._channel is not None and not self._channel.is_closed:
            return self._channel
        await self.close()
        try:
            async with asyncio.timeout(10):
                self._connection = await connect(self.url, heartbeat=HEARTBEAT)
                await self.topology.declare(self._connection)
                confirms = self.hooks.is_enabled("confirms")
                channel = await self._connection.channel(
                    publisher_confirms=confirms, on_return_raises=confirms
                )
                self._channel = cast("Wire", await channel.get_underlay_channel())
        except CONNECTION_ERRORS as cause:
            await self.close()
            raise TransportDown(f"RabbitMQ: {type(cause).__name__}") from cause
        return self._channel

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            with contextlib.suppress(*CONNECTION_ERRORS):
                await asyncio.wait_for(connection.close(), 2)


@dataclass(slots=True)
class InboundBuffer:
    """Stores messages in groups, then acknowledges them: many messages per commit.

    After a large group it waits `batch_window_s` seconds for more messages before the next commit;
    single messages are stored at once. A group that is not stored within `patience_s` seconds,
    while the database cannot be reached, ends `run`: the messages are given back for other workers.
    """

    inbox: Inbox
    largest_group: int = 500
    batch_window_s: float = 0.02
    patience_s: float = 4.0
    hooks: FaultHooks = NO_FAULTS
    _channel: AbstractWire | None = None
    _acknowledged: int = 0
    _ahead: set[int] = field(default_factory=set)
    _waiting: list[AbstractIncomingMessage] = field(default_factory=list)
    _broker: RabbitBroker | None = None
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, message: AbstractIncomingMessage) -> None:
        """Accept a message; it is acknowledged once it is stored."""
        self._waiting.append(message)
        self._arrived.set()

    def attach(self, broker: RabbitBroker) -> None:
        """Receive the messages of this broker's subscribers from now on."""
        self._broker = broker

    async def has_consumer(self) -> bool:
        """Whether RabbitMQ would deliver a message to this process now.

        An open connection does not prove it: the broker may have cancelled the consumer, and
        FastStream reports itself ready before there is one.
        """
        subscribers = self._broker.subscribers if self._broker else []
        for subscriber in cast("list[RabbitSubscriber]", subscribers):
            queue, tag = subscriber._queue_obj, subscriber._consumer_tag  # noqa: SLF001
            if queue is None or tag is None:
                return False
            try:
                async with asyncio.timeout(1):
                    wire = cast("Wire", await queue.channel.get_underlay_channel())
            except CONNECTION_ERRORS:
                return False
            if wire.is_closed or tag not in wire.consumers:
                return False
        return bool(subscribers)

    async def run(self) -> None:
        """Store and acknowledge until cancelled. Raises DatabaseUnavailable."""
        last_group = 0
        while True:
            await self._arrived.wait()
            if last_group > BURST and len(self._waiting) < self.largest_group:
                await asyncio.sleep(self.batch_window_s)
            group = self._next_group()
            if not self._waiting:
                self._arrived.clear()
            last_group = len(group)
            await self._store_in_time(group)
            self.hooks.crash_point("after_inbox_store_before_ack")
            await self._acknowledge(group)

    def _next_group(self) -> list[AbstractIncomingMessage]:
        """The next messages, as many as one commit should store: one at least."""
        count = size = 0
        for message in self._waiting[: self.largest_group]:
            size += len(message.body)
            if count and size > LARGEST_STORED:
                break
            count += 1
        group = self._waiting[:count]
        del self._waiting[:count]
        return group

    async def _store_in_time(self, group: Sequence[AbstractIncomingMessage]) -> None:
        """Store a group while its database can be reached. Raises DatabaseUnavailable.

        What is then left behind may hang on a dead connection for a minute; should it be stored
        after all, the inbox recognises the duplicates.
        """
        storing = asyncio.create_task(self._store(group))
        try:
            while not (await asyncio.wait({storing}, timeout=self.patience_s))[0]:
                if not await self.inbox.database.is_reachable():
                    raise DatabaseUnavailable(self.inbox.service)
        except BaseException:
            storing.cancel()
            raise
        await storing

    def give_back(self) -> None:
        """Forget what is not stored: the broker delivers it again, here or to another worker."""
        self._waiting.clear()
        self._arrived.clear()

    async def _store(self, group: Sequence[AbstractIncomingMessage]) -> None:
        """Store a group; retry while the database is unavailable."""
        while True:
            try:
                events: list[Envelope] = []
                for message in group:
                    found, unreadable = events_of(message)
                    events += found
                    for one in unreadable:
                        await self.inbox.refuse(
                            one.reason, message.routing_key or "", one.headers, one.body
                        )
                if events:
                    await self.inbox.store_or_refuse(events)
            except (OSError, DBAPIError) as cause:
                log.warning("inbox_unavailable", cause=type(cause).__name__)
                await asyncio.sleep(0.5)
            else:
                return

    async def _acknowledge(self, group: Sequence[AbstractIncomingMessage]) -> None:
        """Acknowledge all messages that are stored without a gap before them, with one frame.

        Tags count up per channel. Deliveries of an earlier channel can no longer be acknowledged:
        the broker delivers them again, and the inbox recognises the duplicates.
        """
        for message in group:
            channel = _open_channel(message)
            if channel is None:
                continue
            if channel is not self._channel:
                self._channel, self._acknowledged, self._ahead = channel, 0, set()
            self._ahead.add(message.delivery_tag or 0)
        through = self._acknowledged
        while through + 1 in self._ahead:
            through += 1
            self._ahead.discard(through)
        if self._channel is not None and through > self._acknowledged:
            self._acknowledged = through
            with contextlib.suppress(*CONNECTION_ERRORS):
                await self._channel.basic_ack(through, multiple=True, wait=False)


def _open_channel(message: AbstractIncomingMessage) -> AbstractWire | None:
    """The channel that delivered a message; None once it is closed."""
    try:
        return message.channel
    except aiormq.exceptions.ChannelInvalidStateError:
        return None


def events_of(message: AbstractIncomingMessage) -> tuple[list[Envelope], list[Unreadable]]:
    """The events in a message, and what of it cannot be read."""
    if len(message.body) > LARGEST_BODY:
        reason = f"the body has {len(message.body)} bytes, more than {LARGEST_BODY}"
        return [], [Unreadable(reason, message.headers, message.body)]
    return read_message(message.headers, message.body)


def subscribe(url: str, topology: Topology, service: str, arrivals: InboundBuffer) -> RabbitBroker:
    """A FastStream broker that hands every message of a service's queue to `arrivals`.

    Nothing is parsed or acknowledged here. Start it with `consume`.
    """
    broker = RabbitBroker(
        url,
        apply_types=False,
        logger=None,
        default_channel=Channel(prefetch_count=PREFETCH),
        graceful_timeout=5,
    )

    async def unparsed(message: RabbitMessage) -> AbstractIncomingMessage:
        return message.raw_message

    @broker.subscriber(
        RabbitQueue(topology.queue(service), queue_type=QueueType.QUORUM, declare=False),
        RabbitExchange(topology.exchange, declare=False),
        ack_policy=AckPolicy.MANUAL,
        decoder=unparsed,
    )
    async def take(message: AbstractIncomingMessage) -> None:
        arrivals.add(message)

    return broker


async def consume(url: str, topology: Topology, service: str, arrivals: InboundBuffer) -> None:
    """Consume a service's queue until cancelled; reconnect while the broker is unavailable."""
    while True:
        broker = subscribe(url, topology, service, arrivals)
        arrivals.attach(broker)
        try:
            connection = await connect(url, timeout=10)
            async with connection:
                await topology.declare(connection)
            await broker.start()
        except CONNECTION_ERRORS as cause:
            log.warning("rabbitmq_unavailable", service=service, cause=type(cause).__name__)
            await asyncio.sleep(1)
            continue
        storing = asyncio.create_task(arrivals.run())
        try:
            await storing
        except DatabaseUnavailable:
            log.warning("messages_given_back", service=service)
        finally:
            storing.cancel()
            with contextlib.suppress(*CONNECTION_ERRORS, ExceptionGroup):
                await broker.stop()
        arrivals.give_back()
        while not await arrivals.inbox.database.is_reachable():  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(1)
