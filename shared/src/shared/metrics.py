"""Prometheus metrics: counters, and gauges read from the database.

Workers read the gauges every few seconds, and each API whenever it is scraped: so they do not die
with the worker that they watch. A gauge that cannot be read has no value at all: an old one, or 0,
would look like good news.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from sqlalchemy import Row, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from shared.clock import Clock
from shared.db import EVERY_DEALER, Database

__all__ = ["REGISTRY", "sample"]

log = structlog.get_logger()

SCRAPE_WITHIN_S = 4
"""How long a scrape waits for the database; Prometheus gives up after ten seconds."""

PROCESS = Gauge("madoguchi_process_info", "1: a process of this kind", ["service", "part"])

HTTP_REQUESTS = Histogram(
    "madoguchi_http_server_request_duration_seconds",
    "Requests answered, by route and status",
    ["service", "method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
ACCESS_REFUSED = Counter(
    "madoguchi_access_refused",
    "Requests without a valid login, key or right, by code",
    ["service", "code"],
)
RELAY_BATCH = Histogram(
    "madoguchi_relay_batch_events",
    "Events in one relay batch",
    ["service"],
    buckets=(1, 10, 50, 200, 500, 1000),
)
RELAY_FAILURES = Counter(
    "madoguchi_relay_failures", "Deliveries that were not confirmed", ["service"]
)
INBOX_STORED = Counter("madoguchi_inbox_stored", "Events stored in the inbox", ["service"])
INBOX_REFUSED = Counter(
    "madoguchi_inbox_refused", "Messages that cannot be read as events", ["service"]
)
INBOX_PROCESSED = Counter(
    "madoguchi_inbox_processed", "Events processed, by outcome", ["service", "outcome"]
)
TIMERS_FIRED = Counter(
    "madoguchi_timers_fired", "Timers that came due, by outcome", ["service", "outcome"]
)

OUTBOX_AGE = Gauge(
    "madoguchi_outbox_age_seconds", "Age of the oldest unpublished event", ["service"]
)
INBOX_LAG = Gauge(
    "madoguchi_inbox_lag_seconds", "Age of the oldest event that waits to be processed", ["service"]
)
INBOX_WAITING = Gauge(
    "madoguchi_inbox_waiting_events", "Events received and not yet processed", ["service"]
)
INBOX_GAP_AGE = Gauge(
    "madoguchi_inbox_gap_age_seconds", "How long an event has waited for a missing one", ["service"]
)
DEAD_LETTERS = Gauge(
    "madoguchi_inbox_dead_events", "Events that could not be processed", ["service"]
)
REFUSED_KEPT = Gauge(
    "madoguchi_inbox_refused_kept", "Refused messages that no operator has settled", ["service"]
)
TIMER_LATENESS = Gauge(
    "madoguchi_timer_lateness_seconds", "How late the oldest due timer is", ["service"]
)

SAMPLE = text("""
    SELECT
      (SELECT count(*) FROM outbox_queue) AS outbox_waiting,
      (SELECT extract(epoch FROM now() - min(created_at)) FROM outbox_queue) AS outbox_age,
      (SELECT extract(epoch FROM now() - min(received_at)) FROM inbox
        WHERE state = 'waiting' AND attempts = 0) AS inbox_lag,
      (SELECT count(*) FROM inbox WHERE state IN ('waiting', 'parked')) AS inbox_waiting,
      (SELECT extract(epoch FROM now() - min(i.received_at)) FROM inbox i
         JOIN inbox_stream s USING (stream)
        WHERE i.state = 'parked' AND i.sequence > s.next_sequence AND NOT EXISTS (
          SELECT FROM inbox h WHERE h.stream = i.stream AND h.sequence = s.next_sequence
        )) AS gap_age,
      (SELECT count(*) FROM inbox WHERE state = 'dead') AS dead,
      (SELECT count(*) FROM inbox_refused WHERE settled_at IS NULL) AS refused,
      (SELECT extract(epoch FROM :now - min(due_at)) FROM timer
        WHERE due_at <= :now) AS timer_lateness
""")

INSERT_SAMPLE = text("""
    INSERT INTO lag_sample (outbox_waiting, outbox_age_s, inbox_waiting, inbox_lag_s)
    SELECT :outbox_waiting, :outbox_age_s, :inbox_waiting, :inbox_lag_s
    WHERE CAST(:outbox_waiting AS bigint) + CAST(:inbox_waiting AS bigint) > 0 OR coalesce((
        SELECT outbox_waiting + inbox_waiting > 0
               OR taken_at < clock_timestamp() - interval '1 minute'
        FROM lag_sample ORDER BY taken_at DESC LIMIT 1), true)
    ON CONFLICT DO NOTHING
""")


Measured = Mapping[Gauge, float]
Measure = Callable[[AsyncSession, datetime], Awaitable[Measured]]
"""Reads a service's own gauges, in a transaction over all dealers."""

_known: defaultdict[str, set[Gauge]] = defaultdict(set)


async def nothing_more(_tx: AsyncSession, _now: datetime) -> Measured:
    """For a service without gauges of its own."""
    return {}


def this_process(service: str, part: str) -> None:
    """Say which kind of process this is: its absence is an alert."""
    PROCESS.labels(service, part).set(1)


@dataclass(frozen=True, slots=True)
class Gauges:
    """The gauges of one service; `more` are its own beside those of the event core."""

    service: str
    more: Measure = nothing_more

    async def read(self, database: Database, *, now: datetime) -> Row[tuple[float, ...]]:
        """Read every gauge; where the database gives no answer, none has a value."""
        try:
            async with database.transaction(EVERY_DEALER) as tx:
                row = (await tx.execute(SAMPLE, {"now": now})).one()
                more = await self.more(tx, now)
        except BaseException:
            self.forget()
            raise
        core = {
            OUTBOX_AGE: row.outbox_age or 0,
            INBOX_LAG: row.inbox_lag or 0,
            INBOX_WAITING: row.inbox_waiting,
            INBOX_GAP_AGE: row.gap_age or 0,
            DEAD_LETTERS: row.dead,
            REFUSED_KEPT: row.refused,
            TIMER_LATENESS: row.timer_lateness or 0,
        }
        for gauge, value in {**core, **more}.items():
            _known[self.service].add(gauge)
            gauge.labels(self.service).set(value)
        return row

    def forget(self) -> None:
        """Leave every gauge of the service without a value."""
        for gauge in _known[self.service]:
            with contextlib.suppress(KeyError):
                gauge.remove(self.service)

    async def refresh(self, database: Database, clock: Clock) -> None:
        """Read every gauge for a scrape, which is answered without them if that fails."""
        try:
            async with asyncio.timeout(SCRAPE_WITHIN_S):
                await self.read(database, now=clock.now())
        except (OSError, DBAPIError) as cause:
            log.warning("gauges_not_read", cause=type(cause).__name__)


async def sample(database: Database, gauges: Gauges, *, now: datetime) -> None:
    """Read the gauges of one service from its database; `now` is the service's clock.

    Backlogs and ages are kept for the operator's charts; while nothing waits, once a minute only,
    since writes keep PostgreSQL awake.
    """
    row = await gauges.read(database, now=now)
    kept = {"outbox_waiting": row.outbox_waiting, "inbox_waiting": row.inbox_waiting}
    ages = {"outbox_age_s": float(row.outbox_age or 0), "inbox_lag_s": float(row.inbox_lag or 0)}
    async with database.transaction(EVERY_DEALER) as tx:
        await tx.execute(INSERT_SAMPLE, {**kept, **ages})
