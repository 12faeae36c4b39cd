"""What does a service forget by itself, a while after nobody can need it any more?

All by the database's clock: these rows are written by it.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

FORGOTTEN = (
    text("DELETE FROM lag_sample WHERE taken_at < clock_timestamp() - interval '1 hour'"),
    text("DELETE FROM idempotency WHERE created_at < clock_timestamp() - interval '7 days'"),
    text("DELETE FROM inbox_refused WHERE settled_at < clock_timestamp() - interval '90 days'"),
)


async def delete_expired(tx: AsyncSession) -> None:
    """Forget charts after an hour, answers by Idempotency-Key after a week.

    Refused messages go three months after a person has seen to them.
    """
    for statement in FORGOTTEN:
        await tx.execute(statement)
