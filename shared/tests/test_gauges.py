"""Gauges: read by each API when it is scraped, and without a value where they cannot be read."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter
from prometheus_client import Gauge
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from madoguchi.embedded.process_layout import write_targets
from shared import metrics
from shared.api import create_api
from shared.clock import SystemClock
from shared.db import EVERY_DEALER, Database
from shared.service import Service, ServiceRuntime
from shared.testing.people import verifier
from shared.tokens import principal_of

NewDatabase = Callable[[str], Awaitable[str]]
OWN = Gauge("madoguchi_test_of_gauges", "a service's own", ["service"])
NOW = datetime(2026, 11, 30, tzinfo=UTC)


async def own(_tx: AsyncSession, _now: datetime) -> dict[Gauge, float]:
    return {OWN: 7}


def value(name: str) -> float | None:
    return metrics.REGISTRY.get_sample_value(name, {"service": "gauged"})


@pytest.fixture
async def database(new_database: NewDatabase) -> AsyncIterator[Database]:
    database = Database(await new_database("shared"))
    yield database
    await database.close()
    metrics.Gauges("gauged").forget()


async def scraped(service: Service, database: Database) -> str:
    known = principal_of(verifier())
    router = APIRouter()
    api = create_api(service, router, database=database, clock=SystemClock(), principal_of=known)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api)) as http:
        return (await http.get("http://api/metrics")).text


async def test_an_api_reads_the_gauges_without_any_worker(database: Database) -> None:
    service = Service("gauged", "shared", measure=own)
    async with database.transaction(EVERY_DEALER) as tx:
        await tx.execute(
            text(
                "INSERT INTO outbox_queue VALUES (1, clock_timestamp() - interval '90 seconds', 0)"
            )
        )
    shown = await scraped(service, database)
    [line] = [
        x for x in shown.splitlines() if x.startswith('madoguchi_outbox_age_seconds{service="g')
    ]
    assert 90 <= float(line.split()[1]) < 3600
    assert 'madoguchi_test_of_gauges{service="gauged"} 7.0' in shown
    async with database.transaction(EVERY_DEALER) as tx:
        assert (await tx.execute(text("SELECT count(*) FROM lag_sample"))).scalar_one() == 0


async def test_without_a_database_a_gauge_has_no_value(database: Database) -> None:
    gauges = metrics.Gauges("gauged", own)
    await gauges.read(database, now=NOW)
    assert (value("madoguchi_inbox_dead_events"), value("madoguchi_test_of_gauges")) == (0, 7)
    away = Database("postgresql://nobody@127.0.0.1:1/x")
    with pytest.raises(OSError, match="gives no connection"):
        await gauges.read(away, now=NOW)
    assert (value("madoguchi_inbox_dead_events"), value("madoguchi_test_of_gauges")) == (None, None)
    service = Service("gauged", "shared", measure=own)
    assert 'service="gauged"' not in await scraped(service, away)
    await away.close()


async def test_a_worker_that_loses_its_database_leaves_no_old_value(database: Database) -> None:
    await metrics.sample(database, metrics.Gauges("gauged"), now=NOW)
    assert value("madoguchi_inbox_dead_events") == 0
    away = Database("postgresql://nobody@127.0.0.1:1/x")
    running = ServiceRuntime(Service("gauged", "shared"), away, SystemClock())
    task = asyncio.create_task(running._housekeeping())
    for _ in range(500):
        if value("madoguchi_inbox_dead_events") is None:
            break
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await away.close()
    assert value("madoguchi_inbox_dead_events") is None


def test_the_targets_name_every_process(tmp_path: Path) -> None:
    write_targets(tmp_path / "t.json", {"returns": 1, "portal": 2}, {"returns": 3})
    known = {
        target["labels"]["process"]: target["targets"]
        for target in json.loads((tmp_path / "t.json").read_text())
    }
    assert known == {
        "returns-api": ["127.0.0.1:1"],
        "portal": ["127.0.0.1:2"],
        "returns-worker": ["127.0.0.1:3"],
    }
