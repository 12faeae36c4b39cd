"""Outbox: an event is written in the same transaction that made it true.

`add` gives each event the next number of its aggregate. The row of the aggregate's counter is
locked until the commit, so that numbers have no gaps and appear in commit order. Each event is
linked to the one before it (`shared.event_chain`).
"""

import zlib
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts import Event
from shared import event_chain, tracing
from shared.event_chain import Logged
from shared.event_tables import LANES
from shared.trace_context import current_context, new_id

ADD = text("""
    WITH numbered AS (
        INSERT INTO outbox_stream (aggregate_type, aggregate_id, last_sequence, link, linked_at)
        VALUES (:aggregate_type, :aggregate_id, 1, :digest, now())
        ON CONFLICT (aggregate_type, aggregate_id) DO UPDATE SET
            last_sequence = outbox_stream.last_sequence + 1, linked_at = now(),
            link = coalesce(sha256(outbox_stream.link || excluded.link), excluded.link)
        RETURNING last_sequence, link
    ), logged AS (
        INSERT INTO outbox (event_id, lane, type, aggregate_type, aggregate_id, sequence,
                            dealer_id, occurred_at, payload, headers, payload_hash, link)
        SELECT :event_id, :lane, :type, :aggregate_type, :aggregate_id, last_sequence,
               :dealer_id, :occurred_at, CAST(:payload AS json), CAST(:headers AS json),
               :payload_hash, link
        FROM numbered
        RETURNING position, created_at, lane
    ), pending AS (
        INSERT INTO outbox_queue SELECT * FROM logged
    )
    SELECT last_sequence FROM numbered
""")

# Each aggregate once.
ADD_MANY = text("""
    WITH given AS (
        SELECT * FROM unnest(CAST(:event_ids AS uuid[]), CAST(:lanes AS smallint[]),
            CAST(:types AS text[]), CAST(:aggregate_types AS text[]),
            CAST(:aggregate_ids AS text[]), CAST(:dealer_ids AS text[]),
            CAST(:payloads AS text[]), CAST(:payload_hashes AS bytea[]),
            CAST(:digests AS bytea[])) WITH ORDINALITY
            AS e (event_id, lane, type, aggregate_type, aggregate_id, dealer_id, payload,
                  payload_hash, digest, ordinal)
    ), numbered AS (
        INSERT INTO outbox_stream (aggregate_type, aggregate_id, last_sequence, link, linked_at)
        SELECT aggregate_type, aggregate_id, 1, digest, now() FROM given
        ORDER BY aggregate_type, aggregate_id
        ON CONFLICT (aggregate_type, aggregate_id) DO UPDATE SET
            last_sequence = outbox_stream.last_sequence + 1, linked_at = now(),
            link = coalesce(sha256(outbox_stream.link || excluded.link), excluded.link)
        RETURNING aggregate_type, aggregate_id, last_sequence, link
    ), logged AS (
        INSERT INTO outbox (event_id, lane, type, aggregate_type, aggregate_id, sequence,
                            dealer_id, occurred_at, payload, headers, payload_hash, link)
        SELECT event_id, lane, type, aggregate_type, aggregate_id, last_sequence, dealer_id,
               :occurred_at, CAST(payload AS json), CAST(:headers AS json), payload_hash, link
        FROM given JOIN numbered USING (aggregate_type, aggregate_id)
        ORDER BY ordinal
        RETURNING position, created_at, lane
    )
    INSERT INTO outbox_queue SELECT * FROM logged
""")

REPLAY = text("""
    INSERT INTO outbox_queue SELECT position, created_at, lane FROM outbox
    WHERE created_at >= :first AND created_at < :last
    ON CONFLICT DO NOTHING
""")

MONTHS = text("""
    SELECT c.relname AS name, to_date(right(c.relname, 6), 'YYYYMM') AS month,
           EXISTS (SELECT FROM outbox_queue q WHERE
               to_char(q.created_at AT TIME ZONE 'UTC', 'YYYYMM') = right(c.relname, 6)) AS pending
    FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
    WHERE inhparent = 'outbox'::regclass AND c.relname ~ '^outbox_p[0-9]{6}$'
      AND to_date(right(c.relname, 6), 'YYYYMM') + interval '1 month' <= :before
    ORDER BY month
""")


class StillPending(RuntimeError):
    """A month of the log has an event that the broker has not confirmed; nothing was dropped."""


