"""Retention: expired rows are deleted, younger ones and unsettled messages are kept."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from shared.db import EVERY_DEALER, Database
from shared.retention import delete_expired

AGO = "clock_timestamp() - CAST(:age AS interval)"
REFUSED = "INSERT INTO inbox_refused (refused_id, reason, routing_key, headers, body"
SAMPLE = f"INSERT INTO lag_sample SELECT {AGO}, 0, 0, 0, 0"
ANSWER = f"INSERT INTO idempotency (owner, key, fingerprint, created_at) SELECT '', '', '', {AGO}"
SETTLED = f"{REFUSED}, settled_at) SELECT gen_random_uuid(), '', '', '{{}}', '', {AGO}"
WAITING = f"{REFUSED}, received_at) SELECT gen_random_uuid(), '', '', '{{}}', '', {AGO}"


@pytest.mark.parametrize(
    ("table", "written", "age", "left"),
    [
        ("lag_sample", SAMPLE, timedelta(hours=1), [1, 0]),
        ("idempotency", ANSWER, timedelta(days=7), [1, 0]),
        ("inbox_refused", SETTLED, timedelta(days=90), [1, 0]),
        ("inbox_refused", WAITING, timedelta(days=900), [1, 1]),
    ],
    ids=["charts", "answers", "settled", "waiting"],
)
async def test_each_row_is_deleted_at_its_age(
    new_database: Callable[[str], Awaitable[str]],
    table: str,
    written: str,
    age: timedelta,
    left: list[int],
) -> None:
    database = Database(await new_database("shared"))
    counted = []
    for nearly in (age - timedelta(seconds=10), age + timedelta(seconds=1)):
        async with database.transaction(EVERY_DEALER) as tx:
            await tx.execute(text(f"DELETE FROM {table}"))
            await tx.execute(text(written), {"age": nearly})
            await delete_expired(tx)
            kept = await tx.execute(text(f"SELECT count(*) FROM {table}"))
            counted.append(kept.scalar_one())
    await database.close()
    assert counted == left
