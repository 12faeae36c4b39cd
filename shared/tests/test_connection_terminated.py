"""Terminated connections: lost when the server says so, even while the socket is still open."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

from shared.db import Database
from shared.notifications import NotificationListener

from .test_db import NewDatabase, end_all_but_own


@asynccontextmanager
async def half_open_proxy(url: str) -> AsyncIterator[str]:
    """The URL of a proxy to the server that passes on its data, but never that it hung up."""
    to = urlsplit(url)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        await asyncio.sleep(3600)

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(to.hostname, to.port)
        pipes = [
            asyncio.create_task(pump(*pipe))
            for pipe in ((reader, far_writer), (far_reader, writer))
        ]
        open_pipes.extend(pipes)
        await asyncio.gather(*pipes, return_exceptions=True)
        writer.close()
        far_writer.close()

    open_pipes: list[asyncio.Task[None]] = []
    server = await asyncio.start_server(join, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield urlunsplit(to._replace(netloc=f"{to.username}:{to.password}@127.0.0.1:{port}"))
    for pipe in open_pipes:
        pipe.cancel()
    server.close()


async def test_a_terminated_listener_reconnects(new_database: NewDatabase) -> None:
    url = await new_database("shared")
    other = Database(url, pool_size=1)
    async with half_open_proxy(url) as proxy_url:
        listener = NotificationListener(proxy_url, ("outbox",))
        wakeup = listener["outbox"]
        listening = asyncio.create_task(listener.run())
        async with asyncio.timeout(60):
            while not wakeup.listening:
                await wakeup.wait(wakeup.count)
            seen = wakeup.count
            await end_all_but_own(other)
            while not wakeup.listening or wakeup.count < seen + 2:  # lost, and listening again
                await wakeup.wait(wakeup.count)
        assert not listening.done()
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
    await other.close()
