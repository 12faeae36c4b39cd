"""How does everything run in one process? `Plan` says with which parts, `run` starts them.

PostgreSQL is embedded or given; events go straight from outbox to inbox, or over a RabbitMQ that
is given; mails go to the local catcher; people log in at the development issuer. Everything that
must survive lies in the data folder, so that kill -9 and a new start lose nothing.
"""

import asyncio
import contextlib
import json
import shutil
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import structlog
import uvicorn
from event_contracts import SUBSCRIPTIONS
from portal_service.app import create_app as create_portal
from portal_service.settings import PortalSettings
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.routing import Mount

from madoguchi import postgres, seed
from madoguchi.catalogue import SERVICES
from madoguchi.issuer import IssuerSettings, create_issuer, issuer_key
from madoguchi.mail_catcher import catch_mail, create_mailbox
from madoguchi.people import demo_people
from shared.auth import PrincipalOf, RemoteKeys, TokenVerifier, principal_of
from shared.clock import TravelClock
from shared.db import Database
from shared.inbox import Inbox
from shared.rabbitmq import Topology
from shared.service import Running
from shared.service_token import ServiceToken
from shared.transport import EmbeddedTransport

log = structlog.get_logger()

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
    """All parts, made and not yet running."""

    plan: Plan
    clock: KeptClock
    app: Starlette
    running: dict[str, Running]
    background: tuple[Callable[[], Coroutine[None, None, None]], ...]

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
            await part.work_with_rabbitmq(self.plan.rabbitmq, Topology(SUBSCRIPTIONS))


@asynccontextmanager
async def everything(plan: Plan) -> AsyncIterator[Everything]:
    """Set everything up, and clear it away at the end."""
    if plan.fresh:
        shutil.rmtree(plan.data / "mail", ignore_errors=True)
        (plan.data / "clock.json").unlink(missing_ok=True)
    plan.data.mkdir(parents=True, exist_ok=True)
    kept = postgres.Secrets(plan.data / "secrets.json")
    clock = KeptClock(plan.data / "clock.json")
    admin = plan.postgres or await asyncio.to_thread(postgres.start_embedded, plan.data)
    if plan.fresh:
        for name in SERVICES:
            await postgres.drop_service_database(admin, name)
    async with contextlib.AsyncExitStack() as stack:
        running = {}
        for name, entry in SERVICES.items():
            url = await postgres.service_database(admin, name, entry.service.package, kept)
            database = Database(url)
            stack.push_async_callback(database.close)
            running[name] = Running(entry.service, database, clock)
        await seed.seed(running["contracts"].database, clock.now(), plan.demo_contracts)
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=10))
        smtp_port = free_port()
        catcher = await asyncio.to_thread(catch_mail, plan.data / "mail", smtp_port)
        stack.callback(catcher.stop)
        yield _assemble(plan, kept, clock, running, http, smtp_port)


def _assemble(
    plan: Plan,
    kept: postgres.Secrets,
    clock: KeptClock,
    running: dict[str, Running],
    http: httpx.AsyncClient,
    smtp_port: int,
) -> Everything:
    issuer = _issuer(plan, kept)
    recognise = principal_of(
        TokenVerifier(
            RemoteKeys(f"{plan.url}/issuer/jwks", http),
            issuer=f"{plan.url}/issuer",
            audience=AUDIENCE,
        )
    )
    apps = {name: _app(name, part, recognise) for name, part in running.items()}
    token = ServiceToken(
        f"{plan.url}/issuer/token", "notifier", SecretStr(kept.get("client-notifier")), http
    )
    sender = notifier_sender(running["notifier"], plan.url, smtp_port, token, http)
    portal = create_portal(_portal_settings(plan, kept), http=http, now=clock.now)
    app = Starlette(
        routes=[
            *(Mount(f"/api/{name}", app=_Prefixed(app)) for name, app in apps.items()),
            Mount("/issuer", app=issuer),
            Mount("/mailbox", app=create_mailbox(plan.data / "mail")),
            Mount("/", app=portal),
        ]
    )
    return Everything(plan, clock, app, running, (sender,))


def free_port() -> int:
    """A TCP port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
