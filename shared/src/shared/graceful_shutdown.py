"""Graceful shutdown of a process that serves HTTP, without breaking a request.

At SIGTERM every request on an open connection is still answered, with `Connection: close`. New
connections are refused, which makes a gateway try the next process: nothing was sent, so not even a
POST can happen twice. A connection that a gateway keeps alive is closed by us only after `idle_s`
seconds without a request: a gateway that closes its own idle connections sooner never sends on one
that we are about to close. The shutdown ends within `idle_s` and `LONGEST_ANSWER_S`.
"""

import asyncio
import contextlib
import ctypes
import os
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import uvicorn
from starlette.types import ASGIApp

IDLE_S = 2.0
LONGEST_ANSWER_S = 5
HANDSHAKE_S = 0.05

SO_ATTACH_FILTER = 26
DROP_SYN = (  # classic BPF over the TCP header: code, jump if true, jump if false, value
    (0x30, 0, 0, 13),  # load the byte of the flags
    (0x45, 0, 1, 0x02),  # is SYN set?
    (0x06, 0, 0, 0),  # then drop the packet,
    (0x06, 0, 0, 0xFFFFFFFF),  # else keep it
)


class GracefulServer(uvicorn.Server):
    """Stops at Ctrl-C or SIGTERM; further signals are ignored during the shutdown."""

    def __init__(
        self,
        app: ASGIApp,
        host: str,
        port: int,
        *,
        idle_s: float = IDLE_S,
        lifespan: Literal["off", "on"] = "off",
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app, host=host, port=port, access_log=False, log_config=None, lifespan=lifespan,
                timeout_graceful_shutdown=LONGEST_ANSWER_S,
            )
        )  # fmt: skip
        self.idle_s = idle_s

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle the first signal until the event loop ends; never raise it again."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop)
        yield

    def _stop(self) -> None:
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Refuse new connections, answer requests on the open ones, then close them."""
        closing = (b"connection", b"close")
        self.server_state.default_headers = [*self.server_state.default_headers, closing]
        for server in self.servers:
            for listener in server.sockets:
                stop_accepting(listener.fileno())
        end = time.monotonic() + self.idle_s
        await asyncio.sleep(HANDSHAKE_S)  # handshakes under way are accepted meanwhile
        while self._calls_wait() and time.monotonic() < end:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        for server in self.servers:
            server.close()
        while self.server_state.connections and time.monotonic() < end:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        await super().shutdown(sockets)

    def _calls_wait(self) -> bool:
        """Whether the kernel holds connections that were not accepted yet."""
        waiting = select.poll()
        for server in self.servers:
            for listener in server.sockets:
                waiting.register(listener, select.POLLIN)
        return bool(waiting.poll(0))


def stop_accepting(listener: int) -> None:
    """Let a listening socket ignore new connections; clients retry after a second.

    Closing it at once would break connections that the kernel has established and that were not
    accepted yet: a client may have sent a request on one. Linux only; elsewhere that gap remains.
    """
    if sys.platform != "linux":
        return
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in DROP_SYN))
    program = struct.pack("HP", len(DROP_SYN), ctypes.addressof(code))
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(listener)) as same:
        same.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
