"""Ends of sessions: recorded for all portal processes, and deleted when no cookie is left."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import delete, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from portal_service.models import LogoutToken, SessionEnd
from portal_service.rules.session_end import EndOf


async def end_sessions(
    tx: AsyncSession, ends: Sequence[EndOf], *, ended_at: float, until: float
) -> None:
    """Record that sessions begun by `ended_at` have ended; a trigger notifies every process."""
    rows = [
        {"kind": kind.value, "key": key, "ended_at": _instant(ended_at), "until": _instant(until)}
        for kind, key in ends
    ]
    stated = insert(SessionEnd).values(rows)
    new = stated.excluded
    await tx.execute(
        stated.on_conflict_do_update(
            index_elements=["kind", "key"],
            set_={
                "ended_at": func.greatest(SessionEnd.ended_at, new.ended_at),
                "until": func.greatest(SessionEnd.until, new.until),
                "recorded_at": func.clock_timestamp(),
            },
        )
    )


async def use_logout_token(tx: AsyncSession, jti: str, *, until: float) -> bool:
    """Whether this logout token is used for the first time."""
    stated = insert(LogoutToken).values(jti=jti, until=_instant(until))
    used = await tx.execute(stated.on_conflict_do_nothing().returning(LogoutToken.jti))
    return used.first() is not None


async def delete_old_ends(tx: AsyncSession, *, now: float) -> None:
    """Delete ends of sessions, and ids of logout tokens, that nothing can need any more."""
    await tx.execute(delete(SessionEnd).where(SessionEnd.until < _instant(now)))
    await tx.execute(delete(LogoutToken).where(LogoutToken.until < _instant(now)))


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
