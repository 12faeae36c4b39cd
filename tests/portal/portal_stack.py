"""Portal stack: portal, issuer, and the real services on PostgreSQL with real tokens.

Events between the services are delivered by `deliver_events`, in place of the workers.
"""

import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import httpx
from cryptography.fernet import Fernet
from fastapi import FastAPI
from sqlalchemy import text

from contracts_service.app import SERVICE as CONTRACTS
from contracts_service.app import create_app as create_contracts
from contracts_service.imports import import_contracts, import_masters
from event_contracts import read
from interchange_service.app import create_app as create_interchange
from interchange_service.secret_encryption import SecretBox
from interchange_service.webhook_http import WebhookClient
from madoguchi.embedded.issuer import create_issuer
from portal_service.app import create_app
from portal_service.settings import PortalSettings
from returns_service.app import SERVICE as RETURNS
from returns_service.app import create_app as create_returns
from shared.auth import Principal
from shared.clock import TravelClock
from shared.db import EVERY_DEALER, Database
from shared.issuer_keys import RemoteKeys
from shared.service import Service
from shared.testing.people import OPERATOR, SATO, SUZUKI, TANAKA, TFC, YAMADA
from shared.testing.servers import PLAIN
from shared.tokens import TokenVerifier, principal_of
from shared.trace_context import new_id
from shared.worker import Delivery

from .conftest import AWAY, KEY, SECRET, Browser, Site, free_port, issuer_settings, serving
from .contract_files import DEALERS, VEHICLES, contract_file

TUESDAY = datetime(2025, 7, 15, 1, 0, tzinfo=UTC)
NOBODY = "http://127.0.0.1:9"


EVERYBODY = (YAMADA, SATO, SUZUKI, TANAKA, TFC, OPERATOR)


@dataclass
class PortalStack:
    """The portal with the services and databases behind it."""

    site: Site
    contracts: Database
    returns: Database
    clock: TravelClock
    delivered: dict[str, int] = field(default_factory=dict)

    @contextlib.asynccontextmanager
    async def signed_in(self, who: Principal) -> AsyncIterator["PortalUser"]:
        async with self.site.browser() as browser:
            landed = await browser.sign_in(who.user_id)
            assert landed.status_code == 303, landed.text
            yield PortalUser(browser)

    async def deliver_events(self) -> None:
        """Deliver the events that each service published since the last call."""
        await self._deliver(self.contracts, self.returns, RETURNS)
        await self._deliver(self.returns, self.contracts, CONTRACTS)

    async def _deliver(self, publisher: Database, subscriber: Database, service: Service) -> None:
        seen = self.delivered.get(service.name, 0)
        async with publisher.transaction(EVERY_DEALER) as tx:
            rows = await tx.execute(
                text(
                    "SELECT position, type, payload::text AS payload FROM outbox"
                    " WHERE position > :seen ORDER BY position"
                ),
                {"seen": seen},
            )
            published = rows.all()
        for row in published:
            self.delivered[service.name] = row.position
            if handle := service.subscribers.handlers.get(row.type):
                now = self.clock.now()
                delivery = Delivery(new_id(), row.position, now, now, None)
                async with subscriber.transaction(EVERY_DEALER) as tx:
                    await handle(read(row.type, row.payload), delivery, tx)

    async def set_flow(self, *, store: bool, hq: bool) -> None:
        async with self.returns.transaction(EVERY_DEALER) as tx:
            await tx.execute(
                text(
                    "INSERT INTO approval_flow (dealer_id, store_approval, hq_approval, hq_mails,"
                    " version, updated_at, updated_by) VALUES ('D01', :store, :hq,"
                    " '{hq@d01.example.jp}', 1, now(), 'D01-H001') ON CONFLICT (dealer_id)"
                    " DO UPDATE SET store_approval = :store, hq_approval = :hq"
                ),
                {"store": store, "hq": hq},
            )


@dataclass
class PortalUser:
    """A signed-in user without scripts, who reads pages and sends the forms on them."""

    browser: Browser
    path: str = "/"
    html: str = ""
    status: int = 0

    async def visit(self, path: str) -> "PortalUser":
        return await self._land(await self.browser.http.get(path))

    async def send(self, form: str, /, **typed: str | list[str]) -> "PortalUser":
        """Send the form whose action ends with `form`, with some fields replaced."""
        action, fields = self._form(form)
        return await self._land(await self.browser.http.post(action, data={**fields, **typed}))

    def form(self, ending: str) -> dict[str, list[str]]:
        return self._form(ending)[1]

    def error_for(self, name: str) -> str:
        """The error message beside a field."""
        found = re.search(rf'id="wrong-{name}"[^>]*>(.*?)</p>', self.html, re.DOTALL)
        field_set = re.search(rf'id="field-{name}".*?class="wrong">(.*?)</p>', self.html, re.DOTALL)
        match = found or field_set
        assert match, self.text[:600]
        return match[1]

    @property
    def text(self) -> str:
        """The visible text of the page."""
        body = re.sub(r"<(script|style|head)\b.*?</\1>", " ", self.html, flags=re.DOTALL)
        return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))

    async def _land(self, reply: httpx.Response) -> "PortalUser":
        self.status = reply.status_code
        while reply.is_redirect:
            reply = await self.browser.http.get(reply.headers["location"])
        self.path = str(reply.url.raw_path.decode())
        self.html = reply.text
        return self

    def _form(self, ending: str) -> tuple[str, dict[str, list[str]]]:
        for found in re.finditer(r"<form\b([^>]*)>(.*?)</form>", self.html, flags=re.DOTALL):
            action = re.search(r'action="([^"]*)"', found[1])
            if action and action[1].endswith(ending) and 'method="post"' in found[1]:
                return unescape(action[1]), fields_of(found[2])
        raise AssertionError(f"no form {ending} on {self.path}: {self.text[:600]}")


