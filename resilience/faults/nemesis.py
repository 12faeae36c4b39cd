"""Nemesis: injects one fault at a time, drawn from a seed, while load runs."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from resilience.faults.cluster import Cluster, Program
from resilience.faults.crash_points import CRASH_POINTS
from shared.fault_injection import CrashPoint
from shared.rabbitmq_connection import connect
from shared.testing.disposable_servers import PrivatePostgres, PrivateRabbitMQ

Fault = Callable[[], Awaitable[object]]
ROLE_AT: dict[CrashPoint, str] = {
    "after_commit": "api",
    "after_publish_before_confirm": "relay",
    "after_confirm_before_mark": "relay",
    "after_inbox_store_before_ack": "inbox",
    "mid_handler": "inbox",
}
TO_DIE = 60.0


class DidNotHappen(RuntimeError):
    """A fault could not be injected, so the run would prove nothing."""


@dataclass(slots=True)
class Nemesis:
    """Injects faults into a cluster. Servers that are not given are not touched."""

    cluster: Cluster
    rng: random.Random
    postgres: PrivatePostgres | None = None
    broker: PrivateRabbitMQ | None = None
    injected: Counter[str] = field(default_factory=Counter)

    def faults(self) -> dict[str, Fault]:
        """Every fault that this nemesis can inject, by its kind."""
        faults: dict[str, Fault] = {
            f"killed {point.replace('_', ' ')}": self._crash(point) for point in CRASH_POINTS
        }
        for role in ("api", "relay", "inbox"):
            faults[f"{role} killed anywhere"] = self._kill(role)
        for role in ("relay", "inbox"):
            faults[f"{role} stood still beyond its limit"] = self._freeze(role)
        for wire in self.cluster.links:
            faults[f"link cut: {wire}"] = self._cut(wire)
            faults[f"link stalled: {wire}"] = self._stall(wire)
        faults["deliveries copied and shuffled"] = self.copy
        faults["queue shuffled"] = self.shuffle
        faults["inboxes killed 25 times while their database was away"] = self._crash_loop
        if self.postgres is not None:
            faults["postgresql restarted"] = self._restart_postgres
            faults["postgresql crashed"] = self._crash_postgres
        if self.broker is not None:
            faults["broker restarted"] = self._restart_broker
            faults["broker killed"] = self._kill_broker
        return faults

    def plan(self, count: int) -> list[str]:
        """`count` kinds in random order, each kind about equally often."""
        kinds = sorted(self.faults())
        rounds = -(-count // len(kinds))
        return [kind for _ in range(rounds) for kind in self.rng.sample(kinds, len(kinds))][:count]

    async def inject(self, kind: str) -> None:
        """Inject one fault and wait until it is over."""
        await self.faults()[kind]()
        self.injected[kind] += 1

    def _one(self, role: str) -> Program:
        return self.rng.choice(self.cluster.of(role))

    def _crash(self, point: CrashPoint) -> Fault:
        async def crash() -> None:
            program = self._one(ROLE_AT[point])
            starts = program.starts
            program.arm(point, self.rng.randint(1, 4))
            await until(lambda: program.starts > starts, f"{program.name} did not reach {point}")

        return crash

    def _kill(self, role: str) -> Fault:
        async def kill() -> None:
            program = self._one(role)
            starts = program.starts
            await asyncio.sleep(self.rng.random() * 0.3)
            program.kill()
            await until(lambda: program.starts > starts, f"{program.name} was not started again")

        return kill

    def _freeze(self, role: str) -> Fault:
        async def freeze() -> None:
            program = self._one(role)
            limit = program.part.lease if role == "relay" else program.part.idle_limit
            program.freeze()
            await asyncio.sleep(limit + 0.7)
            program.thaw()

        return freeze

    def _cut(self, wire: str) -> Fault:
        async def cut() -> None:
            await asyncio.sleep(self.rng.random() * 0.2)
            self.cluster.links[wire].cut()

        return cut

    def _stall(self, wire: str) -> Fault:
        async def stall() -> None:
            link = self.cluster.links[wire]
            link.stall()
            await asyncio.sleep(0.5 + self.rng.random() * 1.5)
            if self.rng.random() < 0.5:
                link.cut()
            link.flow()

        return stall

    async def _crash_loop(self) -> None:
        """Restart a process repeatedly, as an orchestrator does: messages are redelivered."""
        link = self.cluster.links["target"]
        link.stall()
        for _ in range(25):
            await asyncio.sleep(0.7)
            for program in self.cluster.of("inbox"):
                program.kill()
        link.cut()
        link.flow()

    async def copy(self, most: int = 200) -> int:
        """Send copies of earlier deliveries to the queue, out of order; returns their number."""
        async with self._channel() as channel:
            tap = await self.tap(channel)
            taken = await _take(tap, most)
            copies = taken + taken[: len(taken) // 2]
            await self._send(channel, copies)
            for message in taken:
                await message.ack()
        return len(copies)

    async def shuffle(self, most: int = 200) -> None:
        """Reorder the messages in the service's queue, while it has no consumer."""
        inboxes = self.cluster.of("inbox")
        for program in inboxes:
            program.wanted = False
            program.kill()
        await asyncio.sleep(0.5)
        async with self._channel() as channel:
            queue = await channel.get_queue(self.cluster.topology.queue("returns"), ensure=False)
            taken = await _take(queue, most)
            await self._send(channel, taken)
            for message in taken:
                await message.ack()
        for program in inboxes:
            program.wanted = True

    async def open_tap(self) -> None:
        """Keep copies of published messages from now on, for `copy`."""
        async with await connect(self.cluster.rabbitmq_url) as connection:
            await self.cluster.topology.declare(connection)
            async with connection.channel() as channel:
                await self.tap(channel)

    async def tap(self, channel: AbstractChannel) -> aio_pika.abc.AbstractQueue:
        """A separate queue bound to the exchange, holding the newest messages."""
        name = f"{self.cluster.prefix}tap"
        newest: dict[str, Any] = {"x-max-length": 1000}
        tap = await channel.declare_queue(name, durable=True, arguments=newest)
        await tap.bind(self.cluster.topology.exchange, "#")
        return tap

    @asynccontextmanager
    async def _channel(self) -> AsyncIterator[AbstractChannel]:
        async with (
            await connect(self.cluster.rabbitmq_url) as connection,
            connection.channel() as channel,
        ):
            yield channel

    async def _send(
        self, channel: AbstractChannel, messages: Sequence[AbstractIncomingMessage]
    ) -> None:
        """Publish copies directly to the service's queue, shuffled and confirmed."""
        name = self.cluster.topology.queue("returns")
        for message in self.rng.sample(messages, len(messages)):
            copy = aio_pika.Message(
                message.body,
                headers=message.headers,
                content_type=message.content_type,
                message_id=message.message_id,
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            )
            await channel.default_exchange.publish(copy, name)

    async def _restart_postgres(self) -> None:
        assert self.postgres is not None
        await self.postgres.stop("fast")
        await self.postgres.start()

    async def _crash_postgres(self) -> None:
        assert self.postgres is not None
        await self.postgres.stop("immediate")
        await self.postgres.start()

    async def _restart_broker(self) -> None:
        assert self.broker is not None
        await self.broker.stop()
        await self.broker.start()

    async def _kill_broker(self) -> None:
        assert self.broker is not None
        await asyncio.to_thread(self.broker.kill)
        await self.broker.start()


async def _take(queue: aio_pika.abc.AbstractQueue, most: int) -> list[AbstractIncomingMessage]:
    taken: list[AbstractIncomingMessage] = []
    while len(taken) < most:
        message = await queue.get(fail=False)
        if message is None:
            break
        taken.append(message)
    return taken


async def until(happened: Callable[[], bool], otherwise: str) -> None:
    """Wait for a condition. Raises DidNotHappen after a minute."""
    for _ in range(int(TO_DIE / 0.05)):
        if happened():
            return
        await asyncio.sleep(0.05)
    raise DidNotHappen(otherwise)
