"""`./dev bench contracts`: searches, HTTP, bulk change and CSV beside the bare SQL, in one run.

A large database (300 dealers) and a small one, both with one dealer of 3,000 contracts; the large
one also has a dealer of a tenth of all. Each measured call is followed by its bare twin: the same
statement through asyncpg, by the same role and under the same row-level security.
"""

import argparse
import asyncio
from collections.abc import Awaitable, Callable

import structlog
import uvloop

from bench.contracts_hall import LARGE_DEALER, SMALL, SMALL_DEALER, base_lines, hall
from bench.contracts_http import bulk, csv, http
from bench.contracts_search import searches
from bench.stage import write
from shared.testing import servers
from shared.testing.databases import TestDatabases


async def run(contracts: int, rounds: int) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    postgres, end = await asyncio.to_thread(servers.find_postgres)
    databases = TestDatabases(postgres)
    lines = base_lines(min(20_000, contracts))
    try:
        async with (
            hall(databases, 10_000, lines) as small,
            hall(databases, contracts, lines) as large,
        ):
            tables = await searches(small, large, rounds)
            parts: list[Callable[[], Awaitable[list[str]]]] = [
                lambda: csv(large),
                lambda: http(large, 50),
                lambda: bulk(large, 10),
            ]
            rest = [f"- {line}" for part in parts for line in await part()]
    finally:
        await databases.drop_all()
        end()
    head = f"{contracts:,} contracts, 300 dealers; {SMALL_DEALER} has {SMALL:,}, {LARGE_DEALER} "
    write("contracts", [f"{head}has {contracts // 10:,}.", "", *tables, "", *rest])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contracts", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=100)
    args = parser.parse_args()
    uvloop.run(run(args.contracts, args.rounds))


if __name__ == "__main__":
    main()
