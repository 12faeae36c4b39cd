"""Readiness probes of a worker process: whether events reach it."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable

import aio_pika
import httpx
import pytest

from shared.rabbitmq import Topology
from shared.testing.servers import free_port

Answer = tuple[int, dict[str, bool]]


@pytest.fixture
async def worker(
    new_database: Callable[[str], Awaitable[str]], rabbitmq_url: str, topology: Topology
) -> AsyncIterator[str]:
    """The URL of the probes of a returns worker."""
    port = free_port()
    settings = {
        "DATABASE_URL": await new_database("returns_service"),
        "RABBITMQ_URL": rabbitmq_url,
        "EVENT_PREFIX": topology.prefix,
        "ISSUER": "http://issuer",
        "JWKS_URL": "http://issuer/jwks",
    }
    process = subprocess.Popen(  # noqa: ASYNC220 - starts and returns
        [sys.executable, "-m", "shared.main", "returns_service", "worker", "--port", str(port)],
        env={**os.environ, **{f"RETURNS_{name}": value for name, value in settings.items()}},
        stdout=subprocess.DEVNULL,
    )
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    assert await asyncio.to_thread(process.wait, 20) == 0


async def becomes(url: str, status: int, **parts: bool) -> None:
    """Poll `/readyz` until it answers with this status and these components."""
    answered: Answer | None = None
    async with httpx.AsyncClient(timeout=60) as http:
        for _ in range(300):
            try:
                answer = await http.get(f"{url}/readyz")
                answered = (answer.status_code, answer.json())
            except httpx.TransportError:
                answered = None
            if answered == (status, parts):
                return
            await asyncio.sleep(0.1)
    raise AssertionError(answered)


async def test_a_worker_is_ready_while_it_consumes_and_only_then(
    worker: str, rabbitmq_url: str, topology: Topology
) -> None:
    await becomes(worker, 200, database=True, consumer=True)
    async with await aio_pika.connect(rabbitmq_url) as connection, connection.channel() as channel:
        await channel.queue_delete(topology.queue("returns"))
    await becomes(worker, 503, database=True, consumer=False)
    async with httpx.AsyncClient(timeout=60) as http:
        assert (await http.get(f"{worker}/livez")).status_code == 200
        assert (
            'madoguchi_inbox_lag_seconds{service="returns"}'
            in (await http.get(f"{worker}/metrics")).text
        )
