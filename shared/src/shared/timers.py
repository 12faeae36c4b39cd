"""Timers: actions scheduled for later that survive a restart, one row each.

A timer is named by kind and key and set in the transaction that gives it its reason; the
transaction that ends the reason cancels it. When it is due, its handler runs in one transaction
with its deletion. A failed handler is retried with growing delays, without limit.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import orjson
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from shared import tracing
from shared.clock import Clock
from shared.db import EVERY_DEALER, Database
from shared.metrics import TIMERS_FIRED
from shared.notifications import OFTEN_S, WorkSignal
from shared.trace_context import TraceContext

log = structlog.get_logger()

TimerPayload = dict[str, str | int]
TimerHandler = Callable[[str, TimerPayload, datetime, AsyncSession], Awaitable[None]]
"""Called with the key, the payload, the present instant and the transaction."""

SET = text("""
    INSERT INTO timer (kind, key, due_at, payload)
    VALUES (:kind, :key, :due_at, CAST(:payload AS jsonb))
    ON CONFLICT (kind, key) DO UPDATE SET due_at = excluded.due_at, payload = excluded.payload,
        attempts = 0, cause = NULL, retry_at = NULL
""")
CANCEL = text("DELETE FROM timer WHERE kind = ANY(:kinds) AND key = :key")
DUE = text("""
    SELECT kind, key, payload::text AS payload, attempts FROM timer
    WHERE due_at <= :now AND (retry_at IS NULL OR retry_at <= clock_timestamp())
    ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
""")
NEXT_DUE = text("""
    SELECT extract(epoch FROM least(
        (SELECT min(due_at) FROM timer WHERE due_at > :now) - :now,
        (SELECT min(coalesce(retry_at, clock_timestamp())) FROM timer WHERE due_at <= :now)
            - clock_timestamp()))::float8
""")
DROP = text("DELETE FROM timer WHERE kind = :kind AND key = :key")
FAILED = text("""
    UPDATE timer SET attempts = attempts + 1, cause = :cause,
           retry_at = clock_timestamp() + make_interval(secs => :pause)
    WHERE kind = :kind AND key = :key
""")


class _DueTimer(NamedTuple):
    kind: str
    key: str
    payload: str
    attempts: int


async def set_timer(
    tx: AsyncSession, kind: str, key: str, due_at: datetime, payload: Mapping[str, str | int]
) -> None:
    """Schedule the handler of `kind` at `due_at`; setting the same timer again moves it."""
    values = {"kind": kind, "key": key, "due_at": due_at}
    await tx.execute(SET, {**values, "payload": orjson.dumps(dict(payload)).decode()})


async def cancel_timers(tx: AsyncSession, key: str, *kinds: str) -> None:
    """Cancel timers of a key; kinds that are not set are ignored."""
    await tx.execute(CANCEL, {"kinds": list(kinds), "key": key})


@dataclass(frozen=True, slots=True)
class TimerWorker:
    """Fires one service's timers by the service's clock; any number may run.

    A handler is `async (key, payload, now, tx)`; its work commits with the timer's deletion.
    """

    database: Database
    service: str
    handlers: Mapping[str, TimerHandler]
    clock: Clock
    longest_pause: float = 300.0

    async def run(self, wakeup: WorkSignal) -> None:
        """Fire until cancelled; setting the clock must set `wakeup`."""
        while True:
            seen = wakeup.count
            due_s: float | None = OFTEN_S
            try:
                await self.fire_due()
                due_s = await self.next_due()
            except (OSError, DBAPIError) as cause:
                log.warning("timers_paused", service=self.service, cause=type(cause).__name__)
            await wakeup.wait(seen, due_s)

    async def next_due(self) -> float | None:
        """Seconds until the next timer falls due or is retried; None if there is none."""
        async with self.database.transaction() as tx:
            due_s: float | None = (
                await tx.execute(NEXT_DUE, {"now": self.clock.now()})
            ).scalar_one()
            return due_s

    async def fire_due(self) -> int:
        """Fire all due timers, each in its own transaction; returns how many succeeded."""
        fired = 0
        while True:
            timer: _DueTimer | None = None
            try:
                async with self.database.transaction(EVERY_DEALER) as tx:
                    row = (await tx.execute(DUE, {"now": self.clock.now()})).first()
                    if row is None:
                        return fired
                    timer = _DueTimer._make(row)
                    await tx.execute(DROP, {"kind": timer.kind, "key": timer.key})
                    await self._fire(timer, tx)
                fired += 1
                TIMERS_FIRED.labels(self.service, "done").inc()
            except Exception as cause:
                if timer is None:
                    raise
                await self._reschedule(timer, cause)

    async def _fire(self, timer: _DueTimer, tx: AsyncSession) -> None:
        """Run a timer's handler as a new trace: the one that set the timer ended long ago."""
        about: dict[str, str | int] = {
            "timer.kind": timer.kind,
            "timer.key": timer.key,
            "attempt": timer.attempts + 1,
        }
        work = TraceContext(correlation_id=f"{timer.kind}/{timer.key}")
        with tracing.step(f"timer {timer.kind}", "INTERNAL", work, about):
            try:
                async with asyncio.timeout(30):
                    payload = orjson.loads(timer.payload)
                    await self.handlers[timer.kind](timer.key, payload, self.clock.now(), tx)
            except Exception as cause:
                failed = {"kind": timer.kind, "cause": type(cause).__name__}
                log.error("timer_failed", service=self.service, **failed)  # noqa: TRY400 - its text may be personal data
                raise

    async def _reschedule(self, timer: _DueTimer, cause: Exception) -> None:
        TIMERS_FIRED.labels(self.service, "failed").inc()
        async with self.database.transaction() as tx:
            await tx.execute(
                FAILED,
                {
                    "kind": timer.kind,
                    "key": timer.key,
                    "cause": f"{type(cause).__name__}: {cause}"[:2000].replace("\0", "�"),
                    "pause": min(self.longest_pause, 1.0 * 2**timer.attempts),
                },
            )
