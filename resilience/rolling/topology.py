"""Distributed topology on one machine: two instances of every service behind the real gateway.

Each part is a process as in production; each can be stopped by SIGTERM and started again, as an
orchestrator does for a new version.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from cryptography.fernet import Fernet
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey
from sqlalchemy import text

from madoguchi.embedded.demo import demo_masters
from madoguchi.embedded.demo_users import demo_people
from madoguchi.embedded.issuer import IssuerSettings, create_issuer
from madoguchi.embedded.mail_catcher import catch_mail
from madoguchi.embedded.seed import seed, seed_approval_flows
from madoguchi.services import SERVICES
from shared.auth import Principal
from shared.clock import SystemClock
from shared.db import EVERY_DEALER, Database
from shared.testing.databases import TestDatabases
from shared.testing.servers import free_port
from shared.tokens import claims_of
from tests.portal.conftest import SECRET, serving

GATEWAY = Path(__file__).parents[2] / "deploy" / "gateway"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
HOW_TO_GET_NGINX = "NO NGINX: the rolling restart is skipped. Install it (Debian: nginx-light)."
KEY = ECKey.generate_key("P-256", {"kid": "rolling"})
PARTS = ("portal", *SERVICES)
LONGEST_START, LONGEST_STOP, CONTRACTS = 120, 20, 300
RELAYS = text("SELECT count(*) FROM relay WHERE seen_at > clock_timestamp() - interval '10 s'")


@dataclass(slots=True)
class Part:
    """One process. `ready` checks whether it works; `stops` are the durations of its stops."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    ready: Callable[[], Awaitable[bool]]
    log: Path
    stops: list[float] = field(default_factory=list)
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it."""
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", *self.command, stdout=log, stderr=log,
                env={**os.environ, **self.environment},
            )  # fmt: skip

    async def works(self) -> None:
        """Wait until it is ready."""
        assert self.process is not None
        end = time.monotonic() + LONGEST_START
        while not await self.ready():
            assert self.process.returncode is None, self.log.read_text()[-3000:]
            assert time.monotonic() < end, f"{self.name}: {self.log.read_text()[-3000:]}"
            await asyncio.sleep(0.1)

    async def stop(self) -> None:
        """Send SIGTERM and wait until it has ended, in bounded time."""
        assert self.process is not None
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(self.process.wait(), LONGEST_STOP)
        self.stops.append(time.monotonic() - begun)

    async def restart(self) -> None:
        """Stop and restart it."""
        await self.stop()
        await self.start()
        await self.works()

    async def end(self) -> None:
        """Kill it, if it is still running."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


@dataclass(slots=True)
class Topology:
    """The running parts and their addresses. `urls` are the services' databases."""

    gateway: str
    issuer: str
    urls: dict[str, str]
    parts: list[Part] = field(default_factory=list)

    def client(self, user_id: str, number: int) -> httpx.AsyncClient:
        """An HTTP client of a demo person with its own address, as of a separate office."""
        who = next(p for p in demo_people(demo_masters()) if p.user_id == user_id)
        return httpx.AsyncClient(
            base_url=f"{self.gateway}/api",
            headers={"authorization": f"Bearer {self.token(who)}"},
            transport=httpx.AsyncHTTPTransport(local_address=f"127.0.1.{number + 1}"),
            timeout=20,
        )

    def token(self, who: Principal) -> str:
        """An access token of a person."""
        claims = {"iss": self.issuer, "aud": "madoguchi", "exp": int(time.time()) + 36_000}
        return jwt.encode({"alg": "ES256", "kid": "rolling"}, claims_of(who) | claims, KEY)

    async def ask(self, service: str, statement: str) -> Sequence[tuple[object, ...]]:
        """Query a service's database."""
        database = Database(self.urls[service])
        try:
            async with database.transaction(EVERY_DEALER) as tx:
                return [tuple(row) for row in await tx.execute(text(statement))]
        finally:
            await database.close()


