"""How does everything run in one process? `RunConfig` says with which parts, `run` starts them.

PostgreSQL is embedded or given; events go straight from outbox to inbox, or over a RabbitMQ that
is given; mails go to the local catcher; people log in at the development issuer. Everything that
must survive lies in the data folder, so that kill -9 and a new start lose nothing.
"""

import asyncio
import contextlib
import shutil
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from contracts_service.policy import ReflectedBy
from event_contracts import SUBSCRIPTIONS
from madoguchi.embedded import postgres
from madoguchi.embedded.demo import demo_masters
from madoguchi.embedded.demo.size import Demo
from madoguchi.embedded.demo_users import demo_people
from madoguchi.embedded.first_start import DemoProgress, FirstStart, is_empty, unfinished
from madoguchi.embedded.gateway import nginx_command, nginx_process, nginx_program
from madoguchi.embedded.issuer import IssuerSettings, create_issuer, issuer_key
from madoguchi.embedded.login_hints import LoginHints
from madoguchi.embedded.mail_catcher import catch_mail
from madoguchi.embedded.mailbox_and_clock import create_extras
from madoguchi.embedded.persistent_clock import PersistentClock
from madoguchi.embedded.processes import (
    Forward,
    LazyApp,
    PathRouter,
    portal_process,
    service_process,
)
from madoguchi.embedded.readiness import all_ready, events_arrived
from madoguchi.services import SERVICES
from portal_service.app import create_app as create_portal
from portal_service.settings import PortalSettings
from shared.db import Database
from shared.graceful_shutdown import GracefulServer
from shared.inbox import Inbox
from shared.main import api_of, settings_of
from shared.rabbitmq import Topology
from shared.service import Background, ServiceRuntime
from shared.settings import ServiceSettings
from shared.tokens import RemoteKeys, TokenVerifier, principal_of
from shared.transport import EmbeddedTransport

AUDIENCE = "madoguchi"
ASKED = {"returns_url", "commuter_url"}


@dataclass(frozen=True, slots=True)
class RunConfig:
    """What the person who starts it chose."""

    port: int
    data: Path
    host: str = "127.0.0.1"
    fresh: bool = False
    rabbitmq: str | None = None
    postgres: str | None = None
    processes: bool = False
    event_prefix: str = ""
    demo: Demo = Demo.SMALL
    demo_contracts: int = 600
    otlp: str | None = None
    log_level: str = "WARNING"

    @property
    def url(self) -> str:
        """Where the pages are."""
        return f"http://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Application:
    """All parts, made and not yet running. `running` is empty where services run elsewhere."""

    plan: RunConfig
    clock: PersistentClock
    app: ASGIApp
    running: dict[str, ServiceRuntime]
    background: tuple[Background, ...]
    databases: tuple[Database, ...]
    port: int
    making: DemoProgress
    make_demo: Background
    apis: tuple[LazyApp, ...] = ()

    async def work(self) -> None:
        """Run every worker until cancelled."""
        inboxes = {name: part.inbox for name, part in self.running.items()}
        async with asyncio.TaskGroup() as tasks:
            for part in self.running.values():
                tasks.create_task(self._work_of(part, inboxes))
            for background in self.background:
                tasks.create_task(background())

    async def _work_of(self, part: ServiceRuntime, inboxes: dict[str, Inbox]) -> None:
        if self.plan.rabbitmq is None:
            await part.work(EmbeddedTransport(inboxes, SUBSCRIPTIONS))
        else:
            topology = Topology(SUBSCRIPTIONS, self.plan.event_prefix)
            await part.work_with_rabbitmq(self.plan.rabbitmq, topology)


@asynccontextmanager
async def start_application(
    plan: RunConfig, embedded: Future[str] | None = None
) -> AsyncIterator[Application]:
    """Set everything up, and clear it away at the end; `embedded` is a server on its way."""
    fresh = plan.fresh or unfinished(plan.data).exists()
    if fresh:
        shutil.rmtree(plan.data / "mail", ignore_errors=True)
        (plan.data / "clock.json").unlink(missing_ok=True)
    plan.data.mkdir(parents=True, exist_ok=True)
    kept = postgres.Secrets(plan.data / "secrets.json")
    clock = PersistentClock(plan.data / "clock.json")
    admin = plan.postgres
    if admin is None and embedded is not None:
        admin = await asyncio.wrap_future(embedded)
    elif admin is None:
        admin = await asyncio.to_thread(postgres.start_embedded, plan.data)
    if fresh:
        for name in SERVICES:
            await postgres.drop_service_database(admin, name)
    async with contextlib.AsyncExitStack() as stack:
        packages = {name: app.SERVICE.package for name, app in SERVICES.items()}
        urls = await postgres.service_databases(admin, packages, kept)
        running = {}
        for name, app in SERVICES.items():
            database = Database(urls[name])
            stack.push_async_callback(database.close)
            running[name] = ServiceRuntime(app.SERVICE, database, clock)
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=10))
        smtp_port = free_port()
        catcher = await asyncio.to_thread(catch_mail, plan.data / "mail", smtp_port)
        stack.callback(catcher.stop)
        made = Assembly(plan, kept, clock, running, http, smtp_port)
        if plan.demo is not Demo.NONE and await is_empty(running["contracts"].database):
            await _begin_demo(made)
        yield _as_processes(made) if plan.processes else _in_one_process(made)


