"""How does a waiting worker learn that there is work? By `NOTIFY`, and by looking itself.

A statement trigger notifies the channel of the table (`outbox`, `inbox`, `timer`). A ring may be
lost with its connection: while there is none, every waiter looks often; while there is one, seldom.
"""

import asyncio
import contextlib
from collections.abc import Sequence

import asyncpg
import structlog

log = structlog.get_logger()

LOST = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""How the end of a connection shows; the last one while the server is just ending it."""

SELDOM_S = 30.0
"""How long a waiter waits at most while notifications arrive."""
OFTEN_S = 0.5
"""The same while they are not, or while what is due is in the hands of another."""
LISTENER = "madoguchi listener"
"""The name of the listening connection in `pg_stat_activity`."""


class WorkSignal:
    """Something to wait on, for any number of waiters: `ring` wakes them all.

    A waiter notes `count` before it looks for work: a ring while it looked ends its wait at once.
    """

    def __init__(self, seldom_s: float = SELDOM_S) -> None:
        self.count = 0
        self.heard = False
        self._seldom_s = seldom_s
        self._next = asyncio.Event()

    def set(self) -> None:
        """There is work."""
        self.count += 1
        self._next.set()
        self._next = asyncio.Event()

    async def wait(self, seen: int, due_s: float | None = None) -> None:
        """Return when it has rung since `count` was `seen`, or when it is time to look again.

        `due_s` is in how many seconds known work falls due. What is due already and could not be
        had is in the hands of another, who may drop it.
        """
        if self.count != seen:
            return
        at_most = self._seldom_s if self.heard else OFTEN_S
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
        """Listen until cancelled; connect again whenever the connection is lost."""
        while True:
            try:
                await self._listen()
            except LOST as cause:
                log.warning("notify_listener_lost", cause=type(cause).__name__)
            await asyncio.sleep(1)

    async def _listen(self) -> None:
        connection = await asyncpg.connect(
            self._url, timeout=10, server_settings={"application_name": LISTENER}
        )
        gone = asyncio.Event()
        connection.add_termination_listener(lambda _: gone.set())
        try:
            for channel, wakeup in self._wakeups.items():
                await connection.add_listener(channel, lambda *_, w=wakeup: w.set())
            self._heard(heard=True)
            while not gone.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(5):
                        await gone.wait()
                if not gone.is_set():
                    await connection.execute("SELECT 1", timeout=5)
        finally:
            self._heard(heard=False)
            connection.terminate()

    def _heard(self, *, heard: bool) -> None:
        """Let every waiter look, and know how long it may wait from now on."""
        for wakeup in self._wakeups.values():
            wakeup.heard = heard
            wakeup.set()
