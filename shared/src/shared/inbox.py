"""Inbox: a received message is stored once, then acknowledged; it is processed later.

A duplicate of a stored event is dropped. Once an event is processed its row is deleted, and the
stream's `next_sequence` remembers it. A message that cannot be read as an event is kept complete in
`inbox_refused` for an operator and does not block the queue. Dead letters are rows too:
`dead_letters`, `replay` and `skip` are the operator's commands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.db import EVERY_DEALER, Database
from shared.envelope import Envelope
from shared.fault_injection import NO_FAULTS, FaultHooks
from shared.metrics import INBOX_REFUSED, INBOX_STORED
from shared.trace_context import new_id

STORE = text("""
    WITH arrived AS (
        SELECT * FROM unnest(
            CAST(:event_ids AS uuid[]), CAST(:streams AS text[]), CAST(:sequences AS bigint[]),
            CAST(:types AS text[]), CAST(:aggregate_types AS text[]),
            CAST(:aggregate_ids AS text[]), CAST(:dealer_ids AS text[]),
            CAST(:occurred AS timestamptz[]), CAST(:payloads AS json[]), CAST(:headers AS json[])
        ) AS a (event_id, stream, sequence, type, aggregate_type, aggregate_id, dealer_id,
                occurred_at, payload, headers)
    ), known AS (
        INSERT INTO inbox_stream (stream) SELECT DISTINCT stream FROM arrived ORDER BY stream
        ON CONFLICT DO NOTHING
    )
    INSERT INTO inbox (event_id, stream, sequence, type, aggregate_type, aggregate_id,
                       dealer_id, occurred_at, payload, headers)
    SELECT event_id, stream, sequence, type, aggregate_type, aggregate_id,
           dealer_id, occurred_at, payload, headers
    FROM arrived LEFT JOIN inbox_stream USING (stream)
    WHERE sequence >= coalesce(next_sequence, 1) OR NOT :dedupe
    ORDER BY stream, sequence
    ON CONFLICT DO NOTHING
    RETURNING 1
""")
REFUSE = text("""
    INSERT INTO inbox_refused (refused_id, reason, routing_key, headers, body)
    VALUES (:refused_id, :reason, :routing_key, CAST(:headers AS jsonb), :body)
""")
DEAD = text("""
    SELECT event_id, type, stream, sequence, dealer_id, attempts, cause, settled_at,
           payload::text AS payload
    FROM inbox WHERE state = 'dead' ORDER BY settled_at LIMIT :most
""")
REFUSED = text("""
    SELECT refused_id, received_at, reason, routing_key, length(body) AS size
    FROM inbox_refused WHERE settled_at IS NULL ORDER BY received_at LIMIT :most
""")
REPLAY = text("""
    UPDATE inbox SET state = 'waiting', attempts = 0, due_at = clock_timestamp(), settled_at = NULL
    WHERE state = 'dead' AND (event_id = :event_id OR cause LIKE :cause) RETURNING event_id
""")
LOCK_STREAM = text("""
    SELECT s.stream, s.next_sequence FROM inbox_stream s JOIN inbox i USING (stream)
    WHERE i.event_id = :event_id FOR UPDATE OF s
""")
SKIP = text("""
    UPDATE inbox SET state = 'skipped', cause = cause || E'\\nskipped: ' || :reason,
           settled_at = clock_timestamp()
    WHERE event_id = :event_id AND state = 'dead' RETURNING stream, sequence
""")
PASS = text("""
    UPDATE inbox_stream SET next_sequence = :sequence + 1
    WHERE stream = :stream AND next_sequence = :sequence
""")
UNPARK = text("""
    UPDATE inbox SET state = 'waiting' FROM inbox_stream s
    WHERE s.stream = ANY(:streams) AND inbox.stream = s.stream AND inbox.state = 'parked'
      AND inbox.sequence = s.next_sequence
