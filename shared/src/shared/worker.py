"""Worker: processes received events in aggregate order, many per transaction.

A batch locks the streams whose next event is due, runs the handlers and advances the streams, all
in one transaction: an event's effect and the record of its processing are one commit. A batch first
runs without savepoints; only when a handler fails is it run again with one savepoint each, so that
the others' effects stand. In the first run a handler of lists gets all its events of the batch
together, in the second one by one. A failed event is retried with growing delays, then it is dead:
it blocks its own stream, in this service only, until an operator replays or skips it.
"""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Literal

import orjson
import structlog
from sqlalchemy import Row, text
from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts import PayloadDoesNotFit, UnknownEventType, read
from shared import tracing
from shared.clock import Clock
from shared.db import EVERY_DEALER, Database
from shared.fault_injection import NO_FAULTS, FaultHooks
from shared.inbox import UNPARK
from shared.metrics import INBOX_PROCESSED
from shared.notifications import WorkSignal
from shared.subscribers import Delivery, Handler, ListHandler, Subscribers
from shared.trace_context import NO_CONTEXT, context_of_event, use_context

__all__ = [
    "Delivery",
    "Handler",
    "StreamLeaseLost",
    "Subscribers",
    "Worker",
    "is_clash",
    "lost_connection",
]

log = structlog.get_logger()

BURST = 4

CLAIM = """
    SELECT s.stream, s.next_sequence FROM inbox i JOIN inbox_stream s USING (stream)
    WHERE i.state = 'waiting' AND i.due_at <= clock_timestamp()
    ORDER BY i.due_at LIMIT :batch
"""
NEXT_DUE = text("""
    SELECT extract(epoch FROM min(due_at) - clock_timestamp())::float8
    FROM inbox WHERE state = 'waiting'
""")
LOCK = " FOR UPDATE OF s SKIP LOCKED"
EVENTS_OF = text("""
    SELECT i.event_id, i.stream, i.sequence, i.type, i.dealer_id, i.occurred_at,
           i.state, i.due_at <= clock_timestamp() AS due, i.attempts,
           i.payload::text AS payload, i.headers::text AS headers
    FROM unnest(CAST(:streams AS text[])) AS s (stream)
    CROSS JOIN LATERAL (
        SELECT * FROM inbox WHERE inbox.stream = s.stream AND state <> 'skipped'
        ORDER BY sequence LIMIT :per_stream) i
    ORDER BY i.stream, i.sequence
""")
DONE = text("""
    DELETE FROM inbox USING unnest(CAST(:streams AS text[]), CAST(:sequences AS bigint[]),
                                   CAST(:event_ids AS uuid[])) AS d (stream, sequence, event_id)
    WHERE inbox.stream = d.stream AND inbox.sequence = d.sequence
      AND inbox.event_id = d.event_id
""")
ADVANCE = text("""
    UPDATE inbox_stream SET next_sequence = a.next_sequence
    FROM unnest(CAST(:streams AS text[]), CAST(:before AS bigint[]), CAST(:after AS bigint[]))
         AS a (stream, was, next_sequence)
    WHERE inbox_stream.stream = a.stream AND (inbox_stream.next_sequence = a.was OR NOT :fenced)
    RETURNING 1
""")
PARK = text("""
    UPDATE inbox SET state = 'parked'
    FROM unnest(CAST(:streams AS text[]), CAST(:next AS bigint[])) AS b (stream, next_sequence)
    WHERE inbox.stream = b.stream AND inbox.sequence > b.next_sequence AND state = 'waiting'
    RETURNING 1
""")
FAILED = text("""
    UPDATE inbox SET attempts = attempts + 1, cause = :cause, state = :state,
           due_at = clock_timestamp() + make_interval(secs => :pause),
           settled_at = CASE WHEN :state = 'dead' THEN clock_timestamp() END
    WHERE stream = :stream AND sequence = :sequence AND event_id = :event_id
""")


class StreamLeaseLost(RuntimeError):
    """Another worker advanced a stream that this batch had claimed; nothing of it was committed."""


_Pending = Row[Any]


