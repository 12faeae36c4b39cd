"""Filled databases for the contracts benchmark, reached through the service and by bare SQL.

They can outlive one run (`FilledDatabases`), so that a long bench can be measured part by part.
"""

import json
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from contracts_service.actions.contract_import import STAGED, staged_line
from contracts_service.imports import import_masters
from contracts_service.rules.import_row import COLUMNS, ContractRow, KnownCodes, read_contract_row
from contracts_service.rules.products import PRODUCT_BY_CODE
from madoguchi.embedded.demo import demo_contracts, demo_masters
from shared.db import Database
from shared.testing.databases import TestDatabases, with_database

TODAY = date(2025, 7, 15)
SMALL_DEALER, LARGE_DEALER = "D02", "D03"
SMALL = 3_000


@dataclass(frozen=True)
class FilledDatabase:
    """A filled database, through the service's own code and by bare SQL."""

    database: Database
    bare: asyncpg.Pool
    url: str


def base_lines(count: int) -> list[tuple[Any, ...]]:
    """`count` demo contracts, as the import stages them."""
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
    """COPY contracts into an empty database; a superuser bypasses row-level security."""
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


@dataclass(slots=True)
class FilledDatabases:
    """The databases of one bench and their results, kept between runs in a file."""

    admin_url: str
    contracts: int
    small: str = ""
    large: str = ""
    role: str = ""
    found: dict[str, list[str]] = field(default_factory=dict)

    @staticmethod
    def file() -> Path:
        """The file that records an unfinished bench."""
        return Path(tempfile.gettempdir()) / "madoguchi-bench-contracts.json"

    @classmethod
    def again(cls) -> "FilledDatabases | None":
        """The databases of the last run, if it kept them."""
        file = cls.file()
        return cls(**json.loads(file.read_text(encoding="utf-8"))) if file.exists() else None

    @classmethod
    async def made(cls, admin_url: str, contracts: int) -> "FilledDatabases":
        """Create a database with 10,000 contracts and one with `contracts`."""
        databases, lines = TestDatabases(admin_url), base_lines(min(20_000, contracts))
        filled_databases = cls(admin_url, contracts)
        filled_databases.small = await filled(databases, 10_000, lines)
        filled_databases.large = await filled(databases, contracts, lines)
        filled_databases.role = databases.role
        return filled_databases

    def keep(self) -> None:
        """Save the databases and results for the next run."""
        self.file().write_text(json.dumps(asdict(self), ensure_ascii=False), encoding="utf-8")

    async def clear(self) -> None:
        """Drop the databases, and delete the file."""
        connection = await asyncpg.connect(self.admin_url)
        mine = "SELECT datname FROM pg_database WHERE starts_with(datname, $1)"
        for row in await connection.fetch(mine, self.role):
            await connection.execute(f"DROP DATABASE {row['datname']} WITH (FORCE)")
        await connection.execute(f"DROP ROLE {self.role}")
        await connection.close()
        self.file().unlink(missing_ok=True)


async def filled(databases: TestDatabases, count: int, lines: list[tuple[Any, ...]]) -> str:
    """The URL of a database with `count` contracts."""
    url = await databases.create("contracts_service")
    database = Database(url)
    masters = demo_masters(300)
    now = datetime.now(UTC)
    await import_masters(database, masters.dealers, masters.vehicles, now=now)
    await database.close()
    began = time.perf_counter()
    await fill(databases.admin_url, url, count, lines)
    print(f"{count:,} contracts by COPY in {time.perf_counter() - began:.0f} s", flush=True)
    return url


@asynccontextmanager
async def filled_database(url: str) -> AsyncIterator[FilledDatabase]:
    """Open a filled database."""
    database = Database(url, pool_size=4)
    bare = await asyncpg.create_pool(url, min_size=2, max_size=4)
    yield FilledDatabase(database, bare, url)
    await bare.close()
    await database.close()