def batched(parts: Sequence[Part], size: int) -> Iterator[Sequence[Part]]:
    """Groups of as many parts as there are cores, as a start is CPU-bound."""
    for at in range(0, len(parts), size):
        yield parts[at : at + size]


@asynccontextmanager
async def running_topology(
    databases: TestDatabases,
    services: Sequence[str],
    *,
    rabbitmq_url: str = "amqp://unused/",
    prefix: str = "",
    workers: int = 0,
    portals: int = 0,
) -> AsyncIterator[Topology]:
    """Start two API processes and `workers` workers of each service behind nginx."""
    folder = Path(tempfile.mkdtemp(prefix="madoguchi-rolling-"))
    gateway, issuer_port = free_port(), free_port()
    issuer = f"http://127.0.0.1:{issuer_port}"
    world = Topology(f"http://127.0.0.1:{gateway}", issuer, {})
    ports = {part: [free_port(), free_port()] for part in PARTS}
    inside, smtp = free_port(), free_port()
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.callback(catch_mail(folder / "mail", smtp).stop)
        world.urls = {name: await databases.create(f"{name}_service") for name in services}
        portal_database = await databases.create("portal_service")
        await _seed(world.urls)
        stack.enter_context(serving(lambda _: _issuer(world), issuer_port))
        around = _environment(world, inside, smtp, rabbitmq_url, prefix)
        around["PORTAL_DATABASE_URL"] = portal_database
        for name in services:
            world.parts += [_api(name, port, around, folder) for port in ports[name]]
            world.parts += [
                _worker(name, number, world, around, folder) for number in range(1, workers + 1)
            ]
        world.parts += [_portal(port, around, folder) for port in ports["portal"][:portals]]
        for part in world.parts:
            stack.push_async_callback(part.end)
        for several in batched(world.parts, os.cpu_count() or 2):
            for part in several:
                await part.start()
            for part in several:
                await part.works()
        await stack.enter_async_context(_nginx(folder / "gateway", gateway, inside, ports))
        yield world


async def _seed(urls: Mapping[str, str]) -> None:
    now = SystemClock().now()
    for name, url in urls.items():
        database = Database(url)
        if name == "contracts":
            await seed(database, now, CONTRACTS)
        if name == "returns":
            await seed_approval_flows(database, now)
        await database.close()


def _issuer(world: Topology) -> FastAPI:
    settings = IssuerSettings(
        url=world.issuer,
        audience="madoguchi",
        client_id="madoguchi-portal",
        redirect_uris=frozenset({f"{world.gateway}/auth/callback"}),
        signed_out_uris=frozenset({f"{world.gateway}/auth/signed-out"}),
        people=demo_people(demo_masters()),
        embedded=True,
        services={"madoguchi-notifier": SECRET},
    )
    return create_issuer(settings, KEY)


def _environment(
    world: Topology, inside: int, smtp: int, rabbitmq_url: str, prefix: str
) -> dict[str, str]:
    """The settings of every process; calls between services pass the gateway's inside port."""
    own = f"http://127.0.0.1:{inside}"
    values = {
        "PORTAL_PUBLIC_URL": world.gateway, "PORTAL_SESSION_SECRET": SECRET,
        "PORTAL_OIDC_ISSUER": world.issuer, "PORTAL_MAIL_SENDER": "desk@example.jp",
        **{f"PORTAL_{name.upper()}_URL": own for name in SERVICES},
        "NOTIFIER_SENDER": "desk@example.jp", "NOTIFIER_PRODUCT": "J-PASS",
        "NOTIFIER_EXPENSE_PRODUCT": "経費", "NOTIFIER_PORTAL_URL": world.gateway,
        "NOTIFIER_SMTP_HOST": "127.0.0.1", "NOTIFIER_SMTP_PORT": str(smtp),
        "NOTIFIER_SMTP_STARTTLS": "false", "NOTIFIER_RETURNS_URL": own,
        "NOTIFIER_TOKEN_URL": f"{world.issuer}/token", "NOTIFIER_CLIENT_SECRET": SECRET,
        "INTERCHANGE_WEBHOOK_KEYS": Fernet.generate_key().decode(),
    }  # fmt: skip
    for name, url in world.urls.items():
        of_each = {
            "DATABASE_URL": url, "DATABASE_CONNECTIONS": "2",
            "RABBITMQ_URL": rabbitmq_url, "EVENT_PREFIX": prefix,
            "ISSUER": world.issuer, "JWKS_URL": f"{world.issuer}/jwks", "LOG_LEVEL": "WARNING",
        }  # fmt: skip
        values |= {f"{name.upper()}_{key}": value for key, value in of_each.items()}
    return values


