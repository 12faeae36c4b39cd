"""Fares that another look-up told, kept so that a decision and a re-check need not ask again."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service.models import SourceFare
from commuter_service.source_rides import ToldFare


async def keep_source_fares(tx: AsyncSession, told: Iterable[ToldFare], *, now: datetime) -> None:
    """Keep fares; the newest answer for the same ride, day and medium stands."""
    rows = [
        {
            "route": one.route,
            "fare_on": one.on,
            "medium": one.medium.value,
            "yen": one.yen,
            "minutes": list(one.minutes),
            "told_at": now,
        }
        for _, one in sorted({one.key: one for one in told}.items())  # as every writer locks them
    ]
    if rows:
        fresh = insert(SourceFare).values(rows)
        newer = {name: fresh.excluded[name] for name in ("yen", "minutes", "told_at")}
        keys = [SourceFare.route, SourceFare.fare_on, SourceFare.medium]
        await tx.execute(fresh.on_conflict_do_update(index_elements=keys, set_=newer))
