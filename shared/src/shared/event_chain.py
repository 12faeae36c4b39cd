"""Hash chain of a service's event log: an event that was altered, removed or slipped in is noticed.

Each event carries a link: the hash of the link before it, in its aggregate, and of its own digest.
The digest covers everything that is written with the event, the payload by a hash of its own that
is kept beside it. After a customer is erased that hash remains: an event whose payload is not what
was hashed must have nothing personal left, and is counted.

The chain begins with the first event after the migration that added it, and again with the first
event that is kept after old months were dropped.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import orjson

from event_contracts.registry import EVENTS, without_personal

ROWS = 2_000  # read at a time
LOG = """
    SELECT aggregate_type, aggregate_id, sequence, event_id, type, dealer_id, occurred_at,
           payload::text AS payload, headers::text AS headers, payload_hash, link,
           created_at > first_link AS after_start
    FROM outbox, (SELECT min(created_at) AS first_link FROM outbox WHERE link IS NOT NULL) f
    ORDER BY aggregate_type, aggregate_id, sequence, position
"""
ENDS = """
    SELECT aggregate_type || '/' || aggregate_id AS stream, last_sequence AS sequence
    FROM outbox_stream s
    WHERE link IS NOT NULL
      AND to_regclass('outbox_p' || to_char(linked_at AT TIME ZONE 'UTC', 'YYYYMM')) IS NOT NULL
      AND NOT EXISTS (
        SELECT FROM outbox o WHERE o.aggregate_type = s.aggregate_type
            AND o.aggregate_id = s.aggregate_id AND o.sequence = s.last_sequence
            AND o.link = s.link)
    ORDER BY 1
"""


HEADS = (
    "SELECT link FROM outbox_stream WHERE link IS NOT NULL ORDER BY aggregate_type, aggregate_id"
)


@dataclass(frozen=True, slots=True)
class Logged:
    """An event as it is written to the log; `payload` and `headers` are its JSON texts."""

    event_id: UUID
    type: str
    aggregate_type: str
    aggregate_id: str
    dealer_id: str
    occurred_at: datetime
    payload: bytes
    headers: bytes


@dataclass(frozen=True, slots=True)
class ChainBreak:
    """Where the log of an aggregate is not what was written.

    `kind`: an event is `altered`, `missing` before this number, `unlinked` among linked ones, or
    the `end` of the aggregate is not its newest event.
    """

    kind: str
    stream: str
    sequence: int

    def __str__(self) -> str:
        """The finding as a sentence for an operator."""
        texts = {
            "altered": "event {} is not what was written",
            "missing": "an event before {} is missing",
            "unlinked": "event {} was written without a link",
            "end": "event {} was the newest and is missing or not what was written",
        }
        return f"{self.stream}: " + texts[self.kind].format(self.sequence)


def payload_hash(payload: bytes) -> bytes:
    """The hash of a payload's JSON text."""
    return hashlib.sha256(payload).digest()


def digest(event: Logged, payload_sha256: bytes) -> bytes:
    """The hash of an event with that of its payload as it was written."""
    fields = [
        str(event.event_id),
        event.type,
        event.aggregate_type,
        event.aggregate_id,
        event.dealer_id,
        event.occurred_at.astimezone(UTC).isoformat(),
        event.headers.decode(),
        payload_sha256.hex(),
    ]
    return hashlib.sha256(orjson.dumps(fields)).digest()


def link(before: bytes | None, own: bytes) -> bytes:
    """The link of an event with the digest `own`, as SQL makes it in `shared.outbox`."""
    return own if before is None else hashlib.sha256(before + own).digest()


@dataclass(slots=True)
class ChainCheck:
    """What a check of a log found; `head` vouches for the log as a whole, to be kept elsewhere."""

    events: int = 0
    linked: int = 0
    erased: int = 0
    breaks: list[ChainBreak] = field(default_factory=list)
    head: str = ""


async def verify(connection: asyncpg.Connection) -> ChainCheck:
    """Check the log of a service in one consistent read; the role must see all dealers."""
    check, newest = ChainCheck(), hashlib.sha256()
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute("SELECT set_config('app.dealer', '*', true)")
        before: asyncpg.Record | None = None
        async for row in connection.cursor(LOG, prefetch=ROWS):
            same = before is not None and _stream(before) == _stream(row)
            _judge(check, before if same else None, row)
            before = row
        for row in await connection.fetch(ENDS):
            check.breaks.append(ChainBreak("end", row["stream"], row["sequence"]))
        async for row in connection.cursor(HEADS, prefetch=ROWS):
            newest.update(row["link"])
    check.head = newest.hexdigest()
    return check


def _judge(check: ChainCheck, before: asyncpg.Record | None, row: asyncpg.Record) -> None:
    """Count one event of the log, behind the one before it in its aggregate."""
    stream, sequence = _stream(row), row["sequence"]
    check.events += 1
    if row["link"] is None:
        if row["after_start"] or (before is not None and before["link"] is not None):
            check.breaks.append(ChainBreak("unlinked", stream, sequence))
        return
    check.linked += 1
    event = _logged(row)
    erased = payload_hash(event.payload) != row["payload_hash"]
    check.erased += erased
    if before is not None and sequence != before["sequence"] + 1:
        check.breaks.append(ChainBreak("missing", stream, sequence))
    elif (erased and not _is_erased(event)) or not _continues(before, row, event):
        check.breaks.append(ChainBreak("altered", stream, sequence))


def _continues(before: asyncpg.Record | None, row: asyncpg.Record, event: Logged) -> bool:
    if before is None and row["sequence"] > 1:
        return True  # the event before it was dropped with its month
    known = before["link"] if before is not None else None
    return bool(link(known, digest(event, row["payload_hash"])) == row["link"])


def _logged(row: asyncpg.Record) -> Logged:
    return Logged(
        row["event_id"],
        row["type"],
        row["aggregate_type"],
        row["aggregate_id"],
        row["dealer_id"],
        row["occurred_at"],
        row["payload"].encode(),
        row["headers"].encode(),
    )


def _is_erased(event: Logged) -> bool:
    """Whether an event holds personal data by its type, and here none."""
    model = EVENTS.get(event.type)
    payload = orjson.loads(event.payload)
    personal = model is not None and any(payload.get(name) for name in model.personal)
    return personal and bool(payload == without_personal(event.type, payload))


def _stream(row: asyncpg.Record) -> str:
    return f"{row['aggregate_type']}/{row['aggregate_id']}"
