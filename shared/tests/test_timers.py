"""Timers run once, by the service's clock, and survive failures."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.clock import TravelClock
from shared.db import EVERY_DEALER, Database
from shared.timers import TimerWorker, cancel_timers, set_timer

START = datetime(2025, 7, 7, 1, 0, tzinfo=UTC)


class Later:
    """A service with a timer handler."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = TravelClock()
        self.clock.travel_to(START)
        self.fired: list[str] = []
        self.broken = False
        self.broken_keys: set[str] = set()
        self.worker = TimerWorker(database, "returns", {"stale": self.fire}, self.clock)

    async def fire(self, key: str, payload: dict[str, Any], _: datetime, tx: AsyncSession) -> None:
        await tx.execute(text("INSERT INTO fired (key) VALUES (:key)"), {"key": key})
        if self.broken or key in self.broken_keys:
            raise ValueError("not today")
        self.fired.append(f"{key}:{payload['kind']}")

    async def set(self, key: str, days: int) -> None:
        async with self.database.transaction(EVERY_DEALER) as tx:
            await set_timer(tx, "stale", key, START + timedelta(days=days), {"kind": "M2"})

    def travel(self, days: float) -> None:
        self.clock.travel_to(START + timedelta(days=days))


@pytest.fixture
async def later(
    new_database: Callable[[str], Awaitable[str]], as_owner: Callable[[str, str], Awaitable[None]]
) -> AsyncIterator[Later]:
    database = Database(await new_database("shared"))
    await as_owner(database.url, "CREATE TABLE fired (key text)")
    yield Later(database)
    await database.close()


async def count(database: Database, table: str) -> int:
    async with database.transaction(EVERY_DEALER) as tx:
        return int((await tx.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())


async def test_a_timer_fires_once_when_its_time_has_come(later: Later) -> None:
    await later.set("R1", days=7)
    later.travel(6.999)
    assert await later.worker.fire_due() == 0
    later.travel(7.001)
    assert await later.worker.fire_due() == 1
    assert await later.worker.fire_due() == 0
    assert later.fired == ["R1:M2"]


async def test_a_cancelled_timer_never_fires(later: Later) -> None:
    await later.set("R1", days=7)
    async with later.database.transaction(EVERY_DEALER) as tx:
        await cancel_timers(tx, "R1", "stale")
    later.travel(8)
    assert await later.worker.fire_due() == 0


async def test_setting_a_timer_again_moves_it(later: Later) -> None:
    await later.set("R1", days=7)
    await later.set("R1", days=9)
    later.travel(8)
    assert await later.worker.fire_due() == 0
    later.travel(9.1)
    assert await later.worker.fire_due() == 1


async def test_a_failing_timer_leaves_no_trace_and_stays(later: Later) -> None:
    await later.set("R1", days=1)
    await later.set("R2", days=1)
    later.travel(2)
    later.broken = True
    assert await later.worker.fire_due() == 0
    assert await count(later.database, "fired") == 0
    assert await count(later.database, "timer WHERE attempts = 1 AND cause LIKE '%not today'") == 2
    later.broken = False
    async with later.database.transaction(EVERY_DEALER) as tx:
        await tx.execute(text("UPDATE timer SET retry_at = now()"))
    assert await later.worker.fire_due() == 2


async def test_a_failing_timer_puts_off_no_other_of_its_kind(later: Later) -> None:
    await later.set("R1", days=1)
    await later.set("R2", days=2)
    later.travel(3)
    later.broken_keys = {"R1"}
    assert await later.worker.fire_due() == 1
    assert later.fired == ["R2:M2"]
    assert await count(later.database, "timer WHERE key = 'R1' AND attempts = 1") == 1


class Still:
    """A clock that stands."""

    def now(self) -> datetime:
        return START


async def test_a_timer_that_is_due_at_this_very_moment_fires(later: Later) -> None:
    await later.set("R1", days=0)
    worker = replace(later.worker, clock=Still())
    assert (await worker.next_due() or 0) <= 0
    assert await worker.fire_due() == 1


async def test_two_workers_share_the_timers_without_firing_any_twice(later: Later) -> None:
    import asyncio

    for n in range(20):
        await later.set(f"R{n}", days=1)
    later.travel(2)
    await asyncio.gather(later.worker.fire_due(), later.worker.fire_due())
    assert sorted(later.fired) == sorted(f"R{n}:M2" for n in range(20))
