"""Access log: who signed in, saw, printed, exported or operated what, and what was refused.

What a page shows follows from its route (access_recording.py); `note` records everything else. One
row per access is logged at once and added to the portal's database in the background, a few at a
time: a page never waits for it. While the database is away rows wait in memory; the log lines are
complete in any case. The schema, and what is recorded when: docs/security-log.md.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum

import structlog
from fastapi import Request
from prometheus_client import Counter, Gauge
from sqlalchemy.exc import SQLAlchemyError

from portal_service.actions.access_log import add_accesses
from shared.db import Database

log = structlog.get_logger()

WAITING = Gauge(
    "madoguchi_portal_access_log_waiting", "Rows of the access log that are not stored yet"
)
DROPPED = Counter(
    "madoguchi_portal_access_log_dropped", "Rows that had no room while the database was away"
)
BURSTS = Counter("madoguchi_portal_refusal_bursts", "Times that one person was refused very often")
LARGE_EXPORTS = Counter(
    "madoguchi_portal_large_exports", "Exports of more rows than PORTAL_LARGE_EXPORT"
)

ROOM = 20_000
AT_ONCE = 500
PAUSE_S = 0.1
LAST_STORE_S = 3.0
BURST = 30
BURST_WITHIN_S = 600.0
PEOPLE_WATCHED = 5_000


class Action(StrEnum):
    """What was done: `event.action` of the log."""

    SIGN_IN = "sign-in"
    SIGN_OUT = "sign-out"
    SESSIONS_ENDED = "sessions-ended"
    PROVIDER_SIGN_OUT = "provider-sign-out"
    SESSION_REFUSED = "session-refused"
    ACCESS_REFUSED = "access-refused"
    FORM_REFUSED = "form-refused"
    REFUSAL_BURST = "refusal-burst"
    CUSTOMER_VIEWED = "customer-viewed"
    CUSTOMERS_LISTED = "customers-listed"
    PRINTED = "printed"
    EXPORTED = "exported"
    OPERATOR_STEP = "operator-step"


@dataclass(frozen=True, slots=True)
class Note:
    """What a request did, before its outcome is known."""

    action: Action
    actor: str | None = None
    code: str | None = None
    object_kind: str | None = None
    object_id: str | None = None
    row_count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One row of the log. `at` is aware; everything that names somebody or something is an id."""

    at: datetime
    action: str
    outcome: str
    actor: str | None = None
    client: str | None = None
    session: str | None = None
    method: str
    route: str
    status: int | None = None
    code: str | None = None
    object_kind: str | None = None
    object_id: str | None = None
    row_count: int | None = None
    request_id: str | None = None

    @property
    def row(self) -> dict[str, object]:
        """The row as it is stored."""
        return asdict(self)


NAMES: Mapping[str, str] = {
    "action": "event.action",
    "outcome": "event.outcome",
    "code": "event.code",
    "actor": "user.id",
    "client": "client.address",
    "session": "session.id",
    "method": "http.request.method",
    "route": "http.route",
    "status": "http.response.status_code",
    "object_kind": "madoguchi.object.kind",
    "object_id": "madoguchi.object.id",
    "row_count": "madoguchi.rows",
}
"""The fields of a row, by their names in a log line."""


def note(request: Request, noted: Note) -> None:
    """Record this request in the access log, with the outcome that it will have."""
    notes: list[Note] = request.scope.setdefault("state", {}).setdefault("access_notes", [])
    notes.append(noted)


@dataclass
class AccessLogWriter:
    """Logs each access, counts what alerts look at, and stores rows in the background."""

    database: Database
    large_export: int
    _waiting: deque[Access] = field(default_factory=deque)
    _refused: OrderedDict[str, deque[float]] = field(default_factory=OrderedDict)
    _some: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, access: Access) -> None:
        """Record one access."""
        named = {NAMES[key]: value for key, value in access.row.items() if key in NAMES}
        log.info("access", **{key: value for key, value in named.items() if value is not None})
        if access.action == Action.EXPORTED and (access.row_count or 0) > self.large_export:
            LARGE_EXPORTS.inc()
        if len(self._waiting) >= ROOM:
            DROPPED.inc()
            return
        self._waiting.append(access)
        WAITING.set(len(self._waiting))
        self._some.set()

    def refused_often(self, actor: str, now: float) -> bool:
        """Count a refusal; true each time that it makes `BURST` of them within `BURST_WITHIN_S`."""
        times = self._refused.pop(actor, deque(maxlen=BURST))
        times.append(now)
        self._refused[actor] = times
        if len(self._refused) > PEOPLE_WATCHED:
            self._refused.popitem(last=False)
        if len(times) < BURST or times[0] < now - BURST_WITHIN_S:
            return False
        times.clear()
        BURSTS.inc()
        return True

    async def run(self) -> None:
        """Store rows until cancelled; then once more what still waits."""
        try:
            while True:
                await self._some.wait()
                self._some.clear()
                await asyncio.sleep(PAUSE_S)
                await self._store_waiting()
        finally:
            async with asyncio.timeout(LAST_STORE_S):
                while self._waiting and await self._store():
                    pass

    async def _store_waiting(self) -> None:
        while self._waiting:
            if not await self._store():
                await asyncio.sleep(1)

    async def _store(self) -> bool:
        """Store the oldest rows; whether that worked."""
        rows = [self._waiting[place].row for place in range(min(AT_ONCE, len(self._waiting)))]
        try:
            if rows:
                async with self.database.transaction() as tx:
                    await add_accesses(tx, rows)
        except (OSError, SQLAlchemyError) as cause:
            log.warning("access_log_not_stored", cause=type(cause).__name__, rows=len(rows))
            return False
        for _ in rows:
            self._waiting.popleft()
        WAITING.set(len(self._waiting))
        return True
