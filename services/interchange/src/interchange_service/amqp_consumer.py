"""AMQP consumers of dealers' messages, with a queue and a connection per dealer.

A message is acknowledged after the commit that accepts or quarantines it. Each dealer has a rate of
its own, so that one who floods delays only itself; and a connection of its own, because a message
can be made that no client can decode, which ends the connection. Such a dealer is then served one
message at a time for a while, until the broker has dropped the message.
"""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import aiormq
import structlog
from aio_pika.abc import AbstractIncomingMessage
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from interchange_service.actions.accept_message import ingest, quarantine_message
from interchange_service.broker_definitions import BrokerNames
from interchange_service.metrics import UNREADABLE
from interchange_service.queries import dealers_on_amqp
from interchange_service.rules.message_checks import InboundMessage, NotAccepted, Reason, fault
from shared.clock import Clock
from shared.db import EVERY_DEALER, Database
from shared.rabbitmq import CONNECTION_ERRORS, HEARTBEAT
from shared.rabbitmq_connection import connect

log = structlog.get_logger()

LARGEST_GROUP = 20
LOOK_FOR_DEALERS_S = 5.0
CAREFUL_S = 60.0
FAULTS_OF_A_MESSAGE = ("22", "23", "54")
"""SQLSTATE classes caused by a value: bad data, a violated constraint, a limit."""
NOT_STORABLE = fault("data", "保存できる値", "values that can be stored")
UNDECODABLE = fault("properties", "UTF-8 のプロパティ", "properties in UTF-8")


class Unreadable(Exception):
    """The connection ended in the middle of a message that cannot be decoded."""


@dataclass(slots=True)
class AmqpConsumers:
    """Serves all dealers concurrently until cancelled; new ones without a restart.

    `rate` is the number of messages per second and dealer, `at_once` the number of dealers that
    use the database at the same time.
    """

    url: str
    names: BrokerNames
    database: Database
    clock: Clock
    rate: float = 50.0
    at_once: int = 3
    look_s: float = LOOK_FOR_DEALERS_S
    _gate: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._gate = asyncio.Semaphore(self.at_once)

    async def run(self) -> None:
        """Follow the list of dealers, and serve each."""
        served: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                with contextlib.suppress(OSError, SQLAlchemyError):  # it will be back
                    async with self.database.transaction(EVERY_DEALER) as tx:
                        wanted = set(await dealers_on_amqp(tx))
                    for gone in served.keys() - wanted:
                        served.pop(gone).cancel()
                    for new in wanted - served.keys():
                        served[new] = asyncio.create_task(self._serve(new))
                await asyncio.sleep(self.look_s)
        finally:
            for task in served.values():
                task.cancel()
            await asyncio.gather(*served.values(), return_exceptions=True)

    async def _serve(self, dealer_id: str) -> None:
        careful_until = 0.0
        while True:
            at_once = 1 if time.monotonic() < careful_until else LARGEST_GROUP
            counter = _Counter(self, dealer_id)
            try:
                await counter.attend(at_once)
            except Unreadable:
                UNREADABLE.labels(dealer_id).inc()
                careful_until = time.monotonic() + CAREFUL_S
                if at_once > 1:
                    await self._quarantine_unread(dealer_id)
            except CONNECTION_ERRORS as cause:
                log.warning(
                    "amqp_consumer_unavailable", dealer=dealer_id, cause=type(cause).__name__
                )
            except Exception as cause:
                log.exception("amqp_consumer_failed", dealer=dealer_id, cause=type(cause).__name__)
            await asyncio.sleep(1)

    async def settle(self, arrivals: Sequence[InboundMessage]) -> None:
        """Accept or quarantine, all in one commit; waits while the database is unavailable."""
        while True:
            try:
                async with self._gate:
                    await self._commit(arrivals)
                    return
            except Exception as cause:
                if _will_pass(cause):
                    log.warning("interchange_database_unavailable", cause=type(cause).__name__)
                    await asyncio.sleep(0.5)
                    continue
                if len(arrivals) == 1:
                    await self._give_up(arrivals[0], cause)
                    return
            for arrival in arrivals:
                await self.settle([arrival])
            return

    async def _commit(self, arrivals: Sequence[InboundMessage]) -> None:
        async with self.database.transaction(EVERY_DEALER) as tx:
            now = self.clock.now()
            for arrival in arrivals:
                await ingest(tx, arrival, now=now)

    async def _give_up(self, arrival: InboundMessage, cause: Exception) -> None:
        """Quarantine a message that the rules accept but that cannot be processed."""
        log.error("message_not_settled", dealer=arrival.sender, cause=type(cause).__name__)
        await self._quarantine(arrival, NotAccepted(Reason.PAYLOAD_DOES_NOT_FIT, NOT_STORABLE))

    async def _quarantine(self, arrival: InboundMessage, refusal: NotAccepted) -> None:
        async with self.database.transaction(EVERY_DEALER) as tx:
            await quarantine_message(tx, arrival, refusal, now=self.clock.now())

    async def _quarantine_unread(self, dealer_id: str) -> None:
        """A placeholder for a message that could not be decoded."""
        unread = InboundMessage("amqp", dealer_id, None, self.names.queue(dealer_id), {}, None, b"")
        refusal = NotAccepted(Reason.NOT_A_CLOUD_EVENT, UNDECODABLE)
        with contextlib.suppress(OSError, SQLAlchemyError):
            await self._quarantine(unread, refusal)


