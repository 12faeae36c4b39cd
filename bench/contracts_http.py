"""HTTP cost in the contracts benchmark: search against a bare handler, bulk change, large CSV."""

import asyncio
import resource
import statistics
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import orjson
from fastapi import FastAPI, Response

from bench.compare import ask, p, principal_of_bench, token_of
from bench.contracts_fixture import LARGE_DEALER, SMALL_DEALER, TODAY, FilledDatabase
from bench.contracts_search import SEARCHES, bare_statement, condition_of
from contracts_service import customer_list
from contracts_service.app import create_app
from shared.clock import TravelClock


def service_app(at: FilledDatabase) -> FastAPI:
    """The service's application, with a clock in July 2025."""
    clock = TravelClock()
    clock.travel_to(datetime(2025, 7, 15, 1, tzinfo=UTC))
    return create_app(at.database, clock, principal_of_bench())


def bare_app(at: FilledDatabase, condition: customer_list.Condition) -> FastAPI:
    """Only FastAPI and asyncpg, returning the same rows as JSON."""
    app = FastAPI(openapi_url=None)
    statement, values = bare_statement(condition)

    @app.get("/contracts")
    async def contracts() -> Response:
        async with at.bare.acquire() as connection, connection.transaction():
            await connection.execute("SELECT set_config('app.dealer', $1, true)", SMALL_DEALER)
            rows = await connection.fetch(statement, *values)
        return Response(orjson.dumps([dict(row) for row in rows]), media_type="application/json")

    return app


async def http(at: FilledDatabase, rounds: int) -> list[str]:
    """Requests per second of the search and of a bare handler, in turns of 40, 4 at once."""
    mode, typed = SEARCHES["model and product"]
    condition, query = condition_of(SMALL_DEALER, mode, typed), {"mode": mode, **typed}
    ours, bare, token = service_app(at), bare_app(at, condition), token_of(SMALL_DEALER)

    async def rate(app: Any, path: str) -> float:
        async def some() -> None:
            for _ in range(10):
                status, _ = await ask(app, "GET", path, token, query)
                assert status == 200

        began = time.perf_counter()
        await asyncio.gather(*(some() for _ in range(4)))
        return 40 / (time.perf_counter() - began)

    both = []
    for _ in range(rounds):
        mine = await rate(ours, "/api/contracts/v1/contracts")
        both.append((mine, await rate(bare, "/contracts")))
    ratio = statistics.median(mine / theirs for mine, theirs in both)
    mine, theirs = (statistics.median(rates) for rates in zip(*both, strict=True))
    rates = f"Search endpoint {mine:.0f}/s, bare FastAPI + asyncpg {theirs:.0f}/s"
    return [f"{rates}: median ratio of {rounds} turns {ratio:.2f}."]


BARE_LOCK = "SELECT * FROM contract WHERE dealer_id = $1 AND contract_no = ANY($2) FOR UPDATE"
BARE_UPDATE = """UPDATE contract SET pending_change_id = $2, hidden_from_store_on = $3,
                 version = version + 1 WHERE contract_no = $1"""
BARE_CHANGE = """INSERT INTO assignment_change (change_id, dealer_id, contract_no, from_store,
    to_store, registered_on, registered_at, registered_by, reflect_earliest_on, reflect_latest_on,
    state) VALUES ($2, $4, $1, 'S10', 'S20', $3, now(), 'bench', $3, $3, 'pending')"""
BARE_EVENT = """INSERT INTO outbox (event_id, lane, type, aggregate_type, aggregate_id, sequence,
    dealer_id, occurred_at, payload, headers)
    VALUES ($2, 0, 'bench', 'contract', $1, 1, $3, now(), '{}', '{}')"""


async def bulk(at: FilledDatabase, rounds: int) -> list[str]:
    """A bulk change of 100 rows over the API against the bare statements in one transaction."""
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


async def bare_bulk(at: FilledDatabase, numbers: list[str]) -> None:
    """Lock, update, log and publish 100 contracts in bare SQL."""
    ids = [uuid4() for _ in numbers]
    both = list(zip(numbers, ids, strict=True))
    async with at.bare.acquire() as connection, connection.transaction():
        await connection.execute("SELECT set_config('app.dealer', $1, true)", LARGE_DEALER)
        await connection.fetch(BARE_LOCK, LARGE_DEALER, numbers)
        await connection.executemany(BARE_UPDATE, [(n, i, TODAY) for n, i in both])
        await connection.executemany(BARE_CHANGE, [(n, i, TODAY, LARGE_DEALER) for n, i in both])
        await connection.executemany(BARE_EVENT, [(n, i, LARGE_DEALER) for n, i in both])


async def csv(at: FilledDatabase) -> list[str]:
    """Export every contract of the large dealer as CSV: rows per second, and memory growth."""
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
    return [f"{what}; the peak memory of the process grew by {grown:.1f} MB."]
