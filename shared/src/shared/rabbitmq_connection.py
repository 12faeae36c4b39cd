"""RabbitMQ connections that are always closed, also where opening or closing failed.

aio-pika leaves such a connection to the garbage collector, which runs in any thread or event loop:
its `close()` is then called where nothing can await it.
"""

from functools import partial

import aio_pika
from aio_pika.abc import TimeoutType
from aio_pika.exceptions import ConnectionClosed
from aiormq.abc import ExceptionType


class Connection(aio_pika.Connection):
    """A connection that counts as closed after every failed `connect` and every `close`."""

    async def connect(self, timeout: TimeoutType = None) -> None:  # noqa: ASYNC109 - as aio-pika
        """Open it, or close it. Raises what aio-pika raises."""
        try:
            await super().connect(timeout)
        except BaseException:
            await self.close()
            raise

    async def close(self, exc: ExceptionType | None = ConnectionClosed) -> None:
        """Close it; after a failure or a cancellation it is closed as well."""
        try:
            await super().close(exc)
        finally:
            await super().close(exc)  # without its transport: only marked as closed


connect = partial(aio_pika.connect, connection_class=Connection)
