"""Expenses bench: accounting's list, filter and exports of 20,000 slips, against the bare SQL.

Both sides run the same statements on the same database with the same role and row-level security:
ours through the application (authentication, rules, JSON or CSV), bare through asyncpg, which reads
the rows and throws them away. Compared is processor time: of this process and of the database's
process that serves it. `grown`: the most memory by which an export grew this process.

    ./dev bench expenses [--slips 20000] [--rounds 10]
"""

import argparse
import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import asyncpg
import psutil
import structlog
import uvloop
from joserfc import jwt
from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import asyncpg as dialect

from bench.compare import ISSUER, KEY, ask, principal_of_bench
from bench.event_fixture import write
from commuter_service.app import create_app
from commuter_service.exports.journal_queries import every_slip, items_in
from commuter_service.models import JournalExport
from shared import auth, tokens
from shared.clock import TravelClock
from shared.db import Database
from shared.main import tune_gc
from shared.testing import servers
from shared.testing.databases import TestDatabases

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NOW = datetime(2026, 11, 20, 1, tzinfo=UTC)
BASE = "/api/commuter/v1"
FILL = """
INSERT INTO employee (employee_id, dealer_id, name, active, store_code)
SELECT 'D01-E' || n, 'D01', '営業 太郎' || n, true, 'S' || n % 20 FROM generate_series(1, 300) n;
WITH made AS (
    INSERT INTO slip (slip_id, dealer_id, employee_id, version, kind, title, purpose, status,
                      chain, step, created_at, updated_at, submitted_at, settled_at)
    SELECT overlay(overlay(gen_random_uuid()::text placing to_hex(extract(epoch FROM at)::int)
                           from 1) placing '7' from 15)::uuid,
           'D01', 'D01-E' || n % 300 + 1, 5, 'transport',
           n % 12 + 1 || '月の交通費', '訪問と納車', CASE n % 20 WHEN 0 THEN 'pending'
           WHEN 1 THEN 'approved' WHEN 2 THEN 'remanded' ELSE 'settled' END,
           ARRAY['D01-M100'], CASE WHEN n % 20 IN (0, 2) THEN 0 ELSE 1 END, at, at, at, at
    FROM generate_series(1, {slips}) n,
         LATERAL (SELECT timestamptz '2025-11-20' + n % 365 * interval '1 day'
                         + n * interval '1 second' AS at) d
    RETURNING slip_id, employee_id, submitted_at
)
INSERT INTO slip_item (item_id, slip_id, position, dealer_id, employee_id, item_on, purpose, source,
                       words, route, medium, round_trip, amount_yen, through_yen, receipt,
                       searched_on, passes_at_search, cost_kind, invoice_basis)
SELECT gen_random_uuid(), slip_id, place, 'D01', employee_id, submitted_at::date, '商談', 'look_up',
       '', (ARRAY['東京:JR東日本/中央線:新宿', '新宿:JR東日本/中央線:三鷹',
                  '東京:JR東日本/東海道線:横浜'])[place + 1], 'ic', false, 198 + place,
       198 + place, false,
       submitted_at::date, '[]', 'public_transport', 'public_transport'
FROM made, generate_series(0, 2) place;
"""
BARE_PAGE = """
SELECT page.*, employee.name, sums.items, sums.yen
FROM (SELECT * FROM slip WHERE {where} ORDER BY submitted_at DESC, slip_id DESC LIMIT 51) page
JOIN employee ON employee.employee_id = page.employee_id, LATERAL (
    SELECT count(*) AS items, sum(amount_yen) AS yen FROM slip_item
    WHERE slip_item.slip_id = page.slip_id) sums
"""
BARE_SUMS = """
SELECT status, count(*), coalesce(sum(yen), 0) FROM slip LEFT JOIN (
    SELECT slip_id, sum(amount_yen) AS yen FROM slip_item GROUP BY slip_id) sums USING (slip_id)
WHERE {where} GROUP BY status
"""
ALL = "dealer_id = 'D01' AND submitted_at IS NOT NULL"
FILTERED = f"""{ALL} AND (title ILIKE '%10月%' OR purpose ILIKE '%10月%' OR employee_id IN (
    SELECT employee_id FROM employee WHERE name ILIKE '%10月%'))
  AND EXISTS (SELECT FROM slip_item i WHERE i.slip_id = slip.slip_id
              AND item_on BETWEEN '2026-03-01' AND '2026-03-31')"""
