"""Import benchmark: `./dev bench contracts_import` measures time, CPU and memory of a file.

With and without the index of grams, in databases of their own: first all lines are new, then
changed.
"""

import argparse
import asyncio
import csv
import io
import resource
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import psutil
import structlog
from sqlalchemy import text

from bench.contracts_fixture import TODAY
from bench.event_fixture import write
from contracts_service.imports import import_contracts, import_masters
from contracts_service.rules.import_row import COLUMNS
from madoguchi.embedded.demo import demo_contracts, demo_masters
from shared.db import Database
from shared.main import tune_gc
from shared.testing import servers
from shared.testing.databases import TestDatabases

BASE = 20_000
CHANGED = ("東京都".encode(), "東京府".encode())
"""What a second file has instead, so that its lines are changes."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of one import: by the clock, and of CPU in this process and in the server."""

    wall: float
    here: float
    server: float

    @property
    def cpu(self) -> float:
        """The CPU of both."""
        return self.here + self.server


def contract_file(lines: int) -> bytes:
    """A file of demo contracts with numbers of their own."""
    rows = list(demo_contracts(1, min(BASE, lines), TODAY, demo_masters(1).dealers))
    number = list(COLUMNS).index("契約番号")
    written = io.StringIO()
    out = csv.writer(written)
    out.writerow(COLUMNS)
    for at in range(lines):
        row = list(rows[at % len(rows)])
        row[number] = f"C{at:010}"
        out.writerow(row)
    return written.getvalue().encode("utf-8-sig")


async def _imported(database: Database, data: bytes) -> Cost:
    async with database.transaction() as tx:
        backend = await tx.scalar(text("SELECT pg_backend_pid()"))
    server = psutil.Process(backend)
    server_s, here_s = sum(server.cpu_times()[:2]), time.process_time()
    began = time.perf_counter()
    report = await import_contracts(database, data, now=datetime.now(UTC))
    assert not report.refused
    return Cost(
        time.perf_counter() - began,
        time.process_time() - here_s,
        sum(server.cpu_times()[:2]) - server_s,
    )


async def imports(admin_url: str, lines: int) -> list[str]:
    """A file of new contracts, and one that changes them all, each with and without the index."""
    databases, data = TestDatabases(admin_url), contract_file(lines)
    costs: dict[str, Mapping[str, Cost]] = {}
    try:
        for index in ("without", "with"):
            url = await databases.create("contracts_service")
            if index == "without":
                await databases.as_owner(url, "DROP INDEX contract_by_gram")
            database = Database(url, pool_size=1)
            known = demo_masters(1)
            await import_masters(database, known.dealers, known.vehicles, now=datetime.now(UTC))
            new = await _imported(database, data)
            costs[index] = {
                "new": new,
                "changed": await _imported(database, data.replace(*CHANGED)),
            }
            await database.close()
    finally:
        await databases.drop_all()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        f"Import of {lines:,} lines; CPU of this process and of the server.",
        "",
        "| lines | grams | seconds | CPU here | CPU of the server | CPU, with : without |",
        "|---|---|---|---|---|---|",
        *(
            f"| {kind} | {index} | {cost.wall:.1f} | {cost.here:.1f} | {cost.server:.1f} "
            f"| {cost.cpu / costs['without'][kind].cpu:.2f} |"
            for kind in ("new", "changed")
            for index in costs
            for cost in [costs[index][kind]]
        ),
        "",
        f"The peak memory of the process, the file included, was {memory:.0f} MB.",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=200_000)
    args = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    tune_gc()
    postgres, end = servers.find_postgres()
    try:
        lines = asyncio.run(imports(postgres, args.lines))
    finally:
        end()
    write("contracts_import", lines)


if __name__ == "__main__":
    main()
