"""Metrics of mail delivery."""

from datetime import datetime

from prometheus_client import Counter, Gauge
from sqlalchemy.ext.asyncio import AsyncSession

from notifier_service.queries import mails_in_flight

MAIL_RESULTS = Counter("madoguchi_mails", "Attempts to send a mail, by result", ["result"])
for _result in ("sent", "transient", "permanent", "unknown", "suppressed"):
    MAIL_RESULTS.labels(_result)  # start at 0, so that the first one shows as an increase
MAILS_WAITING = Gauge("madoguchi_mails_waiting", "Mails that are due or being sent", ["service"])
MAIL_AGE = Gauge(
    "madoguchi_mail_age_seconds", "Age of the oldest mail that is due or being sent", ["service"]
)


async def measure(tx: AsyncSession, now: datetime) -> dict[Gauge, float]:
    """Read from the ledger how many mails wait, and for how long."""
    waiting, oldest = await mails_in_flight(tx)
    return {MAILS_WAITING: waiting, MAIL_AGE: (now - oldest).total_seconds() if oldest else 0}
