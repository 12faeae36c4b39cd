"""Ended sessions, known to every portal process within a second (ADR 25).

Each process holds the ends of the last day in memory, so that a request costs no query. An end is
known here at once and written to the portal's database, whose NOTIFY makes the other processes read
it. While that database is away, sessions go on by their cookies: pages open, ends that are known
count, and ends that happen meanwhile are written when it is back.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog
from sqlalchemy.exc import SQLAlchemyError

from portal_service.actions.session_ends import end_sessions
from portal_service.queries import SessionEndRow, ends_recorded_since
from portal_service.rules.session_end import EndOf, Ends
from shared.db import Database
from shared.notifications import WorkSignal

log = structlog.get_logger()

AWAY = (OSError, SQLAlchemyError)
"""How a database that is away shows."""
WRITE_WITHIN_S = 1.0
"""How long the request that ends a session waits until all processes know."""
OVERLAP_S = 60.0
"""Rows are read again for this long: a transaction may commit later than it recorded."""


@dataclass(frozen=True, slots=True)
class SessionsEnded:
    """One end: the sessions that it names and that began by `ended_at`; `until` none is left."""

    ends: tuple[EndOf, ...]
    ended_at: float
    until: float


@dataclass
class EndedSessions:
    """The ends that this process knows, and those it could not write yet."""

    database: Database
    signal: WorkSignal
    known: dict[EndOf, float] = field(default_factory=dict)
    _until: dict[EndOf, float] = field(default_factory=dict)
    _unwritten: list[SessionsEnded] = field(default_factory=list)
    _read_to: float = float("-inf")

    @property
    def ends(self) -> Ends:
        """Until which begin sessions have ended, by what the end names."""
        return self.known

    async def end(self, ended: SessionsEnded) -> bool:
        """End sessions: here at once, elsewhere when written; whether it could be written now."""
        self.learn(ended)
        try:
            async with asyncio.timeout(WRITE_WITHIN_S):
                await self._write(ended)
        except (*AWAY, TimeoutError) as cause:
            log.warning("session_end_not_written", cause=type(cause).__name__)
            self._unwritten.append(ended)
            return False
        return True

    async def follow(self) -> None:
        """Read what other processes ended, and write what waits, until cancelled."""
        while True:
            seen = self.signal.count
            try:
                await self._catch_up()
            except AWAY as cause:
                log.warning("session_ends_not_read", cause=type(cause).__name__)
            await self.signal.wait(seen)

    async def _catch_up(self) -> None:
        while self._unwritten:
            await self._write(self._unwritten[0])
            del self._unwritten[0]
        async with self.database.transaction() as tx:
            rows = await ends_recorded_since(tx, self._read_to - OVERLAP_S)
        self._take_in(rows)
        now = time.time()
        for name in [name for name, until in self._until.items() if until < now]:
            del self.known[name], self._until[name]

    async def _write(self, ended: SessionsEnded) -> None:
        async with self.database.transaction() as tx:
            await end_sessions(tx, ended.ends, ended_at=ended.ended_at, until=ended.until)

    def _take_in(self, rows: Sequence[SessionEndRow]) -> None:
        for row in rows:
            self.learn(SessionsEnded((row.name,), row.ended_at, row.until))
            self._read_to = max(self._read_to, row.recorded_at)

    def learn(self, ended: SessionsEnded) -> None:
        """Let it count in this process, from now on."""
        for name in ended.ends:
            self.known[name] = max(self.known.get(name, ended.ended_at), ended.ended_at)
            self._until[name] = max(self._until.get(name, ended.until), ended.until)
