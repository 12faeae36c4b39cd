"""Deletion of old months of the event log; unpublished events are never deleted."""

from collections.abc import Awaitable, Callable
from datetime import date

import pytest
from sqlalchemy import text

from shared import outbox
from shared.db import EVERY_DEALER, Database
from shared.testing.databases import TestDatabases

MONTH = text("""
    CREATE TABLE outbox_p202501 PARTITION OF outbox
    FOR VALUES FROM ('2025-01-01 00:00+00') TO ('2025-02-01 00:00+00')
""")
EVENT = text("""
    INSERT INTO outbox (created_at, event_id, lane, type, aggregate_type, aggregate_id, sequence,
                        dealer_id, occurred_at, payload, headers)
    VALUES ('2025-01-31 23:59:59+00', gen_random_uuid(), 0, 'contract.note_saved.v1', 'contract',
            'C1', 1, 'D01', now(), '{}', '{}')
    RETURNING position
""")


async def an_old_month(database: Database) -> int:
    async with database.transaction(EVERY_DEALER) as tx:
        await tx.execute(MONTH)
        return int((await tx.execute(EVENT)).scalar_one())


async def months_left(database: Database) -> int:
    async with database.transaction(EVERY_DEALER) as tx:
        found = await tx.execute(text("SELECT to_regclass('outbox_p202501') IS NOT NULL"))
        return int(found.scalar_one())


async def test_only_months_that_have_ended_are_dropped(
    new_database: Callable[[str], Awaitable[str]], databases: TestDatabases
) -> None:
    database = Database(databases.owner_url(await new_database("shared")))
    await an_old_month(database)
    async with database.transaction(EVERY_DEALER) as tx:
        assert await outbox.delete_old_log(tx, before=date(2025, 1, 31)) == []
    async with database.transaction(EVERY_DEALER) as tx:
        assert await outbox.delete_old_log(tx, before=date(2025, 2, 1)) == [date(2025, 1, 1)]
    async with database.transaction(EVERY_DEALER) as tx:
        assert (await tx.execute(text("SELECT count(*) FROM outbox"))).scalar_one() == 0
        await tx.execute(EVENT)  # the default partition takes it
    await database.close()


async def test_a_month_with_an_unpublished_event_stays(
    new_database: Callable[[str], Awaitable[str]], databases: TestDatabases
) -> None:
    database = Database(databases.owner_url(await new_database("shared")))
    position = await an_old_month(database)
    async with database.transaction(EVERY_DEALER) as tx:
        await tx.execute(
            text("INSERT INTO outbox_queue SELECT position, created_at, lane FROM outbox")
        )
    with pytest.raises(outbox.StillPending, match="2025-01"):
        async with database.transaction(EVERY_DEALER) as tx:
            await outbox.delete_old_log(tx, before=date(2026, 1, 1))
    assert await months_left(database) == 1
    async with database.transaction(EVERY_DEALER) as tx:
        await tx.execute(text("DELETE FROM outbox_queue WHERE position = :p"), {"p": position})
        assert await outbox.delete_old_log(tx, before=date(2026, 1, 1)) == [date(2025, 1, 1)]
    await database.close()
