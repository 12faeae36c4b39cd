"""Retention: deletes a service's expired technical rows.

Ages are by the database's clock, which also wrote the rows.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

DELETIONS = (
    text("DELETE FROM lag_sample WHERE taken_at < clock_timestamp() - interval '1 hour'"),
    text("DELETE FROM idempotency WHERE created_at < clock_timestamp() - interval '7 days'"),
    text("DELETE FROM inbox_refused WHERE settled_at < clock_timestamp() - interval '90 days'"),
)


async def delete_expired(tx: AsyncSession) -> None:
    """Delete lag samples after an hour, idempotency records after a week.

    Refused messages are deleted 90 days after an operator settled them.
    """
    for statement in DELETIONS:
        await tx.execute(statement)
