"""Graceful shutdown and rolling restarts: no accepted request is lost."""

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from resilience.rolling.rolling_run import roll
from resilience.rolling.topology import HOW_TO_GET_NGINX, NGINX, running_topology
from shared.graceful_shutdown import IDLE_S, LONGEST_ANSWER_S
from shared.testing.databases import TestDatabases
from shared.testing.servers import free_port

FOR_EVER = 3600


@pytest.fixture
async def process(
    request: pytest.FixtureRequest,
) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    port = free_port()
    idle_s = getattr(request, "param", IDLE_S)
    command = ("-m", "resilience.rolling.slow_app", str(port), str(idle_s))
    started = await asyncio.create_subprocess_exec(sys.executable, *command)
    async with httpx.AsyncClient(timeout=60) as http:
        while True:
            try:
                await http.get(f"http://127.0.0.1:{port}/")
            except httpx.ConnectError:
                await asyncio.sleep(0.02)
            else:
                break
    yield started, port
    if started.returncode is None:
        started.kill()
    await started.wait()


async def test_a_restart_under_load_fails_no_request(
    request: pytest.FixtureRequest, databases: TestDatabases
) -> None:
    if NGINX is None:
        capture = request.config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            print(f"\n{HOW_TO_GET_NGINX}\n")
        pytest.skip(HOW_TO_GET_NGINX)
    async with running_topology(databases, ["contracts"]) as world:
        report = await roll(world)
    assert len(report.stops) == 2
    assert report.sound, report.table()
    assert min(report.answered[kind] for kind in ("read", "memo", "moved", "back")) > 10


@asynccontextmanager
async def calls(
    port: int, number: int
) -> AsyncIterator[list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]:
    made = [await asyncio.open_connection("127.0.0.1", port) for _ in range(number)]
    try:
        yield made
    finally:
        for _, wire in made:
            wire.close()
            with contextlib.suppress(OSError):
                await wire.wait_closed()


async def post(port: int, wire: asyncio.StreamWriter, seconds: float) -> None:
    wire.write(f"POST /slow/{seconds} HTTP/1.1\r\nHost: x:{port}\r\n\r\n".encode())
    await wire.drain()


async def refuses(port: int) -> None:
    """Connect until connections are refused; before that they are ignored for a moment."""
    while True:
        try:
            async with asyncio.timeout(0.2):
                _, wire = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            return
        except TimeoutError:
            continue
        wire.close()


@pytest.mark.parametrize("process", [60], indirect=True)  # long enough not to matter
async def test_open_connections_are_served_and_new_ones_refused(
    process: tuple[asyncio.subprocess.Process, int],
) -> None:
    started, port = process
    async with calls(port, 3) as ((busy, to_busy), (kept, to_kept), (late, to_late)):
        await post(port, to_kept, 0)
        assert b"connection: close" not in await kept.readuntil(b'"done"')
        await post(port, to_busy, 1)
        started.send_signal(signal.SIGTERM)
        await asyncio.wait_for(refuses(port), 60)
        for stream, wire in ((kept, to_kept), (late, to_late)):
            await post(port, wire, 0)
            answer = await stream.read()
            assert answer.endswith(b'"done"')
            assert b"connection: close" in answer
        assert (await busy.readuntil(b'"done"')).startswith(b"HTTP/1.1 200")
    assert await asyncio.wait_for(started.wait(), 50) == 0


async def test_connections_not_yet_accepted_are_served(
    process: tuple[asyncio.subprocess.Process, int],
) -> None:
    started, port = process
    started.send_signal(signal.SIGSTOP)  # the kernel accepts connections, the process does not
    async with calls(port, 20) as wires:
        for _, wire in wires:
            await post(port, wire, 0)
        started.send_signal(signal.SIGTERM)
        started.send_signal(signal.SIGCONT)
        answers = await asyncio.gather(*(stream.readuntil(b'"done"') for stream, _ in wires))
    assert all(answer.startswith(b"HTTP/1.1 200") for answer in answers)


async def test_a_response_that_never_ends_does_not_keep_the_process(
    process: tuple[asyncio.subprocess.Process, int],
) -> None:
    started, port = process
    async with calls(port, 1) as [(stream, wire)]:
        await post(port, wire, FOR_EVER)
        begun = time.monotonic()
        started.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(started.wait(), 60) == 0
        assert time.monotonic() - begun >= LONGEST_ANSWER_S
        assert (await stream.read()).startswith(b"HTTP/1.1 500")
