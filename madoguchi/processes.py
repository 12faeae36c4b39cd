"""How do the services run as processes of their own on one machine? Started, watched, forwarded to.

Each service is an API process and a worker process, the same as in production. This process keeps
the pages, the issuer and the mail catcher, and forwards `/api/<service>` as the gateway would.
"""

import asyncio
import contextlib
import os
import sys
from dataclasses import dataclass, field

import httpx
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

log = structlog.get_logger()

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "host", "content-length"}


@dataclass(frozen=True, slots=True)
class Forward:
    """Hands requests on to another process."""

    url: str
    http: httpx.AsyncClient

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward one request and its answer."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            answer = await self.http.request(
                request.method,
                self.url + request.url.path,
                params=request.url.query,
                content=await request.body(),
                headers=[(k, v) for k, v in request.headers.items() if k not in HOP_BY_HOP],
            )
        except httpx.HTTPError:
            await Response("the service does not answer", 502)(scope, receive, send)
            return
        headers = {k: v for k, v in answer.headers.items() if k not in HOP_BY_HOP}
        headers.pop("content-encoding", None)
        await Response(answer.content, answer.status_code, headers)(scope, receive, send)


@dataclass(slots=True)
class Child:
    """One process of one service, started again whenever it ends by itself."""

    package: str
    part: str
    environment: dict[str, str]
    port: int = 0
    _process: asyncio.subprocess.Process | None = field(default=None)

    async def run(self) -> None:
        """Keep the process running until cancelled; it ends by itself if this process dies."""
        try:
            while True:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "shared.process", self.package, self.part,
                    "--port", str(self.port), "--until-stdin-closes",
                    stdin=asyncio.subprocess.PIPE, env={**os.environ, **self.environment},
                    start_new_session=True,
                )  # fmt: skip
                code = await self._process.wait()
                log.warning("process_ended", package=self.package, part=self.part, code=code)
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
        process.kill()
        await process.wait()
