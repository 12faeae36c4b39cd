"""Contracts benchmark: `./dev bench contracts` compares searches, HTTP, bulk change and CSV to SQL.

A large database (300 dealers) and a small one, both with one dealer of 3,000 contracts; the large
one also has a dealer with a tenth of all. Each measured call is followed by its bare counterpart:
the same statement through asyncpg, with the same role and row-level security.

With `--keep` the databases are kept for the next run, so that `--parts` can be measured separately;
a run without it measures, writes the results of all parts, and drops the databases.
"""

import argparse
import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import structlog
import uvloop

from bench.contracts_fixture import (
    LARGE_DEALER,
    SMALL,
    SMALL_DEALER,
    FilledDatabase,
    FilledDatabases,
    filled_database,
)
from bench.contracts_http import bulk, csv, http
from bench.contracts_search import searches
from bench.event_fixture import write
from shared.main import tune_gc
from shared.testing import servers

Part = Callable[[FilledDatabase, FilledDatabase, int], Awaitable[list[str]]]
PARTS: dict[str, Part] = {
    "search-small": lambda small, large, rounds: searches(large, small, SMALL_DEALER, rounds),
    "search-large": lambda small, large, rounds: searches(large, small, LARGE_DEALER, rounds),
    "csv": lambda _, large, __: csv(large),
    "http": lambda _, large, rounds: http(large, rounds // 2),
    "bulk": lambda _, large, __: bulk(large, 40),
}


async def run(contracts: int, rounds: int, parts: list[str], *, keep: bool) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    postgres, end = await asyncio.to_thread(servers.find_postgres)
    filled_databases = FilledDatabases.again() or await FilledDatabases.made(postgres, contracts)
    try:
        async with (
            filled_database(filled_databases.small) as small,
            filled_database(filled_databases.large) as large,
        ):
            for part in parts:
                filled_databases.found[part] = [
                    *await PARTS[part](small, large, rounds),
                    "",
                    _when(),
                ]
        write_down(filled_databases)
    finally:
        if keep:
            filled_databases.keep()
        else:
            await filled_databases.clear()
        end()


def _when() -> str:
    busy = " ".join(f"{load:.1f}" for load in os.getloadavg())
    return f"({datetime.now(UTC):%H:%M} UTC, load average {busy})"


def write_down(filled_databases: FilledDatabases) -> None:
    """Write all results from these databases, in the order of the parts."""
    sizes = f"{SMALL_DEALER} has {SMALL:,}, {LARGE_DEALER} has {filled_databases.contracts // 10:,}"
    found = [line for part in PARTS for line in ["", *filled_databases.found.get(part, [])]]
    write("contracts", [f"{filled_databases.contracts:,} contracts, 300 dealers; {sizes}.", *found])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contracts", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument(
        "--keep", action="store_true", help="needs a PostgreSQL that is not disposable"
    )
    args = parser.parse_args()
    tune_gc()
    uvloop.run(run(args.contracts, args.rounds, args.parts, keep=args.keep))


if __name__ == "__main__":
    main()
