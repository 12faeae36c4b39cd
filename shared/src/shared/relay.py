"""Relay: publishes the outbox in batches, per lane, each aggregate in order.

The aggregates are divided into sixteen lanes. A relay leases lanes; several relays divide them
evenly. The lease carries a fencing token: a relay that stalled too long finds its lanes taken over,
and its late marks are ignored. No event is ever dropped: an unconfirmed one remains in
`outbox_queue` and is retried with growing delays; operators watch the age of the oldest pending
event (metrics.py). While the queue is empty no lease is renewed: an idle relay only reads.
"""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid4

import orjson
import structlog
from sqlalchemy import Row, text
from sqlalchemy.exc import DBAPIError

from shared import tracing
from shared.db import EVERY_DEALER, Database
from shared.envelope import Envelope
from shared.event_tables import LANES
from shared.fault_injection import NO_FAULTS, FaultHooks
from shared.metrics import RELAY_BATCH, RELAY_FAILURES
from shared.notifications import WorkSignal
from shared.tracing import Step, begin, messaging
from shared.transport import Transport, TransportDown

log = structlog.get_logger()

TRACKS = 2

HEARTBEAT = text("""
    INSERT INTO relay (owner, seen_at) VALUES (:me, clock_timestamp())
    ON CONFLICT (owner) DO UPDATE SET seen_at = excluded.seen_at
""")
DELETE_DEAD_RELAYS = text(
    "DELETE FROM relay WHERE seen_at < clock_timestamp() - 10 * make_interval(secs => :lease)"
)
LIVING = text(
    "SELECT count(*) FROM relay WHERE seen_at > clock_timestamp() - make_interval(secs => :lease)"
)
RENEW = text("""
    UPDATE relay_lease SET expires_at = clock_timestamp() + make_interval(secs => :lease)
    WHERE owner = :me AND expires_at > clock_timestamp() RETURNING lane, token
""")
RELEASE = text("""
    UPDATE relay_lease SET expires_at = '-infinity' WHERE owner = :me AND lane = ANY(:lanes)
""")
TAKE = text("""
    UPDATE relay_lease SET owner = :me, token = token + 1,
           expires_at = clock_timestamp() + make_interval(secs => :lease)
    WHERE lane IN (SELECT lane FROM relay_lease WHERE expires_at <= clock_timestamp()
                   ORDER BY lane LIMIT :wanted FOR UPDATE SKIP LOCKED)
    RETURNING lane, token
""")
PENDING = text("SELECT EXISTS (SELECT FROM outbox_queue)")
LEAVE = text("DELETE FROM relay WHERE owner = :me")
FETCH = text("""
    SELECT p.position, p.lane, event_id, type, aggregate_type, aggregate_id, sequence,
           dealer_id, occurred_at, payload::text AS payload, headers::text AS headers
    FROM outbox_queue p JOIN outbox USING (position, created_at)
    WHERE p.lane = ANY(:lanes)
      AND NOT (aggregate_type || '/' || aggregate_id = ANY(:held))
    ORDER BY p.position LIMIT :batch
""")
MARK = text("""
    WITH sent AS (SELECT * FROM unnest(CAST(:positions AS bigint[]), CAST(:lanes AS smallint[]),
                                       CAST(:tokens AS bigint[])) AS s (position, lane, token))
    DELETE FROM outbox_queue USING sent JOIN relay_lease USING (lane)
    WHERE outbox_queue.position = sent.position
      AND (relay_lease.token = sent.token OR NOT :fenced)
""")


@dataclass(frozen=True, slots=True)
class _Waiting:
    position: int
    lane: int
    event: Envelope


@dataclass(slots=True)
class _HeldLane:
    attempts: int = 0
    until: float = 0.0


