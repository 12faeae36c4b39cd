"""LISTEN/NOTIFY wake-ups for waiting workers, with polling as a fallback.

A statement trigger notifies the channel of the table (`outbox`, `inbox`, `timer`). A notification
may be lost with its connection: without a connection every waiter polls often, with one seldom.
"""

import asyncio
import contextlib
from collections.abc import Sequence

import asyncpg
import structlog

from shared.postgres_connection import connect

log = structlog.get_logger()

LOST = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""How a lost connection shows; the last one while the server is terminating it."""

SELDOM_S = 30.0
"""Longest wait while the listener is connected."""
OFTEN_S = 0.5
"""Longest wait while it is not, or while due work is locked by another worker."""
LISTENER = "madoguchi listener"
"""The application name of the listening connection in `pg_stat_activity`."""


class WorkSignal:
    """A wake-up signal for any number of waiters: `set` wakes them all.

    A waiter reads `count` before it looks for work: a signal in between ends its wait at once.
    """

    def __init__(self, seldom_s: float = SELDOM_S) -> None:
        self.count = 0
        self.listening = False
        self._seldom_s = seldom_s
        self._next = asyncio.Event()

    def set(self) -> None:
        """Wake all waiters: there may be work."""
        self.count += 1
        self._next.set()
        self._next = asyncio.Event()

    async def wait(self, seen: int, due_s: float | None = None) -> None:
        """Return when it was set since `count` was `seen`, or when it is time to poll again.

        `due_s` is the number of seconds until known work falls due. Work that is due already but
        could not be claimed is locked by another worker, which may drop it.
        """
        if self.count != seen:
            return
        at_most = self._seldom_s if self.listening else OFTEN_S
        if due_s is not None:
            at_most = min(at_most, due_s if due_s > 0 else OFTEN_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(at_most):
                await self._next.wait()


class NotificationListener:
    """The one connection of a process that listens for the notifications of one database."""

    def __init__(self, url: str, channels: Sequence[str], seldom_s: float = SELDOM_S) -> None:
        self._url = url
        self._wakeups = {channel: WorkSignal(seldom_s) for channel in channels}

    def __getitem__(self, channel: str) -> WorkSignal:
        return self._wakeups[channel]

    async def run(self) -> None:
        """Listen until cancelled; reconnect whenever the connection is lost."""
        while True:
            try:
                await self._listen()
            except LOST as cause:
                log.warning("notify_listener_lost", cause=type(cause).__name__)
            await asyncio.sleep(1)

    async def _listen(self) -> None:
        connection = await connect(self._url, server_settings={"application_name": LISTENER})
        gone = asyncio.Event()
        connection.add_termination_listener(lambda _: gone.set())
        try:
            for channel, wakeup in self._wakeups.items():
                await connection.add_listener(channel, lambda *_, w=wakeup: w.set())
            self._set_listening(listening=True)
            while not gone.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(5):
                        await gone.wait()
                if not gone.is_set():
                    await connection.execute("SELECT 1", timeout=5)
        finally:
            self._set_listening(listening=False)
            connection.terminate()

    def _set_listening(self, *, listening: bool) -> None:
        """Wake every waiter, so that it applies the new longest wait."""
        for wakeup in self._wakeups.values():
            wakeup.listening = listening
            wakeup.set()
