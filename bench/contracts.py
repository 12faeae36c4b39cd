"""`./dev bench contracts`: searches, bulk change and CSV beside the bare SQL, in one run.

A large database (300 dealers) and a small one, both with one dealer of 3,000 contracts; the large
one also has a dealer of a tenth of all. Each measured call is followed by its bare twin: the same
statement through asyncpg, by the same role and under the same row-level security.
"""

import argparse
import asyncio
import resource
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

import asyncpg
import orjson
import structlog
import uvloop
from fastapi import FastAPI, Response
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import asyncpg as dialect

from bench.stage import write
from contracts_service import customer_list
from contracts_service.actions.contract_intake import STAGED, staged_line
from contracts_service.app import create_app
from contracts_service.imports import import_masters
from contracts_service.rules.contract_access import Role, Viewer
from contracts_service.rules.import_row import COLUMNS, ContractRow, KnownCodes, read_contract_row
from contracts_service.rules.products import PRODUCT_BY_CODE
from contracts_service.rules.search_conditions import read_search
from madoguchi.demo import demo_contracts, demo_masters
from shared import auth
from shared.clock import TravelClock
from shared.db import Database
from shared.testing import servers
from shared.testing.databases import TestDatabases, with_database

TODAY = date(2025, 7, 15)
SMALL_DEALER, LARGE_DEALER = "D02", "D03"
SMALL = 3_000
SEARCHES: dict[str, tuple[str, dict[str, str]]] = {
    "number": ("individual", {"contract_no": "C0000000042"}),
    "name, 2 characters": ("individual", {"customer_name": "山本"}),
    "name in kana": ("individual", {"customer_name": "やまもと た"}),
    "plate, 4 digits": ("individual", {"registration_no": "1234"}),
    "months": ("general", {"final_from": "2025-08", "final_to": "2025-09"}),
    "everything": ("general", {"final_to": "2030-12"}),
    "model and product": ("general", {"model_code": "PRIUS", "product": "MVP_R"}),
    "inspection": ("inspection", {"inspection_type": "first", "months_from": "3"}),
}
ISSUER, KEY = "https://bench", ECKey.generate_key("P-256", {"kid": "bench"})


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


def condition_of(dealer: str, mode: str, typed: dict[str, str]) -> customer_list.Condition:
    viewer = Viewer(role=Role.HQ, dealer_code=dealer)
    seen = customer_list.visible_to(viewer, today=TODAY)
    search = read_search(mode, typed, today=TODAY, product_codes=PRODUCT_BY_CODE)
    listed = customer_list.listed(seen, today=TODAY, months=3)
    return customer_list.asked_for(listed, search)


def bare_statement(condition: customer_list.Condition) -> tuple[str, list[Any]]:
    """The list's statement with positions for names, as asyncpg wants it."""
    statement = (
        f"SELECT {customer_list.COLUMNS} FROM {customer_list.TABLES} WHERE {condition.where}"
        f" ORDER BY {customer_list.ORDERS['']} LIMIT 101"
    )
    compiled = text(statement).compile(dialect=dialect.dialect())  # type: ignore[no-untyped-call]
    assert compiled.positiontup is not None
    return str(compiled), [condition.values[name] for name in compiled.positiontup]


async def time_search(
    at: Hall, dealer: str, mode: str, typed: dict[str, str], rounds: int
) -> tuple[list[float], list[float]]:
    """Seconds of our search and of the bare statements, in turn; both count where 101 come."""
    condition = condition_of(dealer, mode, typed)
    statement, values = bare_statement(condition)
    counting = "SELECT count(*) FROM contract WHERE " + statement.split(" WHERE ", 1)[1].split(
        " ORDER BY", 1
    )[0].replace("contract LEFT JOIN store", "contract")

    async def ours() -> None:
        async with at.database.transaction(dealer) as tx:
            await customer_list.find(tx, condition)

    async def bare() -> None:
        async with at.bare.acquire() as connection, connection.transaction():
            await connection.execute("SELECT set_config('app.dealer', $1, true)", dealer)
            if len(await connection.fetch(statement, *values)) > 100:
                await connection.fetchval(counting, *values)

    ours_s: list[float] = []
    bare_s: list[float] = []
    for turn in range(rounds + 5):
        for act, seconds in ((ours, ours_s), (bare, bare_s)):
            began = time.perf_counter()
            await act()
            if turn >= 5:
                seconds.append(time.perf_counter() - began)
    return ours_s, bare_s


