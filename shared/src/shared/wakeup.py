"""How does a waiting worker learn that there is work? PostgreSQL rings, and it looks by itself too.

A statement trigger notifies the channel of the table (`outbox`, `inbox`, `timer`). A ring may be
lost with its connection, so that every waiter also looks after a while without one.
"""

import asyncio
import contextlib
from collections.abc import Sequence

import asyncpg
import structlog

log = structlog.get_logger()

LOST = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""How the end of a connection shows; the last one while the server is just ending it."""


class Wakeup:
    """Something to wait on: `ring` ends every present wait, or the next one at once."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """There is work."""
        self._rung.set()

    async def wait(self, at_most: float) -> None:
        """Return at a ring, or after `at_most` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(at_most):
                await self._rung.wait()
        self._rung.clear()


class Bells:
    """One connection that listens for the rings of one database."""

    def __init__(self, url: str, channels: Sequence[str]) -> None:
        self._url = url
        self._wakeups = {channel: Wakeup() for channel in channels}

    def __getitem__(self, channel: str) -> Wakeup:
        return self._wakeups[channel]

    async def run(self) -> None:
        """Listen until cancelled; connect again whenever the connection is lost."""
        while True:
            try:
                await self._listen()
            except LOST as cause:
                log.warning("bells_silent", cause=type(cause).__name__)
            await asyncio.sleep(1)

    async def _listen(self) -> None:
        connection = await asyncpg.connect(self._url, timeout=10)
        try:
            for channel, wakeup in self._wakeups.items():
                await connection.add_listener(channel, lambda *_, w=wakeup: w.ring())
                wakeup.ring()
            while not connection.is_closed():
                await asyncio.sleep(5)
                await connection.execute("SELECT 1", timeout=5)
        finally:
            connection.terminate()
