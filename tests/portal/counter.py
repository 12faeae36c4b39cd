"""The whole counter: portal, issuer, the real returns service on PostgreSQL, real tokens."""

import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from html import unescape
from urllib.parse import urlsplit

import httpx
from fastapi import FastAPI
from sqlalchemy import text

from event_contracts import Event
from event_contracts.contract import ContractRegistered, Vehicle
from event_contracts.masters import StaffUpdated, StoreUpdated
from madoguchi.issuer import create_issuer
from portal_service.app import create_app
from portal_service.settings import PortalSettings
from returns_service.app import SERVICE as RETURNS
from returns_service.app import create_app as create_returns
from shared.auth import Principal, RemoteKeys, Role, TokenVerifier, principal_of
from shared.clock import TravelClock
from shared.context import new_id
from shared.db import EVERY_DEALER, Database
from shared.worker import Delivery

from .conftest import KEY, SECRET, Browser, Site, free_port, issuer_settings, serving
from .standing_in import stand_in_contracts

TUESDAY = datetime(2025, 7, 15, 1, 0, tzinfo=UTC)


def person(code: str, name: str, role: Role, store: str | None) -> Principal:
    mail = f"{code.lower()}@d01.example.jp"
    return Principal(f"D01-{code}", name, "D01", store, code, frozenset({role}), mail)


YAMADA = person("E101", "山田 太郎", Role.SALES, "S10")
ITO = person("E102", "伊藤 翔", Role.SALES, "S10")
SATO = person("M100", "佐藤 誠", Role.MANAGER, "S10")
SUZUKI = person("E201", "鈴木 花子", Role.SALES, "S20")
TANAKA = person("H001", "田中 裕子", Role.HQ, None)
TFC = Principal("t001", "渡辺 恵子", None, None, "T001", frozenset({Role.TFC}), None)
EVERYBODY = (YAMADA, ITO, SATO, SUZUKI, TANAKA, TFC)


def told_before(contracts: int) -> Iterator[Event]:
    yield StoreUpdated(dealer_id="D01", store_code="S10", name="本店", phone="03-0010-1000")
    yield StoreUpdated(dealer_id="D01", store_code="S20", name="西店", phone="03-0010-2000")
    for who in EVERYBODY[:-1]:
        yield StaffUpdated(
            dealer_id="D01",
            staff_code=who.staff_code or "",
            name=who.name,
            store_code=who.store,
            role=next(iter(who.roles)).value,
            mobile="090-0001-0001",
        )
    for number in range(1, contracts + 1):
        yield ContractRegistered(
            dealer_id="D01",
            contract_no=f"C-{1000 + number}",
            store_code="S10",
            product_code="SVP_A" if number == 2 else "SVP_R",
            final_on=date(2025, 9, 15),
            vehicle=Vehicle(
                model="プリウス",
                registration_no="品川 300 あ 12-34",
                first_registered_on=date(2022, 7, 1),
            ),
            staff_code="E101",
            receivable_purchased=False,
            tfc_handled=False,
            customer_name="山本　太郎",
        )