AREA = re.compile(r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', re.DOTALL)
SELECT = re.compile(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', re.DOTALL)


def fields_of(html: str, *, ticked_only: bool = True) -> dict[str, list[str]]:
    """The fields that a browser sends of an untouched form; or with every box ticked."""
    fields: dict[str, list[str]] = {}
    for tag in re.findall(r"<input\b[^>]*>", html):
        traits = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        is_box = traits.get("type") in {"checkbox", "radio"}
        if ticked_only and is_box and " checked" not in tag:
            continue
        if "name" in traits:
            fields.setdefault(traits["name"], []).append(unescape(traits.get("value", "")))
    for name, inner in AREA.findall(html):
        fields[name] = [unescape(inner)]
    for name, inner in SELECT.findall(html):
        chosen = re.search(r'<option value="([^"]*)" selected', inner)
        fields[name] = [chosen[1] if chosen else ""]
    return fields


@contextlib.asynccontextmanager
async def open_portal_stack(
    create: Callable[[str], Awaitable[str]], **more: Callable[..., FastAPI]
) -> AsyncIterator[PortalStack]:
    """Start all parts on their own ports, with the contracts of the examples; `more` services."""
    makers: dict[str, Callable[..., FastAPI]] = {
        "contracts": create_contracts,
        "returns": create_returns,
        "interchange": partial(
            create_interchange,
            secret_box=SecretBox(Fernet.generate_key().decode()),
            post=WebhookClient(local=True),
        ),
        **more,
    }
    urls = {name: await create(f"{name}_service") for name in makers}
    contracts, returns = Database(urls["contracts"]), Database(urls["returns"])
    clock = TravelClock()
    clock.travel_to(TUESDAY)
    await import_masters(contracts, DEALERS, VEHICLES, now=clock.now())
    taken_in = await import_contracts(contracts, contract_file(), now=clock.now())
    assert not taken_in.refused, taken_in.refused
    issuer_url = f"http://127.0.0.1:{free_port()}"
    with contextlib.ExitStack() as stack:
        services = {
            f"{name}_url": stack.enter_context(
                serving(_service(make, urls[name], clock, issuer_url))
            )
            for name, make in makers.items()
        }
        own = await create("portal_service")
        site = open_site(stack, clock, issuer_url, EVERYBODY, database=own, **services)
        portal_stack = PortalStack(site, contracts, returns, clock)
        await portal_stack.deliver_events()
        await portal_stack.set_flow(store=True, hq=True)
        yield portal_stack
    await contracts.close()
    await returns.close()


def open_site(
    stack: contextlib.ExitStack,
    clock: TravelClock,
    issuer_url: str,
    people: Sequence[Principal],
    *,
    database: str = AWAY,
    **services: str,
) -> Site:
    """Serve portal and issuer until the stack closes; a service not named does not answer."""
    names = ("contracts", "returns", "commuter", "notifier", "interchange")
    urls: dict[str, Any] = {f"{name}_url": NOBODY for name in names} | services
    made: list[FastAPI] = []

    def portal_at(own_url: str) -> FastAPI:
        settings = PortalSettings(
            public_url=own_url,
            session_secret=SECRET,
            database_url=database,
            mail_sender="desk@example.jp",
            oidc_issuer=issuer_url,
            embedded=True,
            upstream_timeout_s=30,  # generous for a busy machine
            work_wait_s=30,
            names_kept_s=0,  # tests change masters behind the portal
            **urls,
        )
        made.append(create_app(settings, now=clock.now))
        return made[0]

    portal = stack.enter_context(serving(portal_at))
    issuer = replace(issuer_settings(issuer_url, portal), people=tuple(people))
    at = urlsplit(issuer_url).port or 0
    stack.enter_context(serving(lambda _: create_issuer(issuer, KEY), at))
    return Site(portal, issuer_url, made[0], database=database)


def _service(
    create: Callable[..., FastAPI], url: str, clock: TravelClock, issuer: str
) -> Callable[[str], FastAPI]:
    """The real service; it closes its resources in its own event loop."""

    def make(_own_url: str) -> FastAPI:
        database, http = Database(url), httpx.AsyncClient(timeout=5, verify=PLAIN)
        verifier = TokenVerifier(
            RemoteKeys(f"{issuer}/jwks", http), issuer=issuer, audience="madoguchi"
        )
        app = create(database, clock, principal_of(verifier))

        @contextlib.asynccontextmanager
        async def closing(_app: FastAPI) -> AsyncIterator[None]:
            yield
            await http.aclose()
            await database.close()

        app.router.lifespan_context = closing
        return app

    return make
