"""Where does the contracts bench take place? In a filled database, reached our way and bare."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from contracts_service.actions.contract_intake import STAGED, staged_line
from contracts_service.imports import import_masters
from contracts_service.rules.import_row import COLUMNS, ContractRow, KnownCodes, read_contract_row
from contracts_service.rules.products import PRODUCT_BY_CODE
from madoguchi.demo import demo_contracts, demo_masters
from shared.db import Database
from shared.testing.databases import TestDatabases, with_database

TODAY = date(2025, 7, 15)
SMALL_DEALER, LARGE_DEALER = "D02", "D03"
SMALL = 3_000


@dataclass(frozen=True)
class Hall:
    """A filled database: by the service's own way, and bare."""

    database: Database
    bare: asyncpg.Pool
    url: str


def base_lines(count: int) -> list[tuple[Any, ...]]:
    """So many contracts of the demo, as the intake stages them."""
    masters = demo_masters(1)
    known = KnownCodes(
        product_codes=PRODUCT_BY_CODE,
        stores={(d.code, s.code) for d in masters.dealers for s in d.stores},
        staff={(d.code, p.store_code or "", p.code) for d in masters.dealers for p in d.staff},
    )
    lines = []
    for number, row in enumerate(demo_contracts(1, count, TODAY, masters.dealers)):
        read = read_contract_row(dict(zip(COLUMNS, row, strict=True)), known)
        assert isinstance(read, ContractRow)
        lines.append(staged_line(number, read))
    return lines


async def fill(admin: str, url: str, count: int, lines: list[tuple[Any, ...]]) -> None:
    """COPY contracts into an empty database; a superuser may, past row-level security."""
    connection = await asyncpg.connect(with_database(admin, urlsplit(url).path.lstrip("/")))
    names = [name for name in STAGED if name not in {"line", "fingerprint"}]
    at = {name: STAGED.index(name) for name in STAGED}
    large = count // 10

    def dealer_of(number: int) -> str:
        if number < SMALL:
            return SMALL_DEALER
        if number < SMALL + large:
            return LARGE_DEALER
        return f"D{4 + number % 297:02}"

    def record(number: int) -> tuple[Any, ...]:
        line = lines[number % len(lines)]
        new = {"contract_no": f"C{number:010}", "dealer_id": dealer_of(number)}
        return tuple(new.get(name, line[at[name]]) for name in names)

    for start in range(0, count, 50_000):
        records = [record(n) for n in range(start, min(count, start + 50_000))]
        await connection.copy_records_to_table("contract", records=records, columns=names)
    await connection.execute("VACUUM ANALYZE contract")
    await connection.close()


@asynccontextmanager
async def hall(
    databases: TestDatabases, count: int, lines: list[tuple[Any, ...]]
) -> AsyncIterator[Hall]:
    """A database with so many contracts."""
    url = await databases.create("contracts_service")
    database = Database(url, pool_size=4)
    await import_masters(database, demo_masters(300), now=datetime.now(UTC))
    began = time.perf_counter()
    await fill(databases.admin_url, url, count, lines)
    print(f"{count:,} contracts by COPY in {time.perf_counter() - began:.0f} s", flush=True)
    bare = await asyncpg.create_pool(url, min_size=2, max_size=4)
    yield Hall(database, bare, url)
    await bare.close()
    await database.close()