HEAD = """
{slips} slips of three items and 300 people; an export of all settled ones. Processor time of the
application and of the database's processes together, {rounds} calls of each. Bare: for the list and
the filter two statements (the page with its sums, the tabs), for the CSV files our own statements
read from a cursor, a thousand rows at a time; no row is kept or written. Wanted: ratio <= 2.
"""
Act = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Desk:
    """The application, a bare connection, and the database's processes behind both."""

    app: Any
    token: str
    bare: asyncpg.Connection
    backends: Sequence[psutil.Process]

    async def asked(self, path: str, **query: str) -> int:
        """The size of an answer, which must be a good one."""
        status, size = await ask(self.app, "GET", BASE + path, self.token, query)
        assert status == 200, (path, status)
        return size

    async def fetched(self, *statements: str) -> None:
        """Rows of statements, in a transaction of their own."""
        async with self._bare():
            for statement in statements:
                await self.bare.fetch(statement)

    async def read(self, statement: str, *values: object) -> None:
        """Every row from a cursor, thrown away."""
        async with self._bare():
            cursor = await self.bare.cursor(statement, *values)
            while await cursor.fetch(1000):
                pass

    @asynccontextmanager
    async def _bare(self) -> "AsyncIterator[None]":
        async with self.bare.transaction():
            await self.bare.execute("SELECT set_config('app.dealer', 'D01', true)")
            yield

    async def cpu_s(self, act: Act, rounds: int) -> float:
        """Processor seconds of one call, on average."""
        await act()
        gc.collect()
        began = self._spent()
        for _ in range(rounds):
            await act()
        return (self._spent() - began) / rounds

    def _spent(self) -> float:
        servers_ = [one.cpu_times() for one in self.backends]
        return time.process_time() + sum(one.user + one.system for one in servers_)


def plain(statement: Select[Any]) -> tuple[str, list[Any]]:
    """The text of a statement for asyncpg, and its values in order."""
    compiled = statement.compile(dialect=dialect.dialect())  # type: ignore[no-untyped-call]
    return str(compiled), [compiled.params[name] for name in compiled.positiontup or ()]


def pairs(desk: Desk, export_id: Any) -> dict[str, tuple[Act, Act]]:
    """Each question: ours and bare."""
    lines, line_values = plain(items_in(export_id))
    listed, listed_values = plain(every_slip("D01", None, None))

    def bare_list(where: str) -> Act:
        statements = BARE_PAGE.format(where=where), BARE_SUMS.format(where=where)
        return lambda: desk.fetched(*statements)

    journal = f"/accounting/exports/{export_id}/journal.csv"
    return {
        "list": (lambda: desk.asked("/slips/of-company"), bare_list(ALL)),
        "filter": (
            lambda: desk.asked("/slips/of-company", month="2026-03", text="10月"),
            bare_list(FILTERED),
        ),
        "list as CSV": (
            lambda: desk.asked("/accounting/slips.csv"),
            lambda: desk.read(listed, *listed_values),
        ),
        "journal": (lambda: desk.asked(journal), lambda: desk.read(lines, *line_values)),
    }


@asynccontextmanager
async def opened(databases: TestDatabases, slips: int) -> "AsyncIterator[tuple[Desk, Any]]":
    """A filled database with an export of all settled slips."""
    url = await databases.create("commuter_service")
    await databases.as_owner(url, FILL.format(slips=slips))
    admin = await asyncpg.connect(databases.superuser_url(url))
    await admin.execute("VACUUM ANALYZE")
    await admin.close()
    clock, database = TravelClock(), Database(url, pool_size=1)
    clock.travel_to(NOW)
    app = create_app(database, clock, principal_of_bench())
    token, bare = accountant(), await asyncpg.connect(url)
    status, _ = await ask(app, "POST", f"{BASE}/accounting/exports", token, {}, {})
    assert status == 201, status
    async with database.transaction("D01") as tx:
        export_id = await tx.scalar(select(JournalExport.export_id))
    yield Desk(app, token, bare, await backends_of(bare)), export_id
    await bare.close()
    await database.close()


async def backends_of(bare: asyncpg.Connection) -> list[psutil.Process]:
    """The database's processes of every connection; only one of them works at a time."""
    asked = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
    return [psutil.Process(row["pid"]) for row in await bare.fetch(asked)]


def accountant() -> str:
    """A token of an accountant of D01."""
    roles = frozenset({auth.Role.EMPLOYEE, auth.Role.EXPENSE_ADMIN})
    who = auth.Principal("D01-A001", "経理 太一", "D01", "S0", "A001", roles, None)
    claims = tokens.claims_of(who) | {"iss": ISSUER, "aud": "bench", "exp": 9_999_999_999}
    return jwt.encode({"alg": "ES256", "kid": "bench"}, claims, KEY)


async def run(args: argparse.Namespace) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    postgres, end = await asyncio.to_thread(servers.find_postgres)
    databases = TestDatabases(postgres)
    try:
        async with opened(databases, args.slips) as (desk, export_id):
            tune_gc()
            write("expenses", await table(desk, export_id, args))
    finally:
        await databases.drop_all()
        end()


async def table(desk: Desk, export_id: object, args: argparse.Namespace) -> list[str]:
    """Milliseconds of processor time, and what our side grew by."""
    lines = [
        HEAD.format(slips=args.slips, rounds=args.rounds),
        "| question | ours | bare | ratio | grown |",
        "|---|---|---|---|---|",
    ]
    this = psutil.Process()
    for name, (ours, bare) in pairs(desk, export_id).items():
        before = this.memory_info().rss
        mine, its = await desk.cpu_s(ours, args.rounds), await desk.cpu_s(bare, args.rounds)
        grown = max(0, this.memory_info().rss - before) / 1e6
        lines.append(
            f"| {name} | {mine * 1000:.0f} ms | {its * 1000:.0f} ms | {mine / its:.2f} "
            f"| {grown:.0f} MB |"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slips", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=10)
    uvloop.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
