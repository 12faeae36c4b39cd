"""RabbitMQ connections that failed leave nothing for the garbage collector to close."""

import asyncio
import contextlib
import gc
import threading
import warnings
from collections.abc import AsyncIterator

import aiormq
import pytest
from yarl import URL

from shared.rabbitmq_connection import Connection, connect
from shared.testing.servers import free_port


class Silent:
    """A server that accepts connections and stays silent; hangs up at once if asked to."""

    def __init__(self, *, hangs_up: bool) -> None:
        self.hangs_up = hangs_up
        self.called = asyncio.Event()

    async def __call__(self, caller: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        self.called.set()
        if not self.hangs_up:
            await caller.read()
        answer.close()


@contextlib.asynccontextmanager
async def address_of(server: Silent) -> AsyncIterator[URL]:
    started = await asyncio.start_server(server, "127.0.0.1", 0)
    yield URL(f"amqp://127.0.0.1:{started.sockets[0].getsockname()[1]}/")
    started.close()


def collected_elsewhere() -> list[str]:
    """Warnings raised where the collector runs in a thread without an event loop."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        collector = threading.Thread(target=gc.collect)
        collector.start()
        collector.join()
    return [str(one.message) for one in caught]


async def fails(url: URL, seconds: float) -> None:
    """Fail to connect; the exception keeps itself and its frames until they are collected."""
    try:
        await connect(url, timeout=seconds)
    except (OSError, aiormq.exceptions.AMQPError) as failure:
        failure.args = (failure,)
        return
    pytest.fail("the server answered")


async def test_a_connection_that_never_opened_is_closed() -> None:
    gc.disable()
    try:
        async with address_of(Silent(hangs_up=True)) as url:
            await fails(url, 20)
        async with address_of(Silent(hangs_up=False)) as url:
            await fails(url, 0.1)
        await fails(URL(f"amqp://127.0.0.1:{free_port()}/"), 20)
        assert collected_elsewhere() == []
    finally:
        gc.enable()


async def test_a_connection_whose_opening_was_cancelled_is_closed() -> None:
    server = Silent(hangs_up=False)
    async with address_of(server) as url:
        connection = Connection(url)
        opening = asyncio.create_task(connection.connect())
        await server.called.wait()
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
    assert connection.is_closed


async def test_a_closing_that_was_cancelled_counts_as_closed(rabbitmq_url: str) -> None:
    connection = await connect(rabbitmq_url)
    closing = asyncio.create_task(connection.close())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.gather(closing, return_exceptions=True)
    assert connection.is_closed
