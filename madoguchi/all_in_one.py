"""How does everything run in one process? `Plan` says with which parts, `run` starts them.

PostgreSQL is embedded or given; events go straight from outbox to inbox, or over a RabbitMQ that
is given; mails go to the local catcher; people log in at the development issuer. Everything that
must survive lies in the data folder, so that kill -9 and a new start lose nothing.
"""

import asyncio
import contextlib
import json
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from contracts_service.conditions import ReflectedBy
from event_contracts import SUBSCRIPTIONS
from madoguchi import postgres, seed
from madoguchi.catalogue import SERVICES
from madoguchi.demo import demo_masters
from madoguchi.extras import create_extras
from madoguchi.issuer import IssuerSettings, create_issuer, issuer_key
from madoguchi.mail_catcher import catch_mail
from madoguchi.people import demo_people
from madoguchi.processes import Child, Forward
from madoguchi.seed_expenses import seed_expenses
from notifier_service.app import run_sender
from notifier_service.settings import NotifierSettings
from portal_service.app import create_app as create_portal
from portal_service.settings import PortalSettings
from shared.clock import TravelClock
from shared.db import Database
from shared.inbox import Inbox
from shared.process import api_of, settings_of
from shared.rabbitmq import Topology
from shared.service import Background, Running
from shared.tokens import RemoteKeys, TokenVerifier, principal_of
from shared.transport import EmbeddedTransport

AUDIENCE = "madoguchi"


@dataclass(frozen=True, slots=True)
class Plan:
    """What the person who starts it chose."""

    port: int
    data: Path
    host: str = "127.0.0.1"
    fresh: bool = False
    rabbitmq: str | None = None
    postgres: str | None = None
    processes: bool = False
    event_prefix: str = ""
    demo_contracts: int = 600

    @property
    def url(self) -> str:
        """Where the pages are."""
        return f"http://{self.host}:{self.port}"


class KeptClock(TravelClock):
    """A clock whose journey is remembered in the data folder."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        if path.exists():
            self.shift = timedelta(seconds=json.loads(path.read_text())["shift_seconds"])

    def travel_to(self, instant: datetime) -> None:
        """Make `instant` the present one, also after a restart."""
        super().travel_to(instant)
        self._path.write_text(json.dumps({"shift_seconds": self.shift.total_seconds()}))


@dataclass(frozen=True, slots=True)
class Everything:
    """All parts, made and not yet running. `running` is empty where services run elsewhere."""

    plan: Plan
    clock: KeptClock
    app: ASGIApp
    running: dict[str, Running]
    background: tuple[Background, ...]
    databases: tuple[Database, ...]

    async def work(self) -> None:
        """Run every worker until cancelled."""
        inboxes = {name: part.inbox for name, part in self.running.items()}
        async with asyncio.TaskGroup() as tasks:
            for part in self.running.values():
                tasks.create_task(self._work_of(part, inboxes))
            for background in self.background:
                tasks.create_task(background())

    async def _work_of(self, part: Running, inboxes: dict[str, Inbox]) -> None:
        if self.plan.rabbitmq is None:
            await part.work(EmbeddedTransport(inboxes, SUBSCRIPTIONS))
        else:
            topology = Topology(SUBSCRIPTIONS, self.plan.event_prefix)
            await part.work_with_rabbitmq(self.plan.rabbitmq, topology)


@asynccontextmanager
async def everything(plan: Plan) -> AsyncIterator[Everything]:
    """Set everything up, and clear it away at the end."""
    if plan.fresh:
        shutil.rmtree(plan.data / "mail", ignore_errors=True)
        (plan.data / "clock.json").unlink(missing_ok=True)
    plan.data.mkdir(parents=True, exist_ok=True)
    kept = postgres.Secrets(plan.data / "secrets.json")
    clock = KeptClock(plan.data / "clock.json")
    admin = plan.postgres
    if admin is None:
        admin = await asyncio.to_thread(postgres.start_embedded, plan.data)
    if plan.fresh:
        for name in SERVICES:
            await postgres.drop_service_database(admin, name)
    async with contextlib.AsyncExitStack() as stack:
        running = {}
        for name, app in SERVICES.items():
            url = await postgres.service_database(admin, name, app.SERVICE.package, kept)
            database = Database(url)
            stack.push_async_callback(database.close)
            running[name] = Running(app.SERVICE, database, clock)
        await seed.seed(running["contracts"].database, clock.now(), plan.demo_contracts)
        await seed.seed_approval_flows(running["returns"].database, clock.now())
        people = demo_people(demo_masters())
        await seed_expenses(running["commuter"].database, people, clock.now())
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=10))
        smtp_port = free_port()
        catcher = await asyncio.to_thread(catch_mail, plan.data / "mail", smtp_port)
        stack.callback(catcher.stop)
        made = Made(plan, kept, clock, running, http, smtp_port)
        yield _as_processes(made) if plan.processes else _in_one_process(made)


@dataclass(frozen=True, slots=True)
class Made:
    """What both ways of running are assembled from."""

    plan: Plan
    kept: postgres.Secrets
    clock: KeptClock
    running: dict[str, Running]
    http: httpx.AsyncClient
    smtp_port: int

    @property
    def databases(self) -> tuple[Database, ...]:
        """Every service's database."""
        return tuple(part.database for part in self.running.values())


