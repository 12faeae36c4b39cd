"""Metrics of dealers' messages, counted when their transaction commits."""

from prometheus_client import Counter, Gauge
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

ACCEPTED = Counter("interchange_accepted", "Messages that became events", ["dealer", "channel"])
QUARANTINED = Counter("interchange_quarantined", "Messages put aside", ["dealer", "reason"])
OVERFLOW = Counter(
    "interchange_quarantine_overflow",
    "Refused messages of which nothing is kept, for quarantine was full",
    ["dealer"],
)
UNREADABLE = Counter(
    "interchange_unreadable", "Messages that broke the connection they came by", ["dealer"]
)
DELETED_AFTER = Gauge(
    "interchange_quarantine_kept", "Messages in quarantine that wait for a person"
)


def count_once_committed(tx: AsyncSession, counter: Counter, *labels: str) -> None:
    """Count one more if this transaction commits."""
    counted = counter.labels(*labels)
    event.listen(tx.sync_session, "after_commit", lambda _: counted.inc(), once=True)
