"""Questions of the portal to its own database: ends of sessions, and the access log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from portal_service.models import AccessLog, SessionEnd
from portal_service.rules.session_end import EndKind, EndOf

FIRST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SessionEndRow:
    """An end as it is stored; times are seconds since 1970."""

    name: EndOf
    ended_at: float
    until: float
    recorded_at: float


@dataclass(frozen=True, slots=True)
class AccessSearch:
    """What to find in the access log; empty fields find everything. `to` is not included."""

    actor: str = ""
    action: str = ""
    object_id: str = ""
    since: datetime | None = None
    to: datetime | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True)
class RecentSignIns:
    """A person with sign-ins that may still be in use."""

    actor: str
    last_at: datetime
    times: int


async def ends_recorded_since(tx: AsyncSession, since: float) -> Sequence[SessionEndRow]:
    """The ends that still matter and were recorded at or after `since`."""
    from_when = FIRST if since <= 0 else datetime.fromtimestamp(since, UTC)
    rows = await tx.execute(
        select(SessionEnd).where(
            SessionEnd.recorded_at >= from_when, SessionEnd.until > func.clock_timestamp()
        )
    )
    return [
        SessionEndRow(
            (EndKind(end.kind), end.key),
            end.ended_at.timestamp(),
            end.until.timestamp(),
            end.recorded_at.timestamp(),
        )
        for end in rows.scalars()
    ]


async def accesses(tx: AsyncSession, search: AccessSearch, *, most: int) -> Sequence[AccessLog]:
    """The newest accesses that the search finds."""
    found = select(AccessLog).where(*_conditions(search))
    return (await tx.scalars(found.order_by(AccessLog.position.desc()).limit(most))).all()


async def recent_sign_ins(
    tx: AsyncSession, since: datetime, *, most: int
) -> Sequence[RecentSignIns]:
    """Who signed in since then, the latest first."""
    last_at = func.max(AccessLog.at)
    rows = await tx.execute(
        select(AccessLog.actor, last_at, func.count())
        .where(AccessLog.action == "sign-in", AccessLog.outcome == "success", AccessLog.at >= since)
        .where(AccessLog.actor.is_not(None))
        .group_by(AccessLog.actor)
        .order_by(last_at.desc())
        .limit(most)
    )
    return [RecentSignIns(actor or "", at, times) for actor, at, times in rows]


def _conditions(search: AccessSearch) -> list[ColumnElement[bool]]:
    conditions = []
    if search.actor:
        conditions.append(AccessLog.actor == search.actor)
    if search.action:
        conditions.append(AccessLog.action == search.action)
    if search.object_id:
        conditions.append(AccessLog.object_id == search.object_id)
    if search.since:
        conditions.append(AccessLog.at >= search.since)
    if search.to:
        conditions.append(AccessLog.at < search.to)
    if search.before:
        conditions.append(AccessLog.position < search.before)
    return conditions