async def _begin_demo(made: "Assembly") -> None:
    """Make a small demo; a living one is made while the first pages can be seen."""
    unfinished(made.plan.data).touch()
    made.making.under_way = True
    if made.plan.demo is Demo.SMALL:
        await _make_demo(made)


async def _make_demo(made: "Assembly") -> None:
    """Make the demo data; a start that does not come to its end is undone by the next one."""
    plan = made.plan
    databases = {name: part.database for name, part in made.running.items()}
    first = FirstStart(databases, _settings(made), made.clock.now())
    await first.make(plan.demo, plan.demo_contracts, made.making)
    unfinished(plan.data).unlink()
    made.making.under_way = False


@dataclass(frozen=True, slots=True)
class Assembly:
    """What both ways of running are assembled from."""

    plan: RunConfig
    kept: postgres.Secrets
    clock: PersistentClock
    running: dict[str, ServiceRuntime]
    http: httpx.AsyncClient
    smtp_port: int
    making: DemoProgress = field(default_factory=DemoProgress)

    @property
    def databases(self) -> tuple[Database, ...]:
        """Every service's database."""
        return tuple(part.database for part in self.running.values())

    async def wake_timers(self) -> None:
        """Let every service look for timers that are due: its clock was set."""
        for part in self.running.values():
            part.listener["timer"].set()


def _in_one_process(made: Assembly) -> Application:
    """Every service in this process."""
    plan = made.plan
    verifier = TokenVerifier(
        RemoteKeys(f"{plan.url}/issuer/jwks", made.http),
        issuer=f"{plan.url}/issuer",
        audience=AUDIENCE,
    )
    settings = _settings(made)
    apps = {
        name: LazyApp(
            partial(
                api_of,
                SERVICES[name],
                settings[name],
                database=part.database,
                clock=made.clock,
                principal_of=principal_of(verifier),
            )
        )
        for name, part in made.running.items()
    }
    beside = [
        background
        for name, part in made.running.items()
        if hasattr(SERVICES[name], "beside")
        for background in SERVICES[name].beside(settings[name], part)
    ]
    return Application(
        plan,
        made.clock,
        _path_router(made, apps),
        made.running,
        tuple(beside),
        made.databases,
        plan.port,
        made.making,
        partial(_make_demo, made),
        tuple(apps.values()),
    )


def _settings(made: "Assembly") -> dict[str, ServiceSettings]:
    return {name: settings_of(SERVICES[name], **_values(made, name)) for name in made.running}


def _as_processes(made: Assembly) -> Application:
    """Every API, every worker and the portal as processes of their own, behind nginx if there is.

    They ask each other directly: what is internal does not pass the gateway.
    """
    plan = made.plan
    ports = {name: free_port() for name in (*made.running, "portal")}
    urls = {f"{name}_url": f"http://127.0.0.1:{port}" for name, port in ports.items()}
    portal = _environment("portal", _portal_values(plan, made.kept) | urls)
    children = [portal_process(portal, ports["portal"])]
    for name, part in made.running.items():
        values = _values(made, name)
        values |= {key: url for key, url in urls.items() if name == "notifier" and key in ASKED}
        environment, package = _environment(name, values), part.service.package
        children.append(service_process(package, "api", environment, ports[name]))
        children.append(service_process(package, "worker", environment))
    port = plan.port
    if program := nginx_program():
        port = free_port()
        places = {name: f"127.0.0.1:{at}" for name, at in ports.items()}
        folder, own = plan.data / "gateway", f"127.0.0.1:{port}"
        children.append(nginx_process(nginx_command(program, folder, plan.port, places, own)))
    parts: dict[str, ASGIApp] = {
        f"/api/{name}": Forward(urls[f"{name}_url"]) for name in made.running
    }
    everybody = PathRouter({**parts, **_own_pages(made)}, Forward(urls["portal_url"]))
    background = tuple(child.run for child in children)
    return Application(
        plan,
        made.clock,
        everybody,
        {},
        background,
        made.databases,
        port,
        made.making,
        partial(_make_demo, made),
    )


