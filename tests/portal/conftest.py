"""Portal fixture: a portal and the development issuer, each on a real server and its own port."""

import contextlib
import re
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import uvicorn
from fastapi import APIRouter, FastAPI, Form, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from joserfc.jwk import ECKey
from playwright.async_api import Browser as Chromium
from playwright.async_api import async_playwright

from madoguchi.embedded.issuer import IssuerSettings, create_issuer
from portal_service.api_client import client_of
from portal_service.app import create_app
from portal_service.rendering import announce
from portal_service.settings import PortalSettings
from shared.auth import Principal, Role, require
from shared.testing.databases import TestDatabases
from shared.testing.servers import PLAIN
from tests.chromium import FLAGS, chromium_or_skip

if TYPE_CHECKING:
    from .portal_stack import PortalStack

SECRET = "a secret of at least thirty-two characters"
KEY = ECKey.generate_key("P-256", {"kid": "test"})


def person(user_id: str, name: str, store: str | None, *roles: Role) -> Principal:
    dealer = "D01" if store else None
    return Principal(user_id, name, dealer, store, user_id.upper(), frozenset(roles), None)


PEOPLE = (
    person("e101", "山田 太郎", "S10", Role.SALES),
    person("m100", "佐藤 和子", "S10", Role.MANAGER),
    person("h001", "田中 一郎", "S00", Role.HQ),
    person("t001", "高木 誠", None, Role.TFC),
    person("o001", "小野 明", None, Role.OPERATOR),
    person("e900", "工藤 花", "S10", Role.EMPLOYEE),
    person("a001", "経理 太一", "S00", Role.EXPENSE_ADMIN, Role.EXPENSE_APPROVER),
)


@contextlib.contextmanager
def serving(make: Callable[[str], FastAPI], port: int = 0) -> Iterator[str]:
    """Serve the application created for its address; yields the address."""
    with socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", port))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        config = uvicorn.Config(make(url), log_level="warning", ws="none", timeout_keep_alive=30)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield url
        server.should_exit = True
        thread.join()


screens = APIRouter()


@screens.post("/notes", dependencies=[require()])
async def keep_note(request: Request, memo: Annotated[str, Form()]) -> Response:
    reply = await client_of(request).send(
        "contracts", "POST", "/echo", {"memo": memo}, idempotency_key="form-1", version='"7"'
    )
    response = RedirectResponse("/", 303)
    announce(request, response, f"「{reply.body['body']['memo']}」を登録しました。")
    return response


@screens.get("/ask/{status}", dependencies=[require()])
async def ask_service(request: Request, status: int) -> Response:
    reply = await client_of(request).get("contracts", f"/fail/{status}", {"q": "a", "none": None})
    return JSONResponse(reply.body)


@screens.get("/ask-nobody", dependencies=[require()])
async def ask_nobody(request: Request) -> Response:
    await client_of(request).get("returns", "/")
    return Response()


@screens.get("/crash", dependencies=[require()])
async def crash() -> None:
    raise ZeroDivisionError


def service_double() -> FastAPI:
    """A fake service at the outside edge: echoes the request, or refuses with a status."""
    app = FastAPI()
    api = APIRouter(prefix="/api/contracts/v1")

    @api.post("/echo")
    async def echo(request: Request) -> Any:
        return {"body": await request.json(), "headers": dict(request.headers)}

    @api.get("/fail/{status}")
    async def fail(request: Request, status: int) -> Response:
        if status == 200:
            return JSONResponse(
                {"query": dict(request.query_params), "headers": dict(request.headers)}
            )
        problem = {
            "code": "RETURN_ALREADY_DECIDED",
            "title": "決定済み",
            "detail": "この申込はすでに承認されています。",
            "errors": [{"field": "returned_on", "message": "返却日が正しくありません。"}],
        }
        return JSONResponse(problem, status, media_type="application/problem+json")

    app.include_router(api)
    return app


@dataclass
class Clock:
    """The issuer's clock: the real time plus an offset set by a test."""

    ahead_s: float = 0

    def __call__(self) -> float:
        return time.time() + self.ahead_s


