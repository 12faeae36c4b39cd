"""Webhook receiver for tests: a real server that can misbehave."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class ReceivedRequest:
    """One request as received."""

    headers: dict[str, str]
    body: str


@dataclass
class Receiver:
    """Answers the nth request as `behave(n)` says; `most_at_once` is the highest concurrency."""

    seen: list[ReceivedRequest] = field(default_factory=list)
    behave: Callable[[int], Behaviour] = lambda _: says(204)
    port: int = 0
    at_once: int = 0
    most_at_once: int = 0
    _server: asyncio.Server | None = None
    _busy: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}/hook"

    async def open(self, trust: ssl.SSLContext | None = None) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=trust)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._busy:
            for task in self._busy:
                task.cancel()
            await asyncio.wait(self._busy)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)
        try:
            await self._answer(reader, writer)
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            pairs = (line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
            headers = {name.lower(): value for name, value in pairs}
            body = await reader.readexactly(int(headers["content-length"]))
            self.seen.append(ReceivedRequest(headers, body.decode()))
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            try:
                await self.behave(len(self.seen))(writer)
            finally:
                self.at_once -= 1


def says(status: int, body: bytes = b"", **headers: str) -> Behaviour:
    async def answer(writer: asyncio.StreamWriter) -> None:
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        head = "\r\n".join([f"HTTP/1.1 {status} X", f"content-length: {len(body)}", *lines])
        writer.write(head.encode() + b"\r\n\r\n" + body)
        await writer.drain()

    return answer


async def cut(_: asyncio.StreamWriter) -> None:
    """Close the connection after the request was read."""


async def hang(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3600)


async def drip(writer: asyncio.StreamWriter) -> None:
    """An endless answer, a byte at a time, that never has a status."""
    while True:
        writer.write(b"H")
        await writer.drain()
        await asyncio.sleep(0.02)


async def flood(writer: asyncio.StreamWriter) -> None:
    """An endless answer."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write("あ".encode() * 20_000)
        await writer.drain()


def waits(gate: asyncio.Event, then: Behaviour) -> Behaviour:
    async def answer(writer: asyncio.StreamWriter) -> None:
        await gate.wait()
        await then(writer)

    return answer


@contextlib.asynccontextmanager
async def receiving(trust: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.open(trust)
    yield receiver
    await receiver.close()