def _environment(part: str, values: Mapping[str, Any]) -> dict[str, str]:
    """The same settings for a process."""
    return {f"{part}_{key}".upper(): str(value) for key, value in values.items()}


def _own_pages(made: Assembly) -> dict[str, ASGIApp]:
    """What a visitor needs beside the product: login, and the mails that were caught."""
    issuer = Starlette(routes=[Mount("/issuer", app=_issuer(made))])
    extras = create_extras(made.plan.data / "mail", made.clock, made.wake_timers)
    return {"/issuer": issuer, "/mailbox": extras}


def _path_router(made: Assembly, services: Mapping[str, ASGIApp]) -> PathRouter:
    """Everything behind one address; the clock too, which processes of their own do not read."""
    settings = PortalSettings(**_portal_values(made.plan, made.kept))
    portal = create_portal(settings, http=made.http, now=made.clock.now)
    own = _own_pages(made)
    parts = {f"/api/{name}": app for name, app in services.items()}
    return PathRouter({**parts, **own, "/clock": own["/mailbox"]}, portal)


def _issuer(made: Assembly) -> FastAPI:
    plan, kept = made.plan, made.kept
    databases = {name: part.database for name, part in made.running.items()}
    settings = IssuerSettings(
        url=f"{plan.url}/issuer",
        audience=AUDIENCE,
        client_id="madoguchi-portal",
        redirect_uris=frozenset({f"{plan.url}/auth/callback"}),
        signed_out_uris=frozenset({f"{plan.url}/auth/signed-out"}),
        people=demo_people(demo_masters()),
        embedded=True,
        making=made.making,
        words=LoginHints(databases, made.clock).of,
        services={"madoguchi-notifier": kept.get("client-notifier")},
    )
    return create_issuer(settings, issuer_key(plan.data))


def _portal_values(plan: RunConfig, kept: postgres.Secrets) -> dict[str, Any]:
    """The settings of the portal, the same however it runs."""
    services = {f"{name}_url": plan.url for name in SERVICES}
    return services | {
        "public_url": plan.url,
        "session_secret": kept.get("portal-session"),
        "oidc_issuer": f"{plan.url}/issuer",
        "otlp_endpoint": plan.otlp or "",
        "log_level": plan.log_level,
        "embedded": True,
    }


def _values(made: Assembly, name: str) -> dict[str, Any]:
    """The settings of a service, the same however it runs; mails go to the local catcher."""
    plan = made.plan
    values = {
        "database_url": made.running[name].database.url,
        "rabbitmq_url": plan.rabbitmq or "",
        "event_prefix": plan.event_prefix,
        "issuer": f"{plan.url}/issuer",
        "jwks_url": f"{plan.url}/issuer/jwks",
        "audience": AUDIENCE,
        "log_level": plan.log_level,
    } | ({"otlp_endpoint": plan.otlp} if plan.otlp else {})
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
        "interchange": {
            "webhook_keys": made.kept.get("webhook-key") + "=",  # 32 bytes, as Fernet writes them
            "webhook_local": True,
        },
    }
    return values | of_its_own.get(name, {})


async def run(
    plan: RunConfig,
    *,
    ready: Callable[[Application], None],
    making: Callable[[Application], None],
    embedded: Future[str] | None = None,
) -> None:
    """Start everything, say when it is ready, and serve until Ctrl-C.

    `making` hears when the pages are there and the demo data is still to be made.
    """
    async with start_application(plan, embedded) as parts:
        server = GracefulServer(parts.app, plan.host, parts.port, idle_s=0)
        serving = asyncio.create_task(server.serve())
        while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event
            await asyncio.sleep(0.02)
        if serving.done():
            await serving
            return
        working = asyncio.create_task(_fill_and_work(parts, ready, making))
        await asyncio.wait({working, serving}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
        working.cancel()
        (ended,) = await asyncio.gather(working, return_exceptions=True)
        if isinstance(ended, Exception):
            raise ended


async def _fill_and_work(
    parts: Application, ready: Callable[[Application], None], making: Callable[[Application], None]
) -> None:
    """Make the demo data if that is still to be done, then work until cancelled."""
    if parts.making.under_way:
        making(parts)
        await parts.make_demo()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(parts.work())
        for api in parts.apis:
            api.made()
            await asyncio.sleep(0.01)
        if await all_ready(parts.plan.url):
            await events_arrived(parts.databases)
            ready(parts)


def free_port() -> int:
    """A TCP port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
