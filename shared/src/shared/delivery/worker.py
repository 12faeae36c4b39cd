"""Delivery worker: claims due messages of a ledger, attempts each, and settles the result.

Any number of workers may run, in one process or many. Each has `lanes` messages in flight at once.
A lane sleeps until the database notifies its channel or the next message falls due.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from shared.clock import Clock
from shared.db import EVERY_DEALER, Database
from shared.notifications import WorkSignal

log = structlog.get_logger()

Claimed = TypeVar("Claimed")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class DeliveryWorker(ABC, Generic[Claimed, Result]):
    """Sends what is due in one ledger; a service says how a message is attempted and settled."""

    database: Database
    clock: Clock
    lanes: int = field(default=4, kw_only=True)

    @property
    @abstractmethod
    def lease_s(self) -> float:
        """How long a message is this worker's; longer than a whole attempt."""

    @abstractmethod
    async def claim(self, tx: AsyncSession) -> Claimed | None:
        """Lease a message with all that an attempt needs; None where none is due."""

    @abstractmethod
    async def next_due(self, tx: AsyncSession) -> float | None:
        """Seconds until the next message is due; None without any."""

    @abstractmethod
    def tracing(self, message: Claimed) -> AbstractContextManager[object]:
        """The trace that an attempt belongs to."""

    @abstractmethod
    async def attempt(self, message: Claimed) -> Result | None:
        """Try to deliver, outside any transaction; None if nothing is left to settle."""

    @abstractmethod
    async def settle(self, tx: AsyncSession, message: Claimed, result: Result) -> str | None:
        """Record the result; the step taken, or None if another worker has the message."""

    @abstractmethod
    def report(self, message: Claimed, result: Result, step: str | None) -> None:
        """Log and count a result, once its transaction has committed."""

    async def idle(self) -> float | None:
        """Nothing is due: release what waits for a message; seconds until to look again."""
        return None

    def background(self, wakeup: WorkSignal) -> Sequence[Coroutine[object, None, None]]:  # noqa: ARG002  for subclasses
        """What runs beside the lanes."""
        return ()

    async def run(self, wakeup: WorkSignal) -> None:
        """Send until cancelled; attempts in flight then are still settled."""
        async with asyncio.TaskGroup() as tasks:
            for work in self.background(wakeup):
                tasks.create_task(work)
            for _ in range(self.lanes):
                tasks.create_task(self._lane(wakeup))

    async def send_one(self) -> bool:
        """Attempt the message that has been due longest; False if none is due."""
        async with self.database.transaction(EVERY_DEALER) as tx:
            message = await self.claim(tx)
        if message is None:
            return False
        with self.tracing(message):
            result = await self.attempt(message)
            if result is not None:
                async with self.database.transaction(EVERY_DEALER) as tx:
                    step = await self.settle(tx, message, result)
                self.report(message, result, step)
        return True

    async def _lane(self, wakeup: WorkSignal) -> None:
        while True:
            seen = wakeup.count
            one = asyncio.create_task(self.send_one())
            try:
                if await asyncio.shield(one):
                    continue
                async with self.database.transaction(EVERY_DEALER) as tx:
                    due_s = await self.next_due(tx)
            except asyncio.CancelledError:
                await asyncio.wait({one}, timeout=self.lease_s)
                raise
            except Exception:  # one message's error must not stop the others
                log.exception("delivery_failed", worker=type(self).__name__)
                await asyncio.sleep(1)
                continue
            known = [s for s in (due_s, await self.idle()) if s is not None]
            await wakeup.wait(seen, min(known, default=None))
