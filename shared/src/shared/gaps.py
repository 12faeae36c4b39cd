"""Gaps: events that a service waits for and that have not come.

Events of an aggregate are processed in the order of their numbers, so one that never comes blocks
its stream for good. An operator who knows that it will not come passes the gap, with a reason; the
row that says so stays in `inbox`, as for a skipped dead letter. If the event comes after all, it is
ignored like a repeated one.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.inbox import UNPARK
from shared.trace_context import new_id

GAPS = text("""
    SELECT s.stream, s.next_sequence AS first, min(i.sequence) - 1 AS last, count(*) AS waiting,
           min(i.received_at) AS since
    FROM inbox_stream s JOIN inbox i USING (stream)
    WHERE i.state <> 'skipped' AND i.sequence >= s.next_sequence
      AND (CAST(:stream AS text) IS NULL OR s.stream = :stream)
    GROUP BY s.stream, s.next_sequence HAVING min(i.sequence) > s.next_sequence
    ORDER BY min(i.received_at) LIMIT :most
""")
LOCK = text("SELECT FROM inbox_stream WHERE stream = :stream FOR UPDATE")
NOTE = text("""
    INSERT INTO inbox (event_id, stream, sequence, type, aggregate_type, aggregate_id, dealer_id,
                       occurred_at, payload, headers, state, cause, settled_at)
    SELECT :event_id, stream, CAST(:last AS bigint), 'gap', aggregate_type, aggregate_id, dealer_id,
           clock_timestamp(), '{}', '{}', 'skipped', :cause, clock_timestamp()
    FROM inbox
    WHERE stream = :stream AND sequence = CAST(:last AS bigint) + 1 AND state <> 'skipped' LIMIT 1
""")
PASS = text("""
    UPDATE inbox_stream SET next_sequence = CAST(:last AS bigint) + 1 WHERE stream = :stream
""")


class NoSuchGap(LookupError):
    """The stream waits for no event; `events gaps` lists those that do."""


@dataclass(frozen=True, slots=True)
class Gap:
    """The numbers `first` to `last` of a stream have not come; `waiting` later events have."""

    stream: str
    first: int
    last: int
    waiting: int
    since: datetime

    def __str__(self) -> str:
        """The gap in one line."""
        numbers = f"#{self.first}" if self.first == self.last else f"#{self.first} to #{self.last}"
        return (
            f"{self.stream} waits for {numbers} since {self.since:%Y-%m-%d %H:%M} UTC;"
            f" {self.waiting} later event(s) wait"
        )


async def gaps(tx: AsyncSession, stream: str | None = None, *, most: int = 100) -> list[Gap]:
    """The streams that wait for an event which has not come, the oldest first."""
    return [Gap(*row) for row in await tx.execute(GAPS, {"stream": stream, "most": most})]


async def pass_gap(tx: AsyncSession, stream: str, *, reason: str, by: str) -> Gap:
    """Continue a stream behind its gap, without the events that are missing. Raises NoSuchGap."""
    await tx.execute(LOCK, {"stream": stream})
    found = await gaps(tx, stream)
    if not found:
        raise NoSuchGap(f"The stream {stream} waits for no event.")
    [gap] = found
    cause = f"#{gap.first} to #{gap.last} passed by {by}: {reason}"
    noted = {"event_id": new_id(), "stream": stream, "last": gap.last, "cause": cause}
    await tx.execute(NOTE, noted)
    await tx.execute(PASS, {"stream": stream, "last": gap.last})
    await tx.execute(UNPARK, {"streams": [stream]})
    await tx.execute(text("NOTIFY inbox"))
    return gap
