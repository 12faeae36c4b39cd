"""Reconciliation of the services: compares each subscriber's sequence numbers to its publisher's.

After databases were restored to different times, a subscriber may have received numbers that its
publisher does not know: it would ignore the publisher's next events as duplicates. And it may lack
events that the publisher's log still has: those can be sent again. The log of each service is
checked by its hash chain, too.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

import asyncpg

from event_contracts import SUBSCRIPTIONS
from shared.event_chain import ChainCheck, verify
from shared.postgres_connection import connect

TAKEN_IN = """
    SELECT stream, next_sequence,
           greatest(next_sequence - 1, (SELECT max(sequence) FROM inbox i
                                        WHERE i.stream = s.stream)) AS newest,
           EXISTS (SELECT FROM inbox i WHERE i.stream = s.stream
                   AND i.sequence = s.next_sequence) AS has_next
    FROM inbox_stream s WHERE stream LIKE $1 || '%'
"""
ROOM = """
    CREATE TEMPORARY TABLE taken_in (
        stream text PRIMARY KEY, next_sequence bigint, newest bigint, has_next boolean
    ) ON COMMIT DROP
"""
AHEAD = """
    SELECT stream, newest, coalesce(last_sequence, 0) AS last_sequence
    FROM taken_in LEFT JOIN outbox_stream
        ON stream = $1 || aggregate_type || '/' || aggregate_id
    WHERE newest > coalesce(last_sequence, 0) ORDER BY stream
"""
BEHIND = """
    SELECT $1 || aggregate_type || '/' || aggregate_id AS stream, aggregate_type, aggregate_id,
           coalesce(next_sequence, 1) AS next_sequence, last_sequence,
           coalesce(has_next, false) AS has_next
    FROM outbox_stream
    LEFT JOIN taken_in ON stream = $1 || aggregate_type || '/' || aggregate_id
    WHERE aggregate_type = ANY($2) AND coalesce(next_sequence, 1) <= last_sequence
"""
FORGOTTEN = f"""
    SELECT b.stream, b.next_sequence, b.last_sequence FROM ({BEHIND}) b
    WHERE NOT has_next AND NOT EXISTS (
        SELECT FROM outbox o WHERE o.aggregate_type = b.aggregate_type
            AND o.aggregate_id = b.aggregate_id AND o.sequence = b.next_sequence)
    ORDER BY b.stream
"""  # noqa: S608 - from this file only
SEND = f"""
    INSERT INTO outbox_queue
    SELECT o.position, o.created_at, o.lane FROM ({BEHIND}) b
    JOIN outbox o USING (aggregate_type, aggregate_id) WHERE o.sequence >= b.next_sequence
    ON CONFLICT DO NOTHING
"""  # noqa: S608 - from this file only


@dataclass(frozen=True, slots=True)
class Finding:
    """An inconsistent stream at one subscriber, with sequence numbers.

    `ahead`: the subscriber received up to `subscriber`, the publisher only knows `publisher`.
    `forgotten`: the subscriber needs `subscriber`, which is no longer in the publisher's log.
    """

    kind: Literal["ahead", "forgotten"]
    service: str
    stream: str
    subscriber: int
    publisher: int

    def __str__(self) -> str:
        """The finding as a sentence for an operator."""
        texts = {
            "ahead": "{0} received up to {1}, its publisher knows {2}: {0} is newer",
            "forgotten": "{0} needs {1} (of {2}), which its publisher's log no longer has",
        }
        return f"{self.stream}: " + texts[self.kind].format(
            self.service, self.subscriber, self.publisher
        )


async def reconcile(databases: Mapping[str, str]) -> list[Finding]:
    """Find inconsistencies between the services' databases, by URL. Changes nothing."""
    found = []
    for publisher, subscriber in _pairs(databases):
        async with _compared(databases, publisher, subscriber) as at:
            source, streams = _source(publisher), SUBSCRIPTIONS[subscriber]
            ahead = await at.fetch(AHEAD, source)
            forgotten = await at.fetch(FORGOTTEN, source, streams)
        found += [Finding("ahead", subscriber, *row) for row in ahead]
        found += [Finding("forgotten", subscriber, *row) for row in forgotten]
    return found


async def verify_logs(databases: Mapping[str, str]) -> dict[str, ChainCheck]:
    """Check the hash chain of each service's event log, by its name. Changes nothing."""
    found = {}
    for service, url in databases.items():
        connection = await connect(url)
        try:
            found[service] = await verify(connection)
        finally:
            await connection.close()
    return found


async def send_again(databases: Mapping[str, str]) -> int:
    """Queue events again that a subscriber has not processed; returns their number.

    Subscribers that have an event already ignore it.
    """
    sent = 0
    for publisher, subscriber in _pairs(databases):
        async with _compared(databases, publisher, subscriber) as at:
            streams = SUBSCRIPTIONS[subscriber]
            done = await at.execute(SEND, _source(publisher), streams)
            await at.execute("NOTIFY outbox")
        sent += int(done.rpartition(" ")[2])
    return sent


def _source(publisher: str) -> str:
    return f"/{publisher}/"


def _pairs(databases: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return ((p, s) for p in databases for s in databases if p != s and s in SUBSCRIPTIONS)


@asynccontextmanager
async def _compared(
    databases: Mapping[str, str], publisher: str, subscriber: str
) -> AsyncIterator[asyncpg.Connection]:
    """A transaction at the publisher with a copy of the subscriber's earlier stream positions."""
    at_subscriber = await connect(databases[subscriber])
    try:
        taken_in = await at_subscriber.fetch(TAKEN_IN, _source(publisher))
    finally:
        await at_subscriber.close()
    at_publisher = await connect(databases[publisher])
    try:
        async with at_publisher.transaction():
            await at_publisher.execute(ROOM)
            await at_publisher.copy_records_to_table(
                "taken_in", records=[tuple(row) for row in taken_in]
            )
            await at_publisher.execute("ANALYZE taken_in")
            yield at_publisher
    finally:
        await at_publisher.close()
