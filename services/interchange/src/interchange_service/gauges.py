"""Gauges of the interchange, read from its database: what waits in quarantine, and webhooks."""

from datetime import datetime

from prometheus_client import Gauge
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from interchange_service.queries import quarantine_size

QUARANTINED = Gauge(
    "madoguchi_interchange_quarantine_kept",
    "Messages in quarantine that wait for a person",
    ["service"],
)
WAITING = Gauge("madoguchi_webhooks_waiting", "Webhooks not yet delivered", ["service"])
LATENESS = Gauge(
    "madoguchi_webhook_lateness_seconds",
    "How late the oldest due webhook to an endpoint that answers is",
    ["service"],
)
FAILING = Gauge(
    "madoguchi_webhook_failing_seconds",
    "How long the endpoint that has failed longest has not taken a webhook",
    ["service"],
)
STOPPED = Gauge(
    "madoguchi_webhook_endpoints_stopped",
    "Endpoints that were stopped because they failed or are gone",
    ["service"],
)
WEBHOOKS = text("""
    SELECT
      (SELECT count(*) FROM webhook_delivery WHERE state = 'scheduled') AS waiting,
      (SELECT extract(epoch FROM clock_timestamp() - min(d.due_at))
         FROM webhook_delivery d JOIN webhook_endpoint e USING (endpoint_id)
        WHERE d.state = 'scheduled' AND d.due_at <= clock_timestamp()
          AND e.stopped_because IS NULL AND e.failing_since IS NULL) AS lateness,
      (SELECT extract(epoch FROM :now - min(failing_since)) FROM webhook_endpoint
        WHERE stopped_because IS NULL) AS failing,
      (SELECT count(*) FROM webhook_endpoint
        WHERE stopped_because IN ('gone', 'failing')) AS stopped
""")


async def measure(tx: AsyncSession, now: datetime) -> dict[Gauge, float]:
    """Read the quarantine and the webhooks."""
    row = (await tx.execute(WEBHOOKS, {"now": now})).one()
    return {
        QUARANTINED: await quarantine_size(tx),
        WAITING: row.waiting,
        LATENESS: row.lateness or 0,
        FAILING: row.failing or 0,
        STOPPED: row.stopped,
    }
