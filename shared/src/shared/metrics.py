"""Prometheus metrics: counters, and gauges read from the database by `sample`."""

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from sqlalchemy import text

from shared.db import EVERY_DEALER, Database

__all__ = ["REGISTRY", "sample"]

HTTP_REQUESTS = Histogram(
    "http_server_request_duration_seconds",
    "Requests answered, by route and status",
    ["service", "method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
ACCESS_REFUSED = Counter(
    "access_refused", "Requests without a valid login, key or right, by code", ["service", "code"]
)
RELAY_BATCH = Histogram(
    "relay_batch_events",
    "Events in one relay batch",
    ["source"],
    buckets=(1, 10, 50, 200, 500, 1000),
)
RELAY_FAILURES = Counter("relay_failures", "Deliveries that were not confirmed", ["source"])
INBOX_STORED = Counter("inbox_stored", "Events stored in the inbox", ["service"])
INBOX_REFUSED = Counter("inbox_refused", "Messages that cannot be read as events", ["service"])
INBOX_PROCESSED = Counter("inbox_processed", "Events processed, by outcome", ["service", "outcome"])
TIMERS_FIRED = Counter("timers_fired", "Timers that came due, by outcome", ["service", "outcome"])

OUTBOX_AGE = Gauge("outbox_age_seconds", "Age of the oldest unpublished event", ["service"])
INBOX_LAG = Gauge(
    "inbox_lag_seconds", "Age of the oldest event that waits to be processed", ["service"]
)
INBOX_WAITING = Gauge("inbox_waiting_events", "Events received and not yet processed", ["service"])
INBOX_GAP_AGE = Gauge(
    "inbox_gap_age_seconds", "How long an event has waited for a missing one", ["service"]
)
DEAD_LETTERS = Gauge("inbox_dead_events", "Events that could not be processed", ["service"])
REFUSED_KEPT = Gauge(
    "inbox_refused_kept", "Refused messages that no operator has settled", ["service"]
)
TIMER_LATENESS = Gauge("timer_lateness_seconds", "How late the oldest due timer is", ["service"])

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


async def sample(database: Database, service: str, *, now: object) -> None:
    """Read the gauges of one service from its database; `now` is the service's clock.

    Backlogs and ages are kept for the operator's charts; while nothing waits, once a minute only,
    since writes keep PostgreSQL awake.
    """
    async with database.transaction(EVERY_DEALER) as tx:
        row = (await tx.execute(SAMPLE, {"now": now})).one()
        kept = {"outbox_waiting": row.outbox_waiting, "inbox_waiting": row.inbox_waiting}
        ages = {
            "outbox_age_s": float(row.outbox_age or 0),
            "inbox_lag_s": float(row.inbox_lag or 0),
        }
        await tx.execute(INSERT_SAMPLE, {**kept, **ages})
    OUTBOX_AGE.labels(service).set(row.outbox_age or 0)
    INBOX_LAG.labels(service).set(row.inbox_lag or 0)
    INBOX_WAITING.labels(service).set(row.inbox_waiting)
    INBOX_GAP_AGE.labels(service).set(row.gap_age or 0)
    DEAD_LETTERS.labels(service).set(row.dead)
    REFUSED_KEPT.labels(service).set(row.refused)
    TIMER_LATENESS.labels(service).set(row.timer_lateness or 0)
