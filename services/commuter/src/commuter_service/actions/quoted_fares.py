"""Fares quoted by a route provider, stored so that decisions and re-checks need no new request."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service.models import SourceFare
from commuter_service.provider_rides import QuotedFare


async def keep_source_fares(
    tx: AsyncSession, quoted: Iterable[QuotedFare], *, now: datetime
) -> None:
    """Keep fares; the newest answer for the same ride, day and medium stands."""
    rows = [
        {
            "route": one.route,
            "fare_on": one.on,
            "medium": one.medium.value,
            "yen": one.yen,
            "minutes": list(one.minutes),
            "quoted_at": now,
        }
        for _, one in sorted({one.key: one for one in quoted}.items())  # as every writer locks them
    ]
    if rows:
        fresh = insert(SourceFare).values(rows)
        newer = {name: fresh.excluded[name] for name in ("yen", "minutes", "quoted_at")}
        keys = [SourceFare.route, SourceFare.fare_on, SourceFare.medium]
        await tx.execute(fresh.on_conflict_do_update(index_elements=keys, set_=newer))
