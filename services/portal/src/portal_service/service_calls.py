"""Calls of the services' APIs: over the network, or directly where a service runs in this process.

A call costs what its client costs: aiohttp parses and writes HTTP in C, at a fraction of the time
of a client in Python (docs/performance.md).
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote, urlsplit

import aiohttp
from starlette.types import ASGIApp, Message
from yarl import URL

FILE_TIMEOUT_S = 25
"""An Excel file of the most rows is written before its first byte is sent."""
KEPT_OPEN_S = 1.5
"""An idle connection is closed before the service closes it (shared.graceful_shutdown)."""


class CallFailed(Exception):
    """No answer, or not in time."""


@dataclass(frozen=True, slots=True)
class ServiceAnswer:
    """An answer as it came; the names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class ServiceRequest:
    """A request to a service.

    `path` begins behind the address of its API and is not quoted yet; `query` is.
    """

    method: str
    service: str
    path: str
    headers: Mapping[str, str]
    query: str = ""
    body: bytes | None = None
    timeout_s: float | None = None
    """For what takes longer than other calls, such as a file that is scanned and stored."""


@dataclass(frozen=True, slots=True)
class StreamedAnswer:
    """Status and headers of an answer whose body is still on its way."""

    status: int
    headers: Mapping[str, str]
    parts: AsyncIterator[bytes]


class ServiceCalls(Protocol):
    """The services as they can be reached from here."""

    async def answer(self, request: ServiceRequest) -> ServiceAnswer:
        """The whole answer. Raises CallFailed."""

    def stream(self, request: ServiceRequest) -> AbstractAsyncContextManager[StreamedAnswer]:
        """The answer of a file, part by part. Raises CallFailed."""

    async def close(self) -> None:
        """Close all connections."""


class NetworkCalls:
    """The services over the network; `urls` are the addresses of their APIs."""

    def __init__(self, urls: Mapping[str, str], timeout_s: float) -> None:
        self._urls = urls
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._file_timeout = aiohttp.ClientTimeout(sock_connect=timeout_s, sock_read=FILE_TIMEOUT_S)
        self._session: aiohttp.ClientSession | None = None

    async def answer(self, request: ServiceRequest) -> ServiceAnswer:
        """See `ServiceCalls`."""
        try:
            timeout = self._timeout
            if request.timeout_s is not None:
                timeout = aiohttp.ClientTimeout(total=request.timeout_s)
            async with self._request(request, timeout) as answer:
                return ServiceAnswer(answer.status, _headers(answer), await answer.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise CallFailed(repr(error)) from error

    @asynccontextmanager
    async def stream(self, request: ServiceRequest) -> AsyncIterator[StreamedAnswer]:
        """See `ServiceCalls`."""
        try:
            async with self._request(request, self._file_timeout) as answer:
                yield StreamedAnswer(
                    answer.status, _headers(answer), answer.content.iter_chunked(1 << 16)
                )
        except (aiohttp.ClientError, TimeoutError) as error:
            raise CallFailed(repr(error)) from error

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    def _request(
        self, request: ServiceRequest, timeout: aiohttp.ClientTimeout
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEPT_OPEN_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"accept-encoding": "identity"},
            )
        address = self._urls[request.service] + quote(request.path)
        if request.query:
            address += f"?{request.query}"
        return self._session.request(
            request.method,
            URL(address, encoded=True),
            headers=request.headers,
            data=request.body,
            timeout=timeout,
            allow_redirects=False,
        )


class LocalCalls(NetworkCalls):
    """Services that run in this process are called directly; files come over the network."""

    def __init__(
        self, apps: Mapping[str, ASGIApp], urls: Mapping[str, str], timeout_s: float
    ) -> None:
        super().__init__(urls, timeout_s)
        self._apps = apps
        self._timeout_s = timeout_s
        self._roots = {name: urlsplit(url) for name, url in urls.items()}

    async def answer(self, request: ServiceRequest) -> ServiceAnswer:
        """See `ServiceCalls`."""
        app = self._apps[request.service]
        # A task of its own: what a service puts into its context ends with the call.
        called = asyncio.create_task(_called(app, self._scope(request), request.body or b""))
        try:
            async with asyncio.timeout(request.timeout_s or self._timeout_s):
                return await called
        except TimeoutError as error:
            raise CallFailed(repr(error)) from error

    def _scope(self, request: ServiceRequest) -> dict[str, object]:
        root = self._roots[request.service]
        path = root.path + request.path
        headers = {"host": root.netloc, **request.headers}
        if request.body is not None:
            headers["content-length"] = str(len(request.body))
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": root.scheme,
            "path": path,
            "raw_path": quote(path).encode(),
            "query_string": request.query.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 0),
            "server": (root.hostname, root.port),
        }


async def _called(app: ASGIApp, scope: dict[str, object], body: bytes) -> ServiceAnswer:
    """What an ASGI application answers."""
    status, headers, parts = 500, dict[str, str](), list[bytes]()
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    gone = asyncio.Event()

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            headers.update((k.decode().lower(), v.decode()) for k, v in message["headers"])
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    return ServiceAnswer(status, headers, b"".join(parts))


def _headers(answer: aiohttp.ClientResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items()}
