"""Bulk outbox: thousands of events by one statement, numbered as if added one by one."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from sqlalchemy import text

from event_contracts.contract import NoteSaved
from shared import outbox
from shared.db import EVERY_DEALER, Database

NOW = datetime(2025, 7, 15, 1, 0, tzinfo=UTC)


def note(contract_no: str, version: int) -> NoteSaved:
    return NoteSaved(dealer_id="D01", contract_no=contract_no, note_version=version, length=1)


async def test_many_are_numbered_after_the_earlier_ones_in_their_order(
    new_database: Callable[[str], Awaitable[str]],
) -> None:
    database = Database(await new_database("shared"))
    async with database.transaction(EVERY_DEALER) as tx:
        await outbox.add(tx, note("C1", 1), now=NOW)
    async with database.transaction(EVERY_DEALER) as tx:
        many = [note("C1", 2), note("C2", 1), note("C1", 3), note("C2", 2)]
        await outbox.add_many(tx, many, now=NOW)
        await outbox.add_many(tx, [], now=NOW)
        assert await outbox.add(tx, note("C2", 3), now=NOW) == 3
    async with database.transaction(EVERY_DEALER) as tx:
        rows = await tx.execute(
            text("""
                SELECT aggregate_id, sequence, payload->>'note_version' AS version, lane
                FROM outbox ORDER BY position
            """)
        )
        emitted = [(r.aggregate_id, r.sequence, int(r.version), r.lane) for r in rows]
    await database.close()
    lanes = {no: outbox.lane_of("contract", no) for no in ("C1", "C2")}
    assert emitted == [
        (no, n, n, lanes[no])
        for no, n in (("C1", 1), ("C1", 2), ("C2", 1), ("C1", 3), ("C2", 2), ("C2", 3))
    ]