def p(seconds: list[float], share: float) -> float:
    """The given share's quantile in milliseconds."""
    return sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * share))] * 1000


async def searches(small: Hall, large: Hall, rounds: int) -> list[str]:
    """Every mode: the small dealer in both databases, and the large dealer."""
    lines = [
        "| search | dealer | ours p50 | ours p99 | bare p50 | bare p99 | p99 ratio | growth p50 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, (mode, typed) in SEARCHES.items():
        before, _ = await time_search(small, SMALL_DEALER, mode, typed, rounds)
        for dealer in (SMALL_DEALER, LARGE_DEALER):
            ours, bare = await time_search(large, dealer, mode, typed, rounds)
            growth = f"{p(ours, 0.5) / p(before, 0.5):.2f}" if dealer == SMALL_DEALER else ""
            lines.append(
                f"| {name} | {dealer} | {p(ours, 0.5):.1f} ms | {p(ours, 0.99):.1f} ms "
                f"| {p(bare, 0.5):.1f} ms | {p(bare, 0.99):.1f} ms "
                f"| {p(ours, 0.99) / p(bare, 0.99):.2f} | {growth} |"
            )
            print(lines[-1], flush=True)
    return lines


async def ask(
    app: Any, method: str, path: str, token: str, query: dict[str, str], body: object = None
) -> tuple[int, int]:
    """Call an ASGI app; status and bytes. No socket: what is measured is the app."""
    status = size = 0
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": urlencode(query).encode(),
        "headers": [
            (b"authorization", f"Bearer {token}".encode()),
            (b"content-type", b"application/json"),
        ],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("bench", 80),
        "client": ("bench", 1),
        "root_path": "",
    }
    sent = orjson.dumps(body) if body is not None else b""

    asked, gone = False, asyncio.Event()

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if asked:
            await gone.wait()  # the client stays until it has everything
        asked = True
        return {"type": "http.request", "body": sent, "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status, size
        status = message.get("status", status)
        size += len(message.get("body", b""))

    await app(scope, receive, send)
    return status, size


def token_of(dealer: str) -> str:
    who = auth.Principal("bench", "bench", dealer, None, "H001", frozenset({auth.Role.HQ}), None)
    claims = auth.claims_of(who) | {"iss": ISSUER, "aud": "bench", "exp": 9_999_999_999}
    return jwt.encode({"alg": "ES256", "kid": "bench"}, claims, KEY)


def service_app(at: Hall) -> FastAPI:
    verifier = auth.TokenVerifier(auth.StaticKeys(KeySet([KEY])), issuer=ISSUER, audience="bench")
    clock = TravelClock()
    clock.travel_to(datetime(2025, 7, 15, 1, tzinfo=UTC))
    return create_app(at.database, clock, auth.principal_of(verifier))


def bare_app(at: Hall, condition: customer_list.Condition) -> FastAPI:
    """FastAPI and asyncpg, and nothing else: the same rows as JSON."""
    app = FastAPI(openapi_url=None)
    statement, values = bare_statement(condition)

    @app.get("/contracts")
    async def contracts() -> Response:
        async with at.bare.acquire() as connection, connection.transaction():
            await connection.execute("SELECT set_config('app.dealer', $1, true)", SMALL_DEALER)
            rows = await connection.fetch(statement, *values)
        return Response(orjson.dumps([dict(row) for row in rows]), media_type="application/json")

    return app


async def http(at: Hall, requests: int) -> list[str]:
    """Requests per second of the search endpoint and of a bare handler, at four at a time."""
    mode, typed = SEARCHES["model and product"]
    condition, query = condition_of(SMALL_DEALER, mode, typed), {"mode": mode, **typed}
    ours, bare, token = service_app(at), bare_app(at, condition), token_of(SMALL_DEALER)

    async def rate(app: Any, path: str) -> float:
        async def some() -> None:
            for _ in range(requests // 4):
                status, _ = await ask(app, "GET", path, token, query)
                assert status == 200

        began = time.perf_counter()
        await asyncio.gather(*(some() for _ in range(4)))
        return requests / (time.perf_counter() - began)

    ratios = []
    for _ in range(5):
        mine, theirs = (
            await rate(ours, "/api/contracts/v1/contracts"),
            await rate(bare, "/contracts"),
        )
        print(f"  search over HTTP {mine:.0f}/s, bare handler {theirs:.0f}/s", flush=True)
        ratios.append((mine / theirs, mine, theirs))
    ratio, mine, theirs = sorted(ratios)[2]
    return [f"Search endpoint {mine:.0f}/s, bare FastAPI + asyncpg {theirs:.0f}/s: {ratio:.2f}."]


BARE_LOCK = "SELECT * FROM contract WHERE dealer_id = $1 AND contract_no = ANY($2) FOR UPDATE"
BARE_UPDATE = """UPDATE contract SET pending_change_id = $2, hidden_from_store_on = $3,
                 version = version + 1 WHERE contract_no = $1"""
BARE_CHANGE = """INSERT INTO assignment_change (change_id, dealer_id, contract_no, from_store,
    to_store, registered_on, registered_at, registered_by, reflect_earliest_on, reflect_latest_on,
    state) VALUES ($2, $4, $1, 'S10', 'S20', $3, now(), 'bench', $3, $3, 'pending')"""
BARE_EVENT = """INSERT INTO outbox (event_id, lane, type, aggregate_type, aggregate_id, sequence,
    dealer_id, occurred_at, payload, headers)
    VALUES ($2, 0, 'bench', 'contract', $1, 1, $3, now(), '{}', '{}')"""


async def bulk(at: Hall, rounds: int) -> list[str]:
    """A bulk change of 100 rows over the API beside the bare statements in one transaction."""
    ours_s, bare_s, app, token = [], [], service_app(at), token_of(LARGE_DEALER)
    async with at.bare.acquire() as connection, connection.transaction():
        await connection.execute("SELECT set_config('app.dealer', $1, true)", LARGE_DEALER)
        found = await connection.fetch(
            """SELECT contract_no FROM contract JOIN product USING (product_code)
               WHERE dealer_id = $1 AND transferable AND store_code = 'S10' LIMIT $2""",
            LARGE_DEALER,
            rounds * 200,
        )
    numbers = [row["contract_no"] for row in found]
    for turn in range(rounds):
        mine = numbers[turn * 200 : turn * 200 + 100]
        theirs = numbers[turn * 200 + 100 : turn * 200 + 200]
        rows = [{"contract_no": number, "to_store": "S20"} for number in mine]
        began = time.perf_counter()
        path = "/api/contracts/v1/assignment-changes"
        status, _ = await ask(app, "POST", path, token, {}, {"rows": rows})
        ours_s.append(time.perf_counter() - began)
        assert status == 200
        began = time.perf_counter()
        await bare_bulk(at, theirs)
        bare_s.append(time.perf_counter() - began)
    ratio = statistics.median(a / b for a, b in zip(ours_s, bare_s, strict=True))
    mine_ms, bare_ms = p(ours_s, 0.5), p(bare_s, 0.5)
    return [f"Bulk change of 100: {mine_ms:.0f} ms by HTTP, bare {bare_ms:.0f} ms: {ratio:.2f}."]


async def bare_bulk(at: Hall, numbers: list[str]) -> None:
    """Lock, update, note and tell of 100 contracts, as plain as can be."""
    ids = [uuid4() for _ in numbers]
    both = list(zip(numbers, ids, strict=True))
    async with at.bare.acquire() as connection, connection.transaction():
        await connection.execute("SELECT set_config('app.dealer', $1, true)", LARGE_DEALER)
        await connection.fetch(BARE_LOCK, LARGE_DEALER, numbers)
        await connection.executemany(BARE_UPDATE, [(n, i, TODAY) for n, i in both])
        await connection.executemany(BARE_CHANGE, [(n, i, TODAY, LARGE_DEALER) for n, i in both])
        await connection.executemany(BARE_EVENT, [(n, i, LARGE_DEALER) for n, i in both])


async def csv(at: Hall) -> list[str]:
    """Every contract of the large dealer as CSV: rows per second, and how memory grows."""
    app, token, query = service_app(at), token_of(LARGE_DEALER), {"mode": "general"}
    path = "/api/contracts/v1/contracts.csv"
    await ask(app, "GET", path, token, {**query, "final_to": "2025-07"})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    status, size = await ask(app, "GET", path, token, {**query, "final_from": "2000-01"})
    took = time.perf_counter() - began
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert status == 200
    what = f"CSV of dealer {LARGE_DEALER}: {size / 1e6:.1f} MB in {took:.1f} s"
    return [f"{what}; the highest memory of the process grew by {grown:.1f} MB."]


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
                lambda: http(large, 400),
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
