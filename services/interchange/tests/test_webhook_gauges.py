"""Gauges of webhooks: late, failing and stopped, each of what it says."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from interchange_service.gauges import FAILING, LATENESS, QUARANTINED, STOPPED, WAITING, measure
from shared.db import EVERY_DEALER, Database

NewDatabase = Callable[[str], Awaitable[str]]
NOW = datetime(2026, 11, 30, tzinfo=UTC)
ENDPOINT = text("""
    INSERT INTO webhook_endpoint (endpoint_id, dealer_id, label, url, events, secret,
        stopped_because, failing_since, made_at, made_by, changed_at)
    VALUES (gen_random_uuid(), 'D01', 'x', 'https://x', '{}', '',
        :stopped, :failing, :now, 'x', :now)
    RETURNING endpoint_id
""")
MESSAGE = text("""
    INSERT INTO webhook_delivery (delivery_id, endpoint_id, dealer_id, event_id, kind, sequence,
        body, state, due_at, planned_at)
    VALUES (gen_random_uuid(), :endpoint, 'D01', gen_random_uuid(), 't', 1, '', 'scheduled',
        clock_timestamp() - interval '10 minutes', :now)
""")


@pytest.mark.parametrize(
    ("stopped", "failing", "shown"),
    [
        (None, None, {"late": True, "failed": 0, "ended": 0}),
        (None, NOW - timedelta(hours=2), {"late": False, "failed": 7200, "ended": 0}),
        ("gone", NOW - timedelta(hours=2), {"late": False, "failed": 0, "ended": 1}),
        ("person", None, {"late": False, "failed": 0, "ended": 0}),
    ],
    ids=["it answers", "it fails", "it is gone", "a person stopped it"],
)
async def test_the_gauges_of_one_endpoint(
    new_database: NewDatabase,
    stopped: str | None,
    failing: datetime | None,
    shown: dict[str, float],
) -> None:
    database = Database(await new_database("interchange_service"))
    async with database.transaction(EVERY_DEALER) as tx:
        values = {"stopped": stopped, "failing": failing, "now": NOW}
        endpoint = (await tx.execute(ENDPOINT, values)).scalar_one()
        await tx.execute(MESSAGE, {"endpoint": endpoint, "now": NOW})
        read = await measure(tx, NOW)
    await database.close()
    assert (read[WAITING], read[QUARANTINED]) == (1, 0)
    found = {"late": read[LATENESS] >= 600, "failed": read[FAILING], "ended": read[STOPPED]}
    assert found == shown
