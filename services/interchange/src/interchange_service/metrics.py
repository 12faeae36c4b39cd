"""Metrics of dealers' messages, counted when their transaction commits."""

from prometheus_client import Counter
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

ACCEPTED = Counter(
    "madoguchi_interchange_accepted", "Messages that became events", ["dealer", "channel"]
)
QUARANTINED = Counter(
    "madoguchi_interchange_quarantined", "Messages put aside", ["dealer", "reason"]
)
OVERFLOW = Counter(
    "madoguchi_interchange_quarantine_overflow",
    "Refused messages of which nothing is kept, for quarantine was full",
    ["dealer"],
)
UNREADABLE = Counter(
    "madoguchi_interchange_unreadable",
    "Messages that broke the connection they came by",
    ["dealer"],
)
WEBHOOKS = Counter(
    "madoguchi_webhook_attempts", "Attempts to send a webhook, by what followed", ["dealer", "step"]
)


def count_once_committed(tx: AsyncSession, counter: Counter, *labels: str) -> None:
    """Count one more if this transaction commits."""
    counted = counter.labels(*labels)
    event.listen(tx.sync_session, "after_commit", lambda _: counted.inc(), once=True)