def _api(name: str, port: int, around: Mapping[str, str], folder: Path) -> Part:
    command = ("shared.main", f"{name}_service", "api", "--port", str(port))
    answers = _answers(f"http://127.0.0.1:{port}/livez")
    return Part(f"{name} api {port}", command, around, answers, folder / f"{name}-{port}.log")


def _portal(port: int, around: Mapping[str, str], folder: Path) -> Part:
    command = ("portal_service", "--port", str(port))
    answers = _answers(f"http://127.0.0.1:{port}/help")
    return Part(f"portal {port}", command, around, answers, folder / f"portal-{port}.log")


def _worker(
    name: str, number: int, world: Topology, around: Mapping[str, str], folder: Path
) -> Part:
    async def relays() -> bool:
        """Whether the expected workers of the service have registered for lanes."""
        [[living]] = await world.ask(name, str(RELAYS))
        begun = [part for part in world.parts if part.name.startswith(f"{name} worker")]
        return bool(living == sum(part.process is not None for part in begun))

    log = folder / f"{name}-worker-{number}.log"
    command = ("shared.main", f"{name}_service", "worker")
    return Part(f"{name} worker {number}", command, around, relays, log)


def _answers(url: str) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        async with httpx.AsyncClient(timeout=60) as http:
            with contextlib.suppress(httpx.HTTPError):
                return not (await http.get(url)).is_server_error
        return False

    return ask


@asynccontextmanager
async def _nginx(
    folder: Path, gateway: int, inside: int, ports: Mapping[str, Sequence[int]]
) -> AsyncIterator[None]:
    """The shipped configuration; only addresses and ports are those of this machine."""
    shutil.copytree(GATEWAY, folder)
    conf = (folder / "nginx.conf").read_text()
    (folder / "nginx.conf").write_text(conf.replace("listen 8080", f"listen {gateway}"))
    (folder / "places.conf").write_text(_places(folder, inside, ports))
    assert NGINX is not None, HOW_TO_GET_NGINX
    process = await asyncio.create_subprocess_exec(
        NGINX, "-p", str(folder), "-c", "nginx.conf", "-e", str(folder / "error.log"),
        "-g", f"daemon off; pid {folder / 'pid'};",
    )  # fmt: skip
    try:
        answers = _answers(f"http://127.0.0.1:{gateway}/livez")  # 404 is a response
        while not await answers():
            assert process.returncode is None, (folder / "error.log").read_text()
        yield
    finally:
        process.terminate()
        await process.wait()


def _places(folder: Path, inside: int, ports: Mapping[str, Sequence[int]]) -> str:
    """Two upstream processes of each part, with keep-alive connections, the harder case."""
    temporary = "".join(
        f"{name}_temp_path {folder / name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    upstreams = "".join(
        f"upstream {part}_processes {{\n"
        + "".join(f"  server 127.0.0.1:{port} max_fails=0;\n" for port in at)
        + "  keepalive 16;\n  keepalive_timeout 1s;\n}\n"
        for part, at in ports.items()
    )
    mapped = "".join(f"  {part} {part}_processes;\n" for part in ports)
    within = (
        f"server {{\n  listen 127.0.0.1:{inside};\n  proxy_http_version 1.1;\n"
        '  proxy_set_header Connection "";\n  location / { proxy_pass http://$place; }\n}\n'
    )
    return f"{temporary}{upstreams}map $part $place {{\n{mapped}}}\n{within}"