@dataclass
class Counter:
    """Everything that serves a person in front of the portal."""

    site: Site
    returns: Database
    clock: TravelClock

    @contextlib.asynccontextmanager
    async def of(self, who: Principal) -> AsyncIterator["Visitor"]:
        async with self.site.browser() as browser:
            await browser.sign_in(who.user_id)
            yield Visitor(browser)

    async def hear(self, *events: Event) -> None:
        for event in events:
            delivery = Delivery(new_id(), 1, self.clock.now(), self.clock.now(), None)
            async with self.returns.transaction(EVERY_DEALER) as tx:
                await RETURNS.subscribers.handlers[event.wire_type](event, delivery, tx)

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
class Visitor:
    """A signed-in person who reads pages, follows links and sends the forms that stand on them."""

    browser: Browser
    path: str = "/"
    html: str = ""
    status: int = 0
    fields: dict[str, list[str]] = field(default_factory=dict)

    async def go(self, path: str) -> "Visitor":
        return await self._land(await self.browser.http.get(path))

    async def send(self, form: str, /, **typed: str | list[str]) -> "Visitor":
        """Send the form whose action ends with `form`, with some fields typed over."""
        action, fields = self._form(form)
        return await self._land(await self.browser.http.post(action, data={**fields, **typed}))

    def form(self, ending: str) -> dict[str, list[str]]:
        return self._form(ending)[1]

    @property
    def words(self) -> str:
        """What a person reads on the page."""
        body = re.sub(r"<(script|style|head)\b.*?</\1>", " ", self.html, flags=re.DOTALL)
        return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))

    async def _land(self, reply: httpx.Response) -> "Visitor":
        self.status = reply.status_code
        while reply.is_redirect:
            reply = await self.browser.http.get(reply.headers["location"])
        self.path = str(reply.url.raw_path.decode())
        self.html = reply.text
        return self

    def _form(self, ending: str) -> tuple[str, dict[str, list[str]]]:
        for found in re.finditer(r"<form\b([^>]*)>(.*?)</form>", self.html, flags=re.DOTALL):
            action = re.search(r'action="([^"]*)"', found[1])
            if action and action[1].endswith(ending) and "post" in found[1]:
                return unescape(action[1]), _fields(found[2])
        raise AssertionError(f"no form {ending} on {self.path}: {self.words[:400]}")


def _fields(html: str) -> dict[str, list[str]]:
    """What a browser would send of a form that nobody touched."""
    fields: dict[str, list[str]] = {}
    for tag in re.findall(r"<input\b[^>]*>", html):
        traits = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if traits.get("type") in ("checkbox", "radio") and "checked" not in tag:
            continue
        if "name" in traits:
            fields.setdefault(traits["name"], []).append(unescape(traits.get("value", "")))
    for name, inner in re.findall(
        r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', html, re.DOTALL
    ):
        fields[name] = [unescape(inner)]
    for name, inner in re.findall(
        r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', html, re.DOTALL
    ):
        chosen = re.search(r'<option value="([^"]*)" selected', inner)
        fields[name] = [chosen[1] if chosen else ""]
    return fields


@contextlib.asynccontextmanager
async def open_counter(
    new_database: Callable[[str], Awaitable[str]], *, contracts: int = 6
) -> AsyncIterator[Counter]:
    """Start everything on ports of its own."""
    url = await new_database("returns_service")
    database, clock = Database(url), TravelClock()
    clock.travel_to(TUESDAY)
    issuer_url = f"http://127.0.0.1:{free_port()}"
    with contextlib.ExitStack() as stack:
        returns = stack.enter_context(serving(lambda _: returns_service(url, clock, issuer_url)))
        contracts_url = stack.enter_context(serving(lambda _: stand_in_contracts()))
        made: list[FastAPI] = []

        def portal_at(portal_url: str) -> FastAPI:
            settings = PortalSettings(
                public_url=portal_url,
                session_secret=SECRET,
                oidc_issuer=issuer_url,
                contracts_url=contracts_url,
                returns_url=returns,
                commuter_url="http://127.0.0.1:9",
                notifier_url="http://127.0.0.1:9",
                embedded=True,
            )
            made.append(create_app(settings, now=clock.now))
            return made[0]

        portal = stack.enter_context(serving(portal_at))
        people = issuer_settings(issuer_url, portal)
        stack.enter_context(
            serving(
                lambda _: create_issuer(replace(people, people=EVERYBODY), KEY),
                urlsplit(issuer_url).port or 0,
            )
        )
        counter = Counter(Site(portal, issuer_url, made[0]), database, clock)
        await counter.hear(*told_before(contracts))
        await counter.set_flow(store=True, hq=True)
        yield counter
    await database.close()


def returns_service(url: str, clock: TravelClock, issuer: str) -> FastAPI:
    """The real service; what it opens it closes in its own event loop."""
    database, http = Database(url), httpx.AsyncClient(timeout=5)
    keys = RemoteKeys(f"{issuer}/jwks", http)
    verifier = TokenVerifier(keys, issuer=issuer, audience="madoguchi")
    app = create_returns(database, clock, principal_of(verifier))

    @contextlib.asynccontextmanager
    async def closing(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await http.aclose()
        await database.close()

    app.router.lifespan_context = closing
    return app
