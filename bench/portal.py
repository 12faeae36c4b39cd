"""Portal benchmark: `./dev bench portal` compares pages with their service calls in one run.

A million contracts in the contracts service; the services run as separate processes, as in
production. Each page request goes through the portal as an ASGI application in this process, which
measures the time spent in its calls to the services; the rest is the portal's own. The weight is
what a browser with an empty cache receives: the page and the files that it references.
"""

import argparse
import asyncio
import contextlib
import os
import re
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from http import HTTPStatus

import httpx
import structlog
import uvicorn
import uvloop
from fastapi import FastAPI
from joserfc.jwk import ECKey

from bench.compare import p
from bench.contracts_fixture import SMALL_DEALER, base_lines, filled
from bench.event_fixture import write
from madoguchi.embedded.demo import demo_masters
from madoguchi.embedded.demo_users import demo_people
from madoguchi.embedded.issuer import IssuerSettings, create_issuer
from portal_service.app import create_app
from portal_service.settings import PortalSettings
from shared.testing import servers
from shared.testing.databases import TestDatabases

PAGES = {
    "customer list, one contract": "/contracts?mode=individual&contract_no=C0000000042",
    "customer list, a hundred rows": "/contracts?mode=general&final_to=2030-12",
    "customer detail": "/contracts/C0000000042",
    "result entry": "/contracts/C0000000042/result",
    "bulk change, a hundred rows": "/transfers?from_store=S10",
    "progress list": "/returns",
    "dashboard": "/dashboard",
}
HQ = f"{SMALL_DEALER}-H001"
ALLOWED, HEAVIEST = 3.0, 100_000