def _in_one_process(made: Made) -> Everything:
    """Every service in this process."""
    plan = made.plan
    verifier = TokenVerifier(
        RemoteKeys(f"{plan.url}/issuer/jwks", made.http),
        issuer=f"{plan.url}/issuer",
        audience=AUDIENCE,
    )
    apps: dict[str, ASGIApp] = {
        name: api_of(
            SERVICES[name],
            settings_of(SERVICES[name], **_values(made, name)),
            database=part.database,
            clock=made.clock,
            principal_of=principal_of(verifier),
        )
        for name, part in made.running.items()
    }
    part = made.running["notifier"]
    settings = NotifierSettings(**_values(made, "notifier"))
    sending = partial(run_sender, settings, part.database, part.clock)
    return Everything(
        plan, made.clock, _by_path(made, apps), made.running, (sending,), made.databases
    )


def _as_processes(made: Made) -> Everything:
    """Every service as an API process and a worker process of its own."""
    children, apps = [], dict[str, ASGIApp]()
    for name, part in made.running.items():
        values = _values(made, name)
        environment = {f"{name.upper()}_{key.upper()}": str(value) for key, value in values.items()}
        port, package = free_port(), part.service.package
        children += [
            Child(package, "api", environment, port).run,
            Child(package, "worker", environment).run,
        ]
        apps[name] = Forward(f"http://127.0.0.1:{port}", made.http)
    return Everything(
        made.plan, made.clock, _by_path(made, apps), {}, tuple(children), made.databases
    )


@dataclass(frozen=True, slots=True)
class ByPath:
    """Hands a request to the part that its path begins with, as a gateway does; else to `rest`."""

    parts: dict[str, ASGIApp]
    rest: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = f"{scope.get('path', '')}/"
        found = (app for start, app in self.parts.items() if path.startswith(f"{start}/"))
        await next(found, self.rest)(scope, receive, send)


def _by_path(made: Made, services: dict[str, ASGIApp]) -> ByPath:
    """Everything behind one address: services, login, mails that were caught, clock, portal.

    Where services run as processes of their own there is no clock: they read the machine's.
    """
    plan, extras = made.plan, create_extras(made.plan.data / "mail", made.clock)
    now = None if plan.processes else made.clock.now
    portal = create_portal(_portal_settings(plan, made.kept), http=made.http, now=now)
    parts: dict[str, ASGIApp] = {f"/api/{name}": app for name, app in services.items()}
    parts["/issuer"] = Starlette(routes=[Mount("/issuer", app=_issuer(plan, made.kept))])
    parts["/mailbox"] = extras
    if not plan.processes:
        parts["/clock"] = extras
    return ByPath(parts, portal)


