"""Fake event tables: the event core's SQL statements in memory, a few lines each.

Row locks on streams and transactions are modelled; everything else of a database is omitted. A
statement that is not in MEANINGS fails, so that a new one cannot go unnoticed.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from shared import inbox as inbox_sql
from shared import outbox
from shared import relay as relay_sql
from shared import worker as worker_sql
from shared.event_tables import LANES

NOW = datetime(2025, 7, 15, 1, 0, tzinfo=UTC)
EFFECT = "INSERT INTO effect"
Params = dict[str, Any]


class Rows(list[Any]):
    """The result of a statement."""

    def all(self) -> list[Any]:
        """As SQLAlchemy."""
        return self

    def scalar_one(self) -> Any:
        """As SQLAlchemy."""
        return self[0]


class FakeEventTables:
    """Source and target in one: tables as lists, row locks on streams, committed state only."""

    def __init__(self) -> None:
        self.outbox: list[SimpleNamespace] = []
        self.inbox: dict[UUID, SimpleNamespace] = {}
        self.streams: dict[str, int] = {}
        self.leases = [SimpleNamespace(lane=n, owner="", token=0, live=False) for n in range(LANES)]
        self.relays: set[str] = set()
        self.effects: list[tuple[str, int]] = []
        self.locks: dict[str, Transaction] = {}
        self.open: set[Transaction] = set()

    @asynccontextmanager
    async def transaction(self, _dealer: str | None = None) -> AsyncIterator["Transaction"]:
        tx = Transaction(self)
        self.open.add(tx)
        try:
            yield tx
            tx.commit()
        finally:
            tx.unlock()
            self.open.discard(tx)

    def end_sessions(self) -> None:
        """End idle transactions, as PostgreSQL does after its timeout."""
        for tx in self.open:
            tx.ended = True
            tx.unlock()

    def expire(self, owner: str) -> None:
        """Expire the leases of a relay: its lanes become free, and it counts as gone."""
        self.relays.discard(owner)
        for lease in self.leases:
            lease.live = lease.live and lease.owner != owner

    def time_passes(self) -> None:
        """End every retry delay, and replay dead events as an operator would."""
        for row in self.inbox.values():
            row.due = True
            if row.state == "dead":
                row.state, row.attempts = "waiting", 0

    def waits(self, stream: str) -> list[SimpleNamespace]:
        rows = [r for r in self.inbox.values() if r.stream == stream and r.state != "done"]
        return sorted(rows, key=lambda r: (r.sequence, r.event_id))


class Transaction:
    """Reads see committed state; writes wait for the commit. `ended` by the server: no commit."""

    def __init__(self, memory: FakeEventTables) -> None:
        self.memory = memory
        self.writes: list[Callable[[], object]] = []
        self.ended = False

    async def execute(self, statement: object, params: Params | None = None) -> Rows:
        if self.ended:
            raise ConnectionError("the server ended the session")
        words = str(statement)
        meaning = next(m for start, m in MEANINGS.items() if words.startswith(start))
        return Rows(meaning(self, {**(params or {}), "words": words}) or ())

    async def flush(self) -> None:
        """Do nothing: no writes are buffered here."""

    @asynccontextmanager
    async def begin_nested(self) -> AsyncIterator[None]:
        before = len(self.writes)
        try:
            yield
        except BaseException:
            del self.writes[before:]
            raise

    def commit(self) -> None:
        if self.ended:
            raise ConnectionError("the server ended the session")
        for write in self.writes:
            write()

    def unlock(self) -> None:
        locks = self.memory.locks
        for stream in [s for s, holder in locks.items() if holder is self]:
            del locks[stream]


def add(tx: Transaction, p: Params) -> list[int]:
    rows = tx.memory.outbox
    before = [r for r in rows if r.aggregate_id == p["aggregate_id"]]
    row = SimpleNamespace(**p, sequence=len(before) + 1, position=len(rows), published=False)
    row.created_at = NOW
    tx.writes.append(lambda: rows.append(row))
    return [row.sequence]


def heartbeat(tx: Transaction, p: Params) -> None:
    tx.memory.relays.add(p["me"])


def living(tx: Transaction, _: Params) -> list[int]:
    return [len(tx.memory.relays)]


def pending(tx: Transaction, _: Params) -> list[bool]:
    return [any(not row.published for row in tx.memory.outbox)]


def renew(tx: Transaction, p: Params) -> list[SimpleNamespace]:
    return [le for le in tx.memory.leases if le.owner == p["me"] and le.live]


def release(tx: Transaction, p: Params) -> None:
    for lease in tx.memory.leases:
        lease.live = lease.live and not (lease.owner == p["me"] and lease.lane in p["lanes"])


def take(tx: Transaction, p: Params) -> list[SimpleNamespace]:
    taken = [lease for lease in tx.memory.leases if not lease.live][: p["wanted"]]
    for lease in taken:
        lease.owner, lease.token, lease.live = p["me"], lease.token + 1, True
    return taken


def fetch(tx: Transaction, p: Params) -> list[SimpleNamespace]:
    rows = [r for r in tx.memory.outbox if not r.published and r.lane in p["lanes"]]
    return rows[: p["batch"]]


def mark(tx: Transaction, p: Params) -> None:
    for position, lane, token in zip(p["positions"], p["lanes"], p["tokens"], strict=True):
        if tx.memory.leases[lane].token == token or not p["fenced"]:
            tx.memory.outbox[position].published = True


def store(tx: Transaction, p: Params) -> list[int]:
    memory, stored = tx.memory, []
    names = ("event_ids", "streams", "sequences", "types", "payloads", "headers")
    for values in zip(*(p[name] for name in names), strict=True):
        row = SimpleNamespace(
            **dict(zip([name[:-1] for name in names[:-1]], values, strict=False)),
            headers=values[-1],
            state="waiting",
            due=True,
            attempts=0,
            dealer_id="D01",
            occurred_at=NOW,
        )
        known = row.event_id in memory.inbox or row.sequence < memory.streams.get(row.stream, 1)
        memory.streams.setdefault(row.stream, 1)
        if not (known and p["dedupe"]):
            memory.inbox[row.event_id] = row
            stored.append(1)
    return stored


def claim(tx: Transaction, p: Params) -> list[SimpleNamespace]:
    memory, locks = tx.memory, tx.memory.locks
    waiting = [r.stream for r in memory.inbox.values() if r.state == "waiting" and r.due]
    streams = [s for s in dict.fromkeys(waiting) if s not in locks]
    if "SKIP LOCKED" in p["words"]:
        locks.update(dict.fromkeys(streams, tx))
    return [SimpleNamespace(stream=s, next_sequence=memory.streams[s]) for s in streams]


def events_of(tx: Transaction, p: Params) -> list[SimpleNamespace]:
    rows = [r for s in sorted(p["streams"]) for r in tx.memory.waits(s)[: p["per_stream"]]]
    return [SimpleNamespace(**vars(row)) for row in rows]


def done(tx: Transaction, p: Params) -> None:
    rows = [tx.memory.inbox[event_id] for event_id in p["event_ids"]]
    tx.writes += [partial(setattr, row, "state", "done") for row in rows]


def park(tx: Transaction, p: Params) -> list[int]:
    parked = [
        row
        for stream, next_sequence in zip(p["streams"], p["next"], strict=True)
        for row in tx.memory.waits(stream)
        if row.sequence > next_sequence and row.state == "waiting"
    ]
    tx.writes += [partial(setattr, row, "state", "parked") for row in parked]
    return [1 for _ in parked]


def failed(tx: Transaction, p: Params) -> None:
    row = tx.memory.inbox[p["event_id"]]
    changed = {"attempts": row.attempts + 1, "state": p["state"], "due": False}
    tx.writes.append(lambda: vars(row).update(changed))


def advance(tx: Transaction, p: Params) -> list[int]:
    moved = []
    for stream, was, now in zip(p["streams"], p["before"], p["after"], strict=True):
        if tx.memory.streams[stream] == was or not p["fenced"]:
            moved.append(1)
            tx.writes.append(lambda s=stream, n=now: tx.memory.streams.update({s: n}))  # type: ignore[misc]
    return moved


def unpark(tx: Transaction, p: Params) -> None:
    def change() -> None:
        for row in (r for s in p["streams"] for r in tx.memory.waits(s)):
            if row.state == "parked" and row.sequence == tx.memory.streams[row.stream]:
                row.state = "waiting"

    tx.writes.append(change)


def effect(tx: Transaction, p: Params) -> None:
    tx.writes.append(lambda: tx.memory.effects.append((p["aggregate"], p["n"])))


MEANINGS: dict[str, Callable[[Transaction, Params], Iterable[Any] | None]] = {
    str(outbox.ADD): add,
    str(relay_sql.HEARTBEAT): heartbeat,
    str(relay_sql.DELETE_DEAD_RELAYS): lambda _tx, _p: None,
    str(relay_sql.LIVING): living,
    str(relay_sql.PENDING): pending,
    str(relay_sql.RENEW): renew,
    str(relay_sql.RELEASE): release,
    str(relay_sql.TAKE): take,
    str(relay_sql.FETCH): fetch,
    str(relay_sql.MARK): mark,
    str(inbox_sql.STORE): store,
    str(inbox_sql.UNPARK): unpark,
    worker_sql.CLAIM: claim,
    str(worker_sql.EVENTS_OF): events_of,
    str(worker_sql.DONE): done,
    str(worker_sql.PARK): park,
    str(worker_sql.FAILED): failed,
    str(worker_sql.ADVANCE): advance,
    EFFECT: effect,
}