@dataclass
class Counted(httpx.AsyncBaseTransport):
    """The portal's HTTP transport to the services, with the seconds spent in it.

    Calls of one page may overlap; the time in which at least one was in flight is counted.
    """

    inner: httpx.AsyncHTTPTransport = field(default_factory=httpx.AsyncHTTPTransport)
    under_way: int = 0
    began: float = 0
    seconds: float = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Forward a call, and measure it."""
        if not self.under_way:
            self.began = time.perf_counter()
        self.under_way += 1
        try:
            answer = await self.inner.handle_async_request(request)
            await answer.aread()
        finally:
            self.under_way -= 1
            if not self.under_way:
                self.seconds += time.perf_counter() - self.began
        return answer


@asynccontextmanager
async def service(name: str, url: str, issuer: str) -> AsyncIterator[str]:
    """Start one API process; returns its address."""
    port, prefix = free_port(), name.upper()
    environment = {
        f"{prefix}_DATABASE_URL": url, f"{prefix}_RABBITMQ_URL": "amqp://unused/",
        f"{prefix}_ISSUER": issuer, f"{prefix}_JWKS_URL": f"{issuer}/jwks",
        f"{prefix}_LOG_LEVEL": "WARNING",
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "shared.main", f"{name}_service", "api", "--port", str(port),
        "--until-stdin-closes", stdin=asyncio.subprocess.PIPE, env={**os.environ, **environment},
    )  # fmt: skip
    try:
        await answers(f"http://127.0.0.1:{port}/livez")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def serving(app: FastAPI, port: int) -> AsyncIterator[None]:
    """Serve an application in this process."""
    config = uvicorn.Config(app, port=port, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    yield
    server.should_exit = True
    await task


async def answers(url: str) -> None:
    async with httpx.AsyncClient() as http:
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if (await http.get(url)).status_code == HTTPStatus.OK:
                    return
            await asyncio.sleep(0.1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def issuer_of(url: str, portal: str) -> FastAPI:
    settings = IssuerSettings(
        url=url,
        audience="madoguchi",
        client_id="madoguchi-portal",
        redirect_uris=frozenset({f"{portal}/auth/callback"}),
        signed_out_uris=frozenset({f"{portal}/auth/signed-out"}),
        people=demo_people(demo_masters(2)),
        embedded=True,
    )
    return create_issuer(settings, ECKey.generate_key("P-256", {"kid": "bench"}))


async def sign_in(http: httpx.AsyncClient) -> None:
    """Log in as headquarters of the dealer with three thousand contracts."""
    login = await http.get("/auth/login")
    where = httpx.URL(login.headers["location"])
    async with httpx.AsyncClient() as elsewhere:
        asked = {**where.params, "person": HQ}
        back = await elsewhere.post(str(where.copy_with(query=None)), data=asked)
    await http.get(back.headers["location"])


@dataclass
class Measured:
    """Seconds of whole pages and of the service calls in each; bytes transferred."""

    pages: list[float]
    calls: list[float]
    weight: int


async def weigh(http: httpx.AsyncClient, path: str) -> int:
    """Bytes of the page and of every file that it references, as sent, including headers."""
    page = await http.get(path)
    named = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text))
    answers = [page, *[await http.get(unescape(address)) for address in named]]
    heads = (len(name) + len(value) + 4 for answer in answers for name, value in answer.headers.raw)
    return sum(answer.num_bytes_downloaded for answer in answers) + sum(heads)


async def measure(http: httpx.AsyncClient, counted: Counted, path: str, rounds: int) -> Measured:
    pages: list[float] = []
    calls: list[float] = []
    for turn in range(rounds + 5):
        counted.seconds, began = 0, time.perf_counter()
        answer = await http.get(path)
        seconds = time.perf_counter() - began
        assert answer.status_code == HTTPStatus.OK, (path, answer.status_code)
        assert "を表示できません" not in answer.text, path
        if turn >= 5:
            pages.append(seconds)
            calls.append(counted.seconds)
    return Measured(pages, calls, await weigh(http, path))


def report(measured: Mapping[str, Measured]) -> list[str]:
    lines = [
        "| page | page p50 | page p95 | calls p50 | calls p95 | p95 ratio | first load |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, of in measured.items():
        ratio = p(of.pages, 0.95) / p(of.calls, 0.95)
        times = (f"{p(each, q):.1f} ms" for each in (of.pages, of.calls) for q in (0.5, 0.95))
        missed = " MISSED" if ratio > ALLOWED else ""
        heavy = " MISSED" if of.weight > HEAVIEST else ""
        weight = f"{of.weight / 1000:.0f} kB{heavy}"
        lines.append(f"| {name} | {' | '.join(times)} | {ratio:.2f}{missed} | {weight} |")
    return lines


async def run(contracts: int, rounds: int) -> list[str]:
    admin, end = await asyncio.to_thread(servers.find_postgres)
    databases = TestDatabases(admin)
    issuer_port = free_port()
    issuer, portal = f"http://127.0.0.1:{issuer_port}", "http://portal.bench"
    counted = Counted()
    try:
        returns_url = await databases.create("returns_service")
        contracts_url = await filled(databases, contracts, base_lines(5_000))
        async with (
            serving(issuer_of(issuer, portal), issuer_port),
            service("contracts", contracts_url, issuer) as contracts_at,
            service("returns", returns_url, issuer) as returns_at,
            httpx.AsyncClient(transport=counted, timeout=30) as to_services,
        ):
            settings = PortalSettings(
                public_url=portal, session_secret="only for measuring, thirty-two characters",
                oidc_issuer=issuer, mail_sender="desk@example.jp",
                database_url=await databases.create("portal_service"),
                contracts_url=contracts_at, returns_url=returns_at,
                commuter_url=returns_at, notifier_url=returns_at,
                interchange_url=returns_at,
            )  # fmt: skip
            app = create_app(settings, http=to_services)
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url=portal) as http:
                await sign_in(http)
                measured = {
                    name: await measure(http, counted, path, rounds) for name, path in PAGES.items()
                }
        return report(measured)
    finally:
        await databases.drop_all()
        end()


def main() -> None:
    """Parse the command line and run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contracts", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=60)
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    lines = uvloop.run(run(asked.contracts, asked.rounds))
    about = f"{asked.contracts:,} contracts; {HQ} of a dealer with three thousand, one at a time."
    write("portal", [about, "", *lines])


if __name__ == "__main__":
    main()