def _issuer(plan: Plan, kept: postgres.Secrets) -> FastAPI:
    settings = IssuerSettings(
        url=f"{plan.url}/issuer",
        audience=AUDIENCE,
        client_id="madoguchi-portal",
        redirect_uris=frozenset({f"{plan.url}/auth/callback"}),
        signed_out_uris=frozenset({f"{plan.url}/auth/signed-out"}),
        people=demo_people(demo_masters()),
        embedded=True,
        services={"madoguchi-notifier": kept.get("client-notifier")},
    )
    return create_issuer(settings, issuer_key(plan.data))


def _portal_settings(plan: Plan, kept: postgres.Secrets) -> PortalSettings:
    return PortalSettings(
        public_url=plan.url,
        session_secret=SecretStr(kept.get("portal-session")),
        oidc_issuer=f"{plan.url}/issuer",
        contracts_url=plan.url,
        returns_url=plan.url,
        commuter_url=plan.url,
        notifier_url=plan.url,
        embedded=True,
    )


def _values(made: Made, name: str) -> dict[str, Any]:
    """The settings of a service, the same however it runs; mails go to the local catcher."""
    plan = made.plan
    values = {
        "database_url": made.running[name].database.url,
        "rabbitmq_url": plan.rabbitmq or "",
        "event_prefix": plan.event_prefix,
        "issuer": f"{plan.url}/issuer",
        "jwks_url": f"{plan.url}/issuer/jwks",
        "audience": AUDIENCE,
    }
    of_its_own: dict[str, dict[str, Any]] = {
        "contracts": {"reflection": ReflectedBy.SELF},
        "notifier": {
            "sender": "j-pass_uketsuke@toyota-finance.co.jp",
            "product": "J-PASS",
            "expense_product": "楽楽精算",
            "portal_url": plan.url,
            "smtp_host": "127.0.0.1",
            "smtp_port": made.smtp_port,
            "smtp_starttls": False,
            "returns_url": plan.url,
            "token_url": f"{plan.url}/issuer/token",
            "client_secret": made.kept.get("client-notifier"),
        },
    }
    return values | of_its_own.get(name, {})


async def _all_answer(plan: Plan) -> bool:
    """Wait until every service answers; processes of their own need a moment longer."""
    async with httpx.AsyncClient() as http:
        for name in SERVICES:
            for _ in range(300):
                answer = await http.get(f"{plan.url}/api/{name}/v1/openapi.json")
                if answer.status_code == HTTPStatus.OK:
                    break
                await asyncio.sleep(0.1)
            else:
                return False
    return True


UNDERWAY = text("""
    SELECT (SELECT count(*) FROM outbox_queue)
         + (SELECT count(*) FROM inbox WHERE state = 'waiting')
""")


async def _demo_has_arrived(databases: Sequence[Database]) -> None:
    """Wait a while for the first events to take effect, so that no page lacks what another has."""
    for _ in range(300):
        underway = 0
        for database in databases:
            async with database.transaction() as tx:
                underway += (await tx.execute(UNDERWAY)).scalar_one()
        if not underway:
            return
        await asyncio.sleep(0.2)


class Server(uvicorn.Server):
    """Stops at Ctrl-C or SIGTERM; further ones change nothing while all is being cleared away."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Hear the first signal, until the event loop ends, and never raise it again."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop)
        yield

    def _stop(self) -> None:
        self.should_exit = True


async def run(plan: Plan, *, ready: Callable[[Everything], None]) -> None:
    """Start everything, say when it is ready, and serve until Ctrl-C."""
    async with everything(plan) as parts:
        config = uvicorn.Config(
            parts.app, host=plan.host, port=plan.port, access_log=False, log_config=None,
            timeout_graceful_shutdown=3, lifespan="off",
        )  # fmt: skip
        server = Server(config)
        working = asyncio.create_task(parts.work())
        serving = asyncio.create_task(server.serve())
        while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event
            await asyncio.sleep(0.02)
        if server.started and await _all_answer(plan):
            await _demo_has_arrived(parts.databases)
            ready(parts)
        await asyncio.wait({working, serving}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


def free_port() -> int:
    """A TCP port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
