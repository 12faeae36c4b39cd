"""Scaling of due timers: `./dev bench due_timer_scaling` measures the cost of finding them.

Two notifier databases, one with ten thousand open timers and one with a million; in each
round a hundred more fall due in both, and the notifier's timer worker finds and fires them.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import uvloop
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bench.event_fixture import write
from notifier_service.subscribers import timers
from shared.clock import TravelClock
from shared.db import EVERY_DEALER, Database
from shared.testing import servers
from shared.testing.databases import TestDatabases
from shared.timers import DUE, TimerHandler, TimerWorker

SIZES = (10_000, 1_000_000)
DUE_AT_ONCE = 100
LOOKS = 100
OPEN = text("""
    INSERT INTO timer (kind, key, due_at, payload)
    SELECT CASE WHEN n % 2 = 0 THEN 'stale' ELSE 'approval_stale' END, 'A' || n,
           CAST(:now AS timestamptz)
               + make_interval(secs => 3600 + (CAST(n AS bigint) * 7919) % 604800),
           jsonb_build_object('dealer_id', 'D' || n % 300, 'contract_no', 'C' || n,
                              'status_version', 2)
    FROM generate_series(1, :size) AS n
""")
FALL_DUE = text("""
    INSERT INTO timer (kind, key, due_at, payload)
    SELECT 'stale', 'due-' || :round || '-' || n,
           CAST(:now AS timestamptz) - make_interval(secs => n),
           jsonb_build_object('dealer_id', 'D01', 'contract_no', 'C' || n, 'status_version', 2)
    FROM generate_series(1, :count) AS n
""")
METHOD = f"""\
Method: two databases of the notifier with {SIZES[0]:,} and {SIZES[1]:,} open timers, due in the
coming week; in each round, at both in turn, {DUE_AT_ONCE} more fall due and the timer worker runs
until it finds none. Each timer is removed in its own transaction. Times are medians
over the rounds; the ratio is the median over the rounds of the larger database's time divided by
the smaller one's in the same round. Pages are those that PostgreSQL reads for one search."""


async def nothing(_: str, __: dict[str, Any], ___: datetime, ____: AsyncSession) -> None:
    """A handler without work, so that only the search is measured."""


FINDING: dict[str, TimerHandler] = {"stale": nothing, "approval_stale": nothing}
WAYS: dict[str, Mapping[str, TimerHandler]] = {
    f"find {DUE_AT_ONCE} due timers and remove them": FINDING,
    "the same, each with its mail planned in the ledger": timers(),
}
LOOK = "one search with nothing due"


@dataclass(slots=True)
class FilledDatabase:
    """A database with `size` open timers, and the milliseconds of each case."""

    size: int
    database: Database
    clock: TravelClock
    took: dict[str, list[float]] = field(default_factory=dict)
    pages: int = 0

    async def fill(self) -> None:
        """Insert the open timers."""
        async with self.database.transaction() as tx:
            await tx.execute(OPEN, {"now": self.clock.now(), "size": self.size})
        await self.vacuum()

    async def vacuum(self) -> None:
        """Vacuum at a defined point instead of by autovacuum."""
        async with self.database.engine.connect() as connection:
            autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await autocommit.execute(text("VACUUM ANALYZE timer"))

    async def round(self, number: int) -> None:
        """Insert a hundred due timers for each case, and fire them."""
        for way, handlers in WAYS.items():
            async with self.database.transaction() as tx:
                due = {"round": f"{number}-{len(way)}", "now": self.clock.now()}
                await tx.execute(FALL_DUE, {**due, "count": DUE_AT_ONCE})
            worker = TimerWorker(self.database, "notifier", handlers, self.clock)
            begun = time.perf_counter()
            fired = await worker.fire_due()
            self.note(way, begun)
            if fired != DUE_AT_ONCE:
                raise RuntimeError(f"{fired} of {DUE_AT_ONCE} timers were fired")
        worker = TimerWorker(self.database, "notifier", FINDING, self.clock)
        begun = time.perf_counter()
        for _ in range(LOOKS):
            await worker.fire_due()
        self.note(LOOK, begun, LOOKS)

    def note(self, way: str, begun: float, times: int = 1) -> None:
        """Record a duration."""
        self.took.setdefault(way, []).append((time.perf_counter() - begun) * 1000 / times)

    async def count_pages(self) -> None:
        """Number of pages that one search reads while a hundred are due."""
        explain = text(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {DUE.text}")
        async with self.database.transaction(EVERY_DEALER) as tx:
            due = {"round": "pages", "now": self.clock.now(), "count": DUE_AT_ONCE}
            await tx.execute(FALL_DUE, due)
            [plan] = (await tx.execute(explain, {"now": self.clock.now()})).scalar_one()
            self.pages = plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
            await tx.rollback()


def line(what: str, small: list[float], large: list[float], unit: str) -> str:
    """One line of the table."""
    ratio = statistics.median(b / a for a, b in zip(small, large, strict=True))
    few, many = statistics.median(small), statistics.median(large)
    return f"| {what} | {few:,.2f} {unit} | {many:,.2f} {unit} | **{ratio:.2f}** |"


async def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    args = parser.parse_args()
    postgres, end_postgres = await asyncio.to_thread(servers.find_postgres)
    databases = TestDatabases(postgres)
    clock = TravelClock()
    filled_databases = []
    try:
        for size in SIZES:
            filled_databases.append(
                FilledDatabase(
                    size,
                    Database(databases.owner_url(await databases.create("notifier_service"))),
                    clock,
                )
            )
            await filled_databases[-1].fill()
        for number in range(args.rounds + 1):
            for filled_database in filled_databases:
                await filled_database.round(number)
                await filled_database.vacuum()
        for filled_database in filled_databases:
            await filled_database.count_pages()
            await filled_database.database.close()
    finally:
        await databases.drop_all()
        end_postgres()
    small, large = filled_databases
    table = [
        METHOD, "",
        f"| what | {SIZES[0]:,} open | {SIZES[1]:,} open | ratio (wanted <= 1.5) |",
        "|---|---|---|---|",
    ]  # fmt: skip
    table += [line(way, small.took[way][1:], large.took[way][1:], "ms") for way in (*WAYS, LOOK)]
    table.append(line("pages read by one search", [small.pages], [large.pages], "pages"))
    write("due_timer_scaling", table)


if __name__ == "__main__":
    uvloop.run(main())
