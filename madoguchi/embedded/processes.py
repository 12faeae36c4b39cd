"""Child processes of one machine: started, restarted on exit, and proxied to.

Each service runs as an API process and a worker process, and the portal as one process, as in
production. This process keeps the issuer and the mail catcher, and acts as the gateway if nginx is
not installed (gateway.py).
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import httpx
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

log = structlog.get_logger()

HOP_BY_HOP = {b"connection", b"keep-alive", b"transfer-encoding", b"content-length"}


@dataclass(frozen=True, slots=True)
class Forward:
    """Proxies requests to another process, byte for byte; it stores no cookies."""

    url: str
    wire: httpx.AsyncHTTPTransport = field(default_factory=httpx.AsyncHTTPTransport)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward one request and its response."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        asked = httpx.Request(
            request.method,
            httpx.URL(self.url + request.url.path, query=scope["query_string"]),
            content=await request.body(),
            headers=[(k, v) for k, v in request.headers.raw if k not in HOP_BY_HOP],
            extensions={"timeout": httpx.Timeout(30).as_dict()},
        )
        try:
            answer = await self.wire.handle_async_request(asked)
            body = b"".join([part async for part in answer.aiter_raw()])
        except httpx.HTTPError:
            await Response("the part does not answer", 502)(scope, receive, send)
            return
        given = Response(body, answer.status_code)
        own = [(k.lower(), v) for k, v in answer.headers.raw if k.lower() not in HOP_BY_HOP]
        given.raw_headers = [*own, (b"content-length", str(len(body)).encode())]
        await given(scope, receive, send)


@dataclass(slots=True)
class Child:
    """A child process, restarted when it exits by itself; it stops when its stdin is closed."""

    command: Sequence[str]
    environment: Mapping[str, str]
    _process: asyncio.subprocess.Process | None = field(default=None)

    async def run(self) -> None:
        """Keep the process running until cancelled; it stops by itself if this process dies."""
        try:
            while True:
                self._process = await asyncio.create_subprocess_exec(
                    *self.command,
                    stdin=asyncio.subprocess.PIPE,
                    env={**os.environ, **self.environment},
                    start_new_session=True,
                )
                code = await self._process.wait()
                log.warning("process_ended", command=" ".join(self.command), code=code)
                await asyncio.sleep(1)
        finally:
            await self._end()

    async def _end(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 8)
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def service_process(
    package: str, part: str, environment: Mapping[str, str], port: int | None = None
) -> Child:
    """The API process or the worker process of a service."""
    return Child(_python("shared.main", package, part, port=port), environment)


def portal_process(environment: Mapping[str, str], port: int) -> Child:
    """The portal process."""
    return Child(_python("portal_service", port=port), environment)


def _python(module: str, *words: str, port: int | None) -> list[str]:
    where = [] if port is None else ["--port", str(port)]
    return [sys.executable, "-m", module, *words, *where, "--until-stdin-closes"]


@dataclass(slots=True)
class LazyApp:
    """An API that is created on its first request, so that the login page is up earlier."""

    make: Callable[[], ASGIApp]
    app: ASGIApp | None = None

    def made(self) -> ASGIApp:
        """The API, created if necessary."""
        if self.app is None:
            self.app = self.make()
        return self.app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self.made()(scope, receive, send)


@dataclass(frozen=True, slots=True)
class PathRouter:
    """Routes a request by the prefix of its path, as the gateway does; by default to `rest`."""

    parts: dict[str, ASGIApp]
    rest: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = f"{scope.get('path', '')}/"
        found = (app for start, app in self.parts.items() if path.startswith(f"{start}/"))
        await next(found, self.rest)(scope, receive, send)