@dataclass
class Site:
    """A portal with the issuer and the services around it."""

    portal: str
    issuer: str
    app: FastAPI
    issuer_clock: Clock = field(default_factory=Clock)

    @contextlib.asynccontextmanager
    async def browser(self) -> AsyncIterator["Browser"]:
        async with httpx.AsyncClient(base_url=self.portal, timeout=60, verify=PLAIN) as http:
            yield Browser(self, http)


@dataclass
class Browser:
    """A person's browser: stores cookies, and follows redirects only on request."""

    site: Site
    http: httpx.AsyncClient

    async def begin_login(self, path: str = "/") -> dict[str, str]:
        """Begin a login; returns the authorization request."""
        login = await self.http.get("/auth/login", params={"next": path})
        return query_of(login.headers["location"])

    async def pick(self, user_id: str, asked: dict[str, str]) -> str:
        """Choose a person at the issuer; returns the redirect address."""
        async with httpx.AsyncClient(timeout=60, verify=PLAIN) as elsewhere:
            reply = await elsewhere.post(
                f"{self.site.issuer}/authorize", data={**asked, "person": user_id}
            )
        return reply.headers["location"]

    async def sign_in(self, user_id: str, path: str = "/") -> httpx.Response:
        """Log in completely; returns the redirect to the requested page."""
        back = await self.pick(user_id, await self.begin_login(path))
        return await self.http.get(back)

    async def csrf(self) -> str:
        return csrf_in((await self.http.get("/")).text)


def csrf_in(html: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', html)
    assert found, html
    return found[1]


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def portal_settings(url: str, issuer: str, service: str = "http://127.0.0.1:9") -> PortalSettings:
    return PortalSettings(
        public_url=url,
        session_secret=SECRET,
        mail_sender="desk@example.jp",
        oidc_issuer=issuer,
        contracts_url=service,
        returns_url="http://127.0.0.1:9",
        commuter_url="http://127.0.0.1:9",
        notifier_url="http://127.0.0.1:9",
        interchange_url="http://127.0.0.1:9",
        embedded=True,
        upstream_timeout_s=30,  # generous for a busy machine
        work_wait_s=30,
    )


@contextlib.asynccontextmanager
async def asking(settings: PortalSettings) -> AsyncIterator[httpx.AsyncClient]:
    """A portal without a server, for settings that no local address can have."""
    app = create_app(settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=settings.public_url) as http,
    ):
        yield http


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """Both need the other's address, so the issuer's port is chosen before either starts."""
    made: list[FastAPI] = []
    clock = Clock()
    with contextlib.ExitStack() as stack:
        service = stack.enter_context(serving(lambda _url: service_double()))
        issuer_url = f"http://127.0.0.1:{free_port()}"

        def make_portal(url: str) -> FastAPI:
            app = create_app(portal_settings(url, issuer_url, service))
            app.include_router(screens)
            made.append(app)
            return app

        portal = stack.enter_context(serving(make_portal))
        stack.enter_context(
            serving(
                lambda url: create_issuer(issuer_settings(url, portal), KEY, now=clock),
                urlsplit(issuer_url).port or 0,
            )
        )
        yield Site(portal, issuer_url, made[0], clock)


def issuer_settings(url: str, portal: str, *, embedded: bool = True) -> IssuerSettings:
    return IssuerSettings(
        url=url,
        audience="madoguchi",
        client_id="madoguchi-portal",
        redirect_uris=frozenset({f"{portal}/auth/callback"}),
        signed_out_uris=frozenset({f"{portal}/auth/signed-out"}),
        people=PEOPLE,
        embedded=embedded,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
async def chromium(request: pytest.FixtureRequest) -> AsyncIterator[Chromium]:
    """One browser; each test has its own context."""
    program = chromium_or_skip(request)
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield started
        await started.close()


@pytest.fixture(scope="module")
async def portal_stack(databases: TestDatabases) -> AsyncIterator["PortalStack"]:
    """The portal in front of the real services; each test uses separate contracts."""
    from .portal_stack import open_portal_stack  # it imports this module

    async with open_portal_stack(databases.create) as everything:
        yield everything