""")


class NoSuchDeadLetter(LookupError):
    """No dead letter has this id; `events dead` lists them."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that could not be processed; it blocks only its own stream."""

    event_id: UUID
    type: str
    stream: str
    sequence: int
    dealer_id: str
    attempts: int
    cause: str
    settled_at: datetime
    payload: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that cannot be read as an event; `size` in bytes."""

    refused_id: UUID
    received_at: datetime
    reason: str
    routing_key: str
    size: int


@dataclass(frozen=True, slots=True)
class Inbox:
    """The inbox of one service."""

    database: Database
    service: str
    hooks: FaultHooks = NO_FAULTS

    async def store(self, batch: Sequence[Envelope]) -> int:
        """Store the new events of a batch in one commit; returns how many were new."""
        dedupe = self.hooks.is_enabled("dedupe")
        params = {
            "event_ids": [e.event_id if dedupe else new_id() for e in batch],
            "streams": [e.stream for e in batch],
            "sequences": [e.sequence for e in batch],
            "types": [e.type for e in batch],
            "aggregate_types": [e.aggregate_type for e in batch],
            "aggregate_ids": [e.aggregate_id for e in batch],
            "dealer_ids": [e.dealer_id for e in batch],
            "occurred": [e.occurred_at for e in batch],
            "payloads": [e.payload.decode() for e in batch],
            "headers": [orjson.dumps(dict(e.headers)).decode() for e in batch],
            "dedupe": dedupe,
        }
        async with self.database.transaction(EVERY_DEALER) as tx:
            stored = len((await tx.execute(STORE, params)).all())
        INBOX_STORED.labels(self.service).inc(stored)
        return stored

    async def store_or_refuse(self, batch: Sequence[Envelope]) -> None:
        """Store a batch; an event that the database cannot hold is refused, the others stored."""
        try:
            await self.store(batch)
        except DBAPIError as cause:
            if cause.connection_invalidated or not is_data_error(cause):
                raise
            for event in batch:
                try:
                    await self.store([event])
                except DBAPIError as own_cause:
                    if not is_data_error(own_cause):
                        raise
                    await self.refuse("it cannot be stored", event.type, {}, event.payload)

    async def refuse(
        self, reason: str, routing_key: str, headers: Mapping[str, object], body: bytes
    ) -> None:
        """Keep a message that cannot be read as an event, with the reason."""
        known = {key: str(value).replace("\0", "�") for key, value in headers.items()}
        async with self.database.transaction(EVERY_DEALER) as tx:
            await tx.execute(
                REFUSE,
                {
                    "refused_id": new_id(),
                    "reason": reason.replace("\0", "�"),
                    "routing_key": routing_key.replace("\0", "�"),
                    "headers": orjson.dumps(known).decode(),
                    "body": body,
                },
            )
        INBOX_REFUSED.labels(self.service).inc()

    async def dead_letters(self, most: int = 100) -> list[DeadLetter]:
        """Events whose processing failed for good, oldest first."""
        async with self.database.transaction(EVERY_DEALER) as tx:
            return [DeadLetter(*row) for row in await tx.execute(DEAD, {"most": most})]

    async def refused(self, most: int = 100) -> list[Refused]:
        """Messages that could not be read as events, oldest first."""
        async with self.database.transaction(EVERY_DEALER) as tx:
            return [Refused(*row) for row in await tx.execute(REFUSED, {"most": most})]

    async def replay(self, *, event_id: UUID | None = None, cause: str | None = None) -> int:
        """Retry dead events: one by its id, or all whose cause contains a text."""
        pattern = f"%{cause}%" if cause else None
        async with self.database.transaction(EVERY_DEALER) as tx:
            rows = await tx.execute(REPLAY, {"event_id": event_id, "cause": pattern})
            replayed = len(rows.all())
            await tx.execute(text("NOTIFY inbox"))
        if replayed == 0 and event_id is not None:
            raise NoSuchDeadLetter(f"{self.service} has no dead event {event_id}.")
        return replayed

    async def skip(self, event_id: UUID, *, reason: str, dry_run: bool = False) -> None:
        """Skip a dead event for good, so that its stream continues. Raises NoSuchDeadLetter."""
        async with self.database.transaction(EVERY_DEALER) as tx:
            await tx.execute(LOCK_STREAM, {"event_id": event_id})
            skipped = (await tx.execute(SKIP, {"event_id": event_id, "reason": reason})).first()
            if skipped is None:
                raise NoSuchDeadLetter(f"{self.service} has no dead event {event_id}.")
            await tx.execute(PASS, {"stream": skipped.stream, "sequence": skipped.sequence})
            await tx.execute(UNPARK, {"streams": [skipped.stream]})
            await tx.execute(text("NOTIFY inbox"))
            if dry_run:
                await tx.rollback()


def is_data_error(cause: DBAPIError) -> bool:
    """Whether the database rejected the values themselves (SQLSTATE class 22)."""
    return str(getattr(cause.orig, "sqlstate", "") or "").startswith("22")
