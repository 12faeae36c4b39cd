"""Access log: rows are added, and deleted after their retention; the database refuses the rest."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncSession

from portal_service.models import AccessLog


async def add_accesses(tx: AsyncSession, rows: Sequence[Mapping[str, object]]) -> None:
    """Add rows, in their order."""
    await tx.execute(insert(AccessLog), list(rows))


async def delete_old_accesses(tx: AsyncSession, *, now: datetime, kept: timedelta) -> None:
    """Delete rows that are older than `kept`."""
    await tx.execute(delete(AccessLog).where(AccessLog.at < now - kept))