@dataclass(slots=True)
class _Counter:
    """Serves one dealer over one connection."""

    consumers: AmqpConsumers
    dealer_id: str
    _waiting: list[AbstractIncomingMessage] = field(default_factory=list)
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _lost: list[BaseException | None] = field(default_factory=list)

    async def attend(self, at_once: int) -> None:
        """Consume messages until the connection is lost. Raises Unreadable, CONNECTION_ERRORS."""
        names = self.consumers.names
        connection = await connect(self.consumers.url, timeout=10, heartbeat=HEARTBEAT)
        async with connection:
            connection.close_callbacks.add(self._end)
            channel = await connection.channel()
            await channel.set_qos(prefetch_count=at_once)
            channel.close_callbacks.add(self._end)
            wire = await channel.get_underlay_channel()
            wire.on_consumer_cancel_callbacks.add(lambda *_: self._end(self, None))
            queue = await names.declare(channel, self.dealer_id)
            await queue.consume(self._ingest)
            while not self._lost:
                await self._woken.wait()
                self._woken.clear()
                group, self._waiting = self._waiting, []
                await self._settle(group)
        cause = next((lost for lost in self._lost if lost is not None), None)
        if isinstance(cause, aiormq.exceptions.InvalidFrameError) or not (
            cause is None or isinstance(cause, (*CONNECTION_ERRORS, asyncio.CancelledError))
        ):
            raise Unreadable from cause

    async def _ingest(self, message: AbstractIncomingMessage) -> None:
        self._waiting.append(message)
        self._woken.set()

    def _end(self, _sender: object, cause: BaseException | None) -> None:
        self._lost.append(cause)
        self._woken.set()

    async def _settle(self, group: Sequence[AbstractIncomingMessage]) -> None:
        """Settle a group, acknowledge it, and wait as the rate requires."""
        if not group:
            return
        begun = time.monotonic()
        names = self.consumers.names
        await self.consumers.settle([message_from(m, names, self.dealer_id) for m in group])
        with contextlib.suppress(*CONNECTION_ERRORS):  # redelivered ones are known by their id
            for message in group:
                await message.ack()
        await asyncio.sleep(len(group) / self.consumers.rate - (time.monotonic() - begun))


def message_from(
    message: AbstractIncomingMessage, names: BrokerNames, dealer_id: str
) -> InboundMessage:
    """A message of a dealer's queue, as the rules need it.

    The queue says who is addressed, if the routing key agrees: there are more ways into another's
    queue than the routing key.
    """
    address = message.routing_key or ""
    own = address.startswith(f"dealer.{dealer_id}.")
    return InboundMessage(
        channel="amqp",
        sender=names.dealer_of(message.user_id),
        addressed=dealer_id if own else None,
        address=address,
        headers={
            name.lower(): _text(value)
            for name, value in (message.headers or {}).items()
            if value is not None
        },
        content_type=message.content_type,
        body=message.body,
        again=bool(message.redelivered),
    )


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _will_pass(cause: Exception) -> bool:
    """Whether a retry may succeed: the database is unavailable or busy."""
    if not isinstance(cause, DBAPIError):
        return isinstance(cause, OSError | SQLAlchemyError)
    sqlstate = str(getattr(cause.orig, "sqlstate", None) or "")
    return cause.connection_invalidated or not sqlstate.startswith(FAULTS_OF_A_MESSAGE)
