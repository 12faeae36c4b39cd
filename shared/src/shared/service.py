"""Service definition: the parts of a service, and how its processes run.

A service describes itself once (`Service`); the same description runs as API process, as worker
process, or inside the all-in-one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field

import structlog
from sqlalchemy import MetaData, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from shared import metrics
from shared.clock import Clock
from shared.db import EVERY_DEALER, Database
from shared.departed_staff import HasLeft, nobody_has_left
from shared.fault_injection import NO_FAULTS, FaultHooks
from shared.inbox import Inbox
from shared.notifications import NotificationListener
from shared.pending_work import WorkCount
from shared.rabbitmq import InboundBuffer, RabbitTransport, consume
from shared.relay import Relay
from shared.retention import delete_expired
from shared.timers import TimerHandler, TimerWorker
from shared.transport import Transport
from shared.worker import Subscribers, Worker

log = structlog.get_logger()

Background = Callable[[], Coroutine[None, None, None]]
OperatorsWork = Callable[[AsyncSession], Awaitable[list[WorkCount]]]
"""Counts the work that waits for operators in one service, in a transaction over all dealers."""


async def no_further_work(_tx: AsyncSession) -> list[WorkCount]:
    """For a service without work for operators other than dead letters and refused messages."""
    return []


@dataclass(frozen=True, slots=True)
class Service:
    """A service's parts: name, package, tables, subscriptions and timers.

    `has_left` asks its copy of the staff master whether a person has left. `channels` are the
    NOTIFY channels of the service, besides the event core's. `measure` reads its own gauges.
    """

    name: str
    package: str
    metadata: MetaData = field(default_factory=MetaData)
    subscribers: Subscribers = field(default_factory=Subscribers)
    timers: Mapping[str, TimerHandler] = field(default_factory=dict)
    channels: tuple[str, ...] = ()
    operators_work: OperatorsWork = no_further_work
    has_left: HasLeft = nobody_has_left
    measure: metrics.Measure = metrics.nothing_more

    @property
    def gauges(self) -> metrics.Gauges:
        """The gauges of its database."""
        return metrics.Gauges(self.name, self.measure)


@dataclass(frozen=True, slots=True)
class ServiceRuntime:
    """A service with its database and its clock."""

    service: Service
    database: Database
    clock: Clock
    hooks: FaultHooks = NO_FAULTS
    listener: NotificationListener = field(init=False)

    def __post_init__(self) -> None:
        channels = ("outbox", "inbox", "timer", *self.service.channels)
        object.__setattr__(self, "listener", NotificationListener(self.database.url, channels))

    @property
    def inbox(self) -> Inbox:
        """The service's inbox."""
        return Inbox(self.database, self.service.name, self.hooks)

    @property
    def worker(self) -> Worker:
        """The worker that processes its events."""
        handlers = self.service.subscribers.handlers
        return Worker(self.database, self.service.name, handlers, self.clock, hooks=self.hooks)

    @property
    def timer_worker(self) -> TimerWorker:
        """The worker that fires its timers."""
        return TimerWorker(self.database, self.service.name, self.service.timers, self.clock)

    def relay(self, transport: Transport) -> Relay:
        """The relay that publishes its outbox."""
        return Relay(self.database, transport, f"/{self.service.name}", hooks=self.hooks)

    async def work(self, transport: Transport, *arriving: Background) -> None:
        """Relay, process, fire timers and sample until cancelled; `arriving` runs concurrently."""
        listener = self.listener
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(listener.run())
            tasks.create_task(self.relay(transport).run(listener["outbox"]))
            tasks.create_task(self.worker.run(listener["inbox"]))
            tasks.create_task(self.timer_worker.run(listener["timer"]))
            tasks.create_task(self._housekeeping())
            for background in arriving:
                tasks.create_task(background())

    async def work_with_rabbitmq(
        self,
        transport: RabbitTransport,
        *background: Background,
        arrivals: InboundBuffer | None = None,
    ) -> None:
        """As `work`, with a broker between the services."""
        arrivals = arrivals or InboundBuffer(self.inbox, hooks=self.hooks)

        async def arriving() -> None:
            await consume(transport.url, transport.topology, self.service.name, arrivals)

        await self.work(transport, arriving, *background)

    async def _housekeeping(self) -> None:
        """Sample every few seconds; delete expired rows and create partitions once an hour."""
        rounds = 0
        while True:
            try:
                if rounds % 720 == 0:
                    async with self.database.transaction(EVERY_DEALER) as tx:
                        await tx.execute(text("SELECT outbox_months(3)"))
                        await delete_expired(tx)
                await metrics.sample(self.database, self.service.gauges, now=self.clock.now())
                rounds += 1
            except (OSError, DBAPIError) as cause:
                self.service.gauges.forget()
                log.warning("lag_measurement_failed", cause=type(cause).__name__)
            await asyncio.sleep(5)