@dataclass(slots=True)
class _Collected:
    """Events of one batch that wait for the call of their list handler, and their streams."""

    events: list[tuple[Any, Delivery]] = field(default_factory=list)
    streams: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Outcome:
    done: list[_Pending] = field(default_factory=list)
    failed: list[tuple[_Pending, Exception]] = field(default_factory=list)
    blocked: dict[str, int] = field(default_factory=dict)
    moved: dict[str, tuple[int, int]] = field(default_factory=dict)
    steps: list[tracing.Step] = field(default_factory=list)
    collected: dict[ListHandler[Any], _Collected] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Worker:
    """Processes one service's inbox; any number may run.

    An event is tried `attempts` times with delays (seconds) that double from `pause`. A handler
    that takes longer than `handler_timeout_s` seconds has failed. After a batch of medium size it
    waits `batch_window_s` seconds for more: fewer, larger transactions under load.
    """

    database: Database
    service: str
    handlers: Mapping[str, Handler]
    clock: Clock
    batch: int = 200
    attempts: int = 8
    pause: float = 0.5
    longest_pause: float = 300.0
    handler_timeout_s: float = 30.0
    batch_window_s: float = 0.02
    hooks: FaultHooks = NO_FAULTS

    async def run(self, wakeup: WorkSignal) -> None:
        """Process until cancelled."""
        while True:
            seen = wakeup.count
            try:
                worked = await self.process_batch()
                due_s = None if worked else await self.next_due()
            except (OSError, DBAPIError, PendingRollbackError, StreamLeaseLost) as cause:
                log.warning("inbox_batch_failed", service=self.service, cause=type(cause).__name__)
                await asyncio.sleep(0.5)
                continue
            if not worked:
                await wakeup.wait(seen, due_s)
            elif BURST < worked < self.batch // 2:
                await asyncio.sleep(self.batch_window_s)

    async def next_due(self) -> float | None:
        """Seconds until a failed event is due for retry; None if there is none."""
        async with self.database.transaction(EVERY_DEALER) as tx:
            due_s: float | None = (await tx.execute(NEXT_DUE)).scalar_one()
            return due_s

    async def process_batch(self) -> int:
        """Process due events, up to one batch; returns how many were looked at."""
        try:
            async with asyncio.timeout(self.handler_timeout_s):
                return await self._process(carefully=False)
        except (_HandlerFailed, _HandlerHung, TimeoutError):
            pass
        try:
            return await self._process(carefully=True)
        except _HandlerHung as hung:
            async with self.database.transaction(EVERY_DEALER) as tx:
                await tx.execute(FAILED, self._failure(hung.row, hung))
            self._count(_Outcome(failed=[(hung.row, hung)]))
            return 1

    async def _process(self, *, carefully: bool) -> int:
        async with self.database.transaction(EVERY_DEALER) as tx:
            claim = CLAIM + LOCK if self.hooks.is_enabled("fencing") else CLAIM
            claimed = await tx.execute(text(claim), {"batch": self.batch})
            streams = {row.stream: row.next_sequence for row in claimed}
            if not streams:
                return 0
            share = -(-self.batch // len(streams))
            rows = await tx.execute(EVENTS_OF, {"streams": list(streams), "per_stream": share})
            outcome = _Outcome()
            for stream, pending in groupby(rows, key=lambda row: row.stream):
                await self._process_stream(
                    tx, list(pending), streams[stream], outcome, carefully=carefully
                )
            await self._call_lists(tx, outcome)
            parked = await self._write(tx, outcome)
        self._count(outcome)
        for step in outcome.steps:
            step.end()
        return len(outcome.done) + len(outcome.failed) + parked

    async def _process_stream(
        self,
        tx: AsyncSession,
        pending: list[_Pending],
        next_sequence: int,
        outcome: _Outcome,
        *,
        carefully: bool,
    ) -> None:
        expected = next_sequence
        in_order = self.hooks.is_enabled("key_blocking")
        for row in pending:
            turn = self._turn(row, expected)
            if turn == "again":
                outcome.done.append(row)
            elif turn == "now" and await self._succeeds(tx, row, outcome, carefully=carefully):
                expected = max(expected, row.sequence + 1)
            elif in_order:
                outcome.blocked[row.stream] = expected
                break
        if expected != next_sequence:
            outcome.moved[pending[0].stream] = (next_sequence, expected)

    def _turn(self, row: _Pending, expected: int) -> Literal["again", "now", "later"]:
        """Whether an event is its stream's next one, a copy of an earlier one, or must wait."""
        if row.sequence < expected and self.hooks.is_enabled("dedupe"):
            return "again"
        if row.sequence > expected and self.hooks.is_enabled("key_blocking"):
            return "later"
        return "now" if row.state == "parked" or (row.state == "waiting" and row.due) else "later"

    async def _succeeds(
        self, tx: AsyncSession, row: _Pending, outcome: _Outcome, *, carefully: bool
    ) -> bool:
        """Handle one event and record the outcome. Raises _HandlerFailed in the quick pass."""
        try:
            await self._handle(tx, row, outcome, carefully=carefully)
        except TimeoutError as cause:
            raise _HandlerHung(row) from cause
        except Exception as cause:
            if is_clash(cause) or lost_connection(cause):
                raise
            if not carefully:
                raise _HandlerFailed from cause
            outcome.failed.append((row, cause))
            return False
        outcome.done.append(row)
        return True

    def _step(
        self, row: _Pending, headers: Mapping[str, str], outcome: _Outcome
    ) -> AbstractContextManager[object]:
        """Handling one event, as a step of its trace; recorded if the batch commits."""
        work = context_of_event(row.event_id, headers)
        if not tracing.on():
            return use_context(work)
        names = tracing.messaging("process", "process", row.type, row.event_id, row.stream)
        about = names | {"messaging.consumer.group.name": self.service, "attempt": row.attempts + 1}
        return tracing.step(
            f"process {row.type}", "CONSUMER", work, about, until_committed=outcome.steps
        )

    async def _handle(
        self, tx: AsyncSession, row: _Pending, outcome: _Outcome, *, carefully: bool
    ) -> None:
        event = read(row.type, row.payload)
        handler = self.handlers.get(row.type)
        if handler is None:
            return
        headers = orjson.loads(row.headers)
        delivery = Delivery(
            row.event_id, row.sequence, row.occurred_at, self.clock.now(), headers.get("actor")
        )
        if not carefully:
            await self._call_lists(tx, outcome, before=(row.stream, handler))
            if isinstance(handler, ListHandler) and not tracing.on():
                collected = outcome.collected.setdefault(handler, _Collected())
                collected.events.append((event, delivery))
                collected.streams.add(row.stream)
                return
        with self._step(row, headers, outcome):
            if carefully:
                async with asyncio.timeout(self.handler_timeout_s), tx.begin_nested():
                    await handler(event, delivery, tx)
            else:
                await handler(event, delivery, tx)
        self.hooks.crash_point("mid_handler")

    async def _call_lists(
        self, tx: AsyncSession, outcome: _Outcome, before: tuple[str, Handler] | None = None
    ) -> None:
        """Call the list handlers with what was collected for them. Raises _HandlerFailed.

        `before` the next event of a stream and its handler: only those of other handlers that have
        collected events of the same stream, which must come first.
        """
        for handler, collected in list(outcome.collected.items()):
            if before and (handler is before[1] or before[0] not in collected.streams):
                continue
            del outcome.collected[handler]
            try:
                with use_context(NO_CONTEXT):
                    await handler.handle(collected.events, tx)
            except Exception as cause:
                if is_clash(cause) or lost_connection(cause):
                    raise
                raise _HandlerFailed from cause
            self.hooks.crash_point("mid_handler")

    async def _write(self, tx: AsyncSession, outcome: _Outcome) -> int:
        """Write the outcome of a batch; returns how many events must wait for an earlier one.

        A blocked stream parks all events behind its next one, however many: events left waiting
        would be claimed again and again in place of other streams' events.
        """
        await tx.flush()
        parked = 0
        if outcome.done:
            await tx.execute(DONE, _keys(outcome.done))
        if outcome.blocked:
            blocked = {"streams": list(outcome.blocked), "next": list(outcome.blocked.values())}
            parked = len((await tx.execute(PARK, blocked)).all())
        for row, cause in outcome.failed:
            await tx.execute(FAILED, self._failure(row, cause))
        if outcome.moved:
            fenced = self.hooks.is_enabled("fencing")
            moved = await tx.execute(
                ADVANCE,
                {
                    "streams": list(outcome.moved),
                    "before": [before for before, _ in outcome.moved.values()],
                    "after": [after for _, after in outcome.moved.values()],
                    "fenced": fenced,
                },
            )
            if len(moved.all()) != len(outcome.moved):
                raise StreamLeaseLost(self.service)
            await tx.execute(UNPARK, {"streams": list(outcome.moved)})
        return parked

    def _failure(self, row: _Pending, cause: Exception) -> dict[str, object]:
        unreadable = isinstance(cause, UnknownEventType | PayloadDoesNotFit)
        dead = unreadable or row.attempts + 1 >= self.attempts
        return {
            "stream": row.stream,
            "sequence": row.sequence,
            "event_id": row.event_id,
            "cause": f"{type(cause).__name__.lstrip('_')}: {cause}"[:2000].replace("\0", "�"),
            "state": "dead" if dead else "waiting",
            "pause": min(self.longest_pause, self.pause * 2**row.attempts),
        }

    def _count(self, outcome: _Outcome) -> None:
        INBOX_PROCESSED.labels(self.service, "done").inc(len(outcome.done))
        INBOX_PROCESSED.labels(self.service, "failed").inc(len(outcome.failed))
        for row, cause in outcome.failed:
            with use_context(context_of_event(row.event_id, orjson.loads(row.headers))):
                log.error(
                    "event_not_processed",
                    service=self.service,
                    type=row.type,
                    attempt=row.attempts + 1,
                    cause=type(cause).__name__,
                )


class _HandlerFailed(Exception):
    """A handler failed in the quick pass; run the batch again with savepoints."""


class _HandlerHung(Exception):
    """A handler took too long; its connection may be broken, so the whole batch is rolled back."""

    def __init__(self, row: _Pending) -> None:
        super().__init__("the handler took too long")
        self.row = row


def is_clash(cause: Exception) -> bool:
    """Whether two transactions conflicted (SQLSTATE class 40): just run it again."""
    sqlstate = getattr(getattr(cause, "orig", None), "sqlstate", None)
    return str(sqlstate or "").startswith("40")


def lost_connection(cause: Exception) -> bool:
    """Whether the transaction's connection is lost: not the handler's fault, nothing can commit."""
    gone = isinstance(cause, DBAPIError) and cause.connection_invalidated
    return gone or isinstance(cause, PendingRollbackError)


def _keys(rows: list[_Pending]) -> dict[str, list[object]]:
    return {
        "streams": [r.stream for r in rows],
        "sequences": [r.sequence for r in rows],
        "event_ids": [r.event_id for r in rows],
    }