async def add(tx: AsyncSession, event: Event, *, now: datetime) -> int:
    """Emit `event` within the transaction `tx`; returns its sequence number in its aggregate."""
    written = _logged(event, orjson.dumps(_headers()), now)
    result = await tx.execute(
        ADD,
        {
            "event_id": written.event_id,
            "lane": lane_of(written.aggregate_type, written.aggregate_id),
            "type": written.type,
            "aggregate_type": written.aggregate_type,
            "aggregate_id": written.aggregate_id,
            "dealer_id": written.dealer_id,
            "occurred_at": now,
            "payload": written.payload.decode(),
            "headers": written.headers.decode(),
            **_hashes(written),
        },
    )
    names = {"messaging.message.id": str(written.event_id), "type": event.wire_type}
    tracing.note("event added", names)
    return int(result.scalar_one())


async def add_many(tx: AsyncSession, events: Sequence[Event], *, now: datetime) -> None:
    """Emit `events`, numbered as `add` would in the given order, with few statements.

    One for the first event of each aggregate, one for the second of each ... For thousands of
    events: pass them in chunks, to bound the size of the statement.
    """
    headers = orjson.dumps(_headers())
    rounds: list[list[Logged]] = []
    earlier: Counter[tuple[str, str]] = Counter()
    for event in events:
        written = _logged(event, headers, now)
        place = earlier[written.aggregate_type, written.aggregate_id]
        earlier[written.aggregate_type, written.aggregate_id] += 1
        if place == len(rounds):
            rounds.append([])
        rounds[place].append(written)
    for chunk in rounds:
        await _add_each_once(tx, chunk, headers, now)
    if events:
        tracing.note("events added", {"messaging.batch.message_count": len(events)})


async def _add_each_once(
    tx: AsyncSession, events: Sequence[Logged], headers: bytes, now: datetime
) -> None:
    hashes = [_hashes(e) for e in events]
    await tx.execute(
        ADD_MANY,
        {
            "event_ids": [e.event_id for e in events],
            "lanes": [lane_of(e.aggregate_type, e.aggregate_id) for e in events],
            "types": [e.type for e in events],
            "aggregate_types": [e.aggregate_type for e in events],
            "aggregate_ids": [e.aggregate_id for e in events],
            "dealer_ids": [e.dealer_id for e in events],
            "payloads": [e.payload.decode() for e in events],
            "payload_hashes": [one["payload_hash"] for one in hashes],
            "digests": [one["digest"] for one in hashes],
            "occurred_at": now,
            "headers": headers.decode(),
        },
    )


def _logged(event: Event, headers: bytes, now: datetime) -> Logged:
    return Logged(
        new_id(),
        event.wire_type,
        event.aggregate_type,
        event.aggregate_id,
        event.dealer_id,
        now,
        event.model_dump_json().encode(),
        headers,
    )


def _hashes(event: Logged) -> dict[str, bytes]:
    own = event_chain.payload_hash(event.payload)
    return {"payload_hash": own, "digest": event_chain.digest(event, own)}


async def replay_log(tx: AsyncSession, *, first: datetime, last: datetime) -> int:
    """Let the relay publish again the events emitted from `first` until before `last`.

    A service that has processed an event ignores it; one that lost it, or subscribes later,
    receives it. Returns how many events are published again.
    """
    replayed = await tx.execute(REPLAY, {"first": first, "last": last})
    await tx.execute(text("NOTIFY outbox"))
    return int(replayed.rowcount)  # type: ignore[attr-defined]


async def delete_old_log(tx: AsyncSession, *, before: date) -> list[date]:
    """Drop whole months of the log that ended by `before`; returns their first days.

    Dropped months can no longer be replayed or audited. Raises StillPending.
    """
    months = (await tx.execute(MONTHS, {"before": before})).all()
    if pending := [f"{row.month:%Y-%m}" for row in months if row.pending]:
        raise StillPending(f"Not yet published: events of {', '.join(pending)}.")
    for row in months:
        await tx.execute(text(f"DROP TABLE {row.name}"))  # it matches the pattern above
    return [row.month for row in months]


def lane_of(aggregate_type: str, aggregate_id: str) -> int:
    """The lane of the outbox that carries an aggregate: always the same one, 0 to LANES - 1."""
    return zlib.crc32(f"{aggregate_type}/{aggregate_id}".encode()) % LANES


def _headers() -> dict[str, str]:
    work = current_context()
    known = {
        "traceparent": tracing.onward(),
        "correlationid": work.correlation_id,
        "causationid": work.causation_id,
        "actor": work.actor,
    }
    return {name: value for name, value in known.items() if value}