@dataclass(slots=True)
class Relay:
    """Publishes one service's outbox; any number may run.

    `source` is the CloudEvents source of the service. `lease` is in seconds: after that time a lane
    of a stalled relay is free. `batch` is how many events are in flight at once.
    """

    database: Database
    transport: Transport
    source: str
    batch: int = 500
    lease: float = 10.0
    longest_pause: float = 30.0
    hooks: FaultHooks = NO_FAULTS
    _me: str = field(default_factory=lambda: str(uuid4()))
    _lanes: dict[int, int] = field(default_factory=dict)
    _held_until: float = 0.0
    _held: dict[str, _HeldLane] = field(default_factory=dict)
    _holding: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def run(self, wakeup: WorkSignal) -> None:
        """Relay until cancelled; then release the lanes."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._renew_leases(wakeup))
                for track in range(TRACKS):
                    tasks.create_task(self._follow(track, wakeup))
        finally:
            await self.give_back()

    async def _follow(self, track: int, wakeup: WorkSignal) -> None:
        """Relay one track; while one track waits for the database the other publishes."""
        failures = 0
        while True:
            seen = wakeup.count
            try:
                found = await self.relay_once(track)
                failures = 0
            except (TransportDown, OSError, DBAPIError) as cause:
                failures += 1
                RELAY_FAILURES.labels(self.source.removeprefix("/")).inc()
                pause = min(self.longest_pause, 0.1 * 2**failures)
                log.warning("relay_paused", cause=type(cause).__name__, seconds=pause)
                await asyncio.sleep(pause)
                continue
            if found < self.batch:
                await wakeup.wait(seen, self._next_retry())

    async def relay_once(self, track: int | None = None) -> int:
        """Publish one batch of the held lanes, or of one track's; returns how many were found."""
        if not self._holds_lanes():
            if not await self._pending():
                return 0
            async with self._holding:
                if not self._holds_lanes():
                    await self.renew_leases()
        tokens = {
            lane: token for lane, token in self._lanes.items() if track in {None, lane % TRACKS}
        }
        waiting = await self._fetch(list(tokens))
        if not waiting:
            return 0
        RELAY_BATCH.labels(self.source.removeprefix("/")).observe(len(waiting))
        confirmed = await self._publish([w.event for w in waiting])
        self.hooks.crash_point("after_confirm_before_mark")
        self._hold_back(waiting, confirmed)
        if sent := [w for w in waiting if w.event.event_id in confirmed]:
            await self._mark(sent, tokens)
        return len(waiting)

    async def _publish(self, events: list[Envelope]) -> AbstractSet[UUID]:
        """Publish a batch; with tracing, each event is a span that its handling hangs below."""
        if not tracing.on():
            return await self.transport.publish(events)
        confirmed: AbstractSet[UUID] = set()
        steps = [_sending(event) for event in events]
        try:
            confirmed = await self.transport.publish(
                [_with_sender(event, step) for event, step in zip(events, steps, strict=True)]
            )
        finally:
            for event, step in zip(events, steps, strict=True):
                if event.event_id not in confirmed:
                    step.failed("not_confirmed")
                step.end()
        return confirmed

    async def renew_leases(self) -> None:
        """Renew held lanes, take free ones up to a fair share, release those above it."""
        asked_at = time.monotonic()
        me = {"me": self._me, "lease": self.lease}
        async with self.database.transaction() as tx:
            await tx.execute(HEARTBEAT, me)
            await tx.execute(DELETE_DEAD_RELAYS, me)
            living = (await tx.execute(LIVING, me)).scalar_one()
            fair = -(-LANES // max(1, living))
            lanes = {row.lane: row.token for row in await tx.execute(RENEW, me)}
            if len(lanes) > fair:
                surplus = sorted(lanes)[fair:]
                await tx.execute(RELEASE, {"me": self._me, "lanes": surplus})
                lanes = {lane: token for lane, token in lanes.items() if lane not in surplus}
            elif len(lanes) < fair:
                taken = await tx.execute(TAKE, {**me, "wanted": fair - len(lanes)})
                lanes |= {row.lane: row.token for row in taken}
        self._lanes = lanes
        self._held_until = asked_at + self.lease

    def _holds_lanes(self) -> bool:
        return bool(self._lanes) and time.monotonic() <= self._held_until

    async def _pending(self) -> bool:
        """Whether an event is pending in any lane."""
        async with self.database.transaction() as tx:
            return bool((await tx.execute(PENDING)).scalar_one())

    async def _renew_leases(self, wakeup: WorkSignal) -> None:
        """Renew while an event is pending in any lane; a newly leased lane wakes the tracks."""
        while True:
            seen = wakeup.count
            try:
                if not await self._pending():
                    await wakeup.wait(seen)
                    continue
                async with self._holding:
                    before = set(self._lanes)
                    await self.renew_leases()
                if set(self._lanes) - before:
                    wakeup.set()
            except (OSError, DBAPIError) as cause:
                log.warning("relay_lease_not_renewed", cause=type(cause).__name__)
            await asyncio.sleep(self.lease / 3)

    async def give_back(self) -> None:
        """Release the lanes at once."""
        with contextlib.suppress(OSError, DBAPIError):
            async with self.database.transaction() as tx:
                await tx.execute(RELEASE, {"me": self._me, "lanes": list(self._lanes)})
                await tx.execute(LEAVE, {"me": self._me})

    async def _fetch(self, lanes: list[int]) -> list[_Waiting]:
        now = time.monotonic()
        held = [key for key, pause in self._held.items() if pause.until > now]
        async with self.database.transaction(EVERY_DEALER) as tx:
            rows = await tx.execute(FETCH, {"lanes": lanes, "held": held, "batch": self.batch})
            return [self._waiting(row) for row in rows]

    def _waiting(self, row: Row[tuple[object, ...]]) -> _Waiting:
        event = Envelope(
            event_id=row.event_id,
            source=self.source,
            type=row.type,
            aggregate_type=row.aggregate_type,
            aggregate_id=row.aggregate_id,
            sequence=row.sequence,
            dealer_id=row.dealer_id,
            occurred_at=row.occurred_at,
            payload=row.payload.encode(),
            headers=orjson.loads(row.headers),
        )
        return _Waiting(row.position, row.lane, event)

    async def _mark(self, sent: Sequence[_Waiting], tokens: dict[int, int]) -> None:
        async with self.database.transaction() as tx:
            await tx.execute(
                MARK,
                {
                    "positions": [w.position for w in sent],
                    "lanes": [w.lane for w in sent],
                    "tokens": [tokens[w.lane] for w in sent],
                    "fenced": self.hooks.is_enabled("fencing"),
                },
            )

    def _hold_back(self, waiting: Sequence[_Waiting], confirmed: AbstractSet[UUID]) -> None:
        """Delay an aggregate whose event was not confirmed; the others continue."""
        failed: dict[str, UUID] = {}
        for w in waiting:
            key = f"{w.event.aggregate_type}/{w.event.aggregate_id}"
            if w.event.event_id in confirmed:
                self._held.pop(key, None)
            else:
                failed.setdefault(key, w.event.event_id)
        for key in failed:
            pause = self._held.setdefault(key, _HeldLane())
            pause.attempts += 1
            pause.until = time.monotonic() + min(self.longest_pause, 0.1 * 2**pause.attempts)
        if failed:
            RELAY_FAILURES.labels(self.source.removeprefix("/")).inc(len(failed))
            log.warning("events_not_confirmed", event_ids=[str(i) for i in failed.values()][:10])

    def _next_retry(self) -> float | None:
        now = time.monotonic()
        pauses = [max(0.01, pause.until - now) for pause in self._held.values()]
        return min(pauses, default=None)


def _sending(event: Envelope) -> Step:
    names = messaging("publish", "send", event.type, event.event_id, event.stream)
    size = {"messaging.message.body.size": len(event.payload)}
    return begin(
        f"publish {event.type}", "PRODUCER", event.headers.get("traceparent"), names | size
    )


def _with_sender(event: Envelope, step: Step) -> Envelope:
    """The event, with the sending span as the parent of its handling."""
    return replace(event, headers={**event.headers, "traceparent": step.traceparent or ""})
