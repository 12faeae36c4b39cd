"""Pending work on トップ and in the top bar: late and missing parts, and request counts."""

import asyncio
import contextlib
import re
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse

from madoguchi.embedded.issuer import create_issuer
from portal_service.api_client import SERVICE_NAMES
from portal_service.app import create_app
from portal_service.recent_answers import RecentAnswers
from shared.auth import Role
from shared.testing.people import SATO, TANAKA, YAMADA

from .conftest import (
    KEY,
    PEOPLE,
    Browser,
    Site,
    free_port,
    issuer_settings,
    portal_settings,
    serving,
)
from .portal_stack import PortalStack

ROLES = {person.user_id: person.roles for person in PEOPLE}
WAITING = re.compile(r'class="bar-waiting"[^>]*>手続待ち<span class="badge[^"]*">([^<]*)<')


@dataclass
class Service:
    """A fake service that reports one count, and can be held or silent."""

    name: str
    count: int = 1
    asked: list[str] = field(default_factory=list)
    silent: bool = False
    open: threading.Event = field(default_factory=threading.Event)

    def app_at(self, _url: str) -> FastAPI:
        app = FastAPI()

        @app.get("/{path:path}")
        async def answer(path: str) -> Response:
            self.asked.append(path)
            if self.silent:
                return Response(status_code=503)
            if not path.endswith("/work"):
                return Response(status_code=404)
            await asyncio.to_thread(self.open.wait)
            kinds = {"returns": "to_approve", "contracts": "red", "commuter": "slips_to_approve"}
            key = "dead" if "operations" in path else kinds[self.name]
            count = {"key": key, "label": f"{self.name}の仕事", "count": self.count}
            rest = {"waits": key != "red", "filter": {"status": ["A", "B"]}}
            return JSONResponse({"counts": [count | rest], "remanded": []})

        @app.post("/{path:path}")
        async def change(path: str) -> dict[str, str]:
            return {"path": path}

        return app

    @property
    def work_asked(self) -> int:
        return sum(path.endswith("/work") for path in self.asked)


@dataclass
class Edge:
    """A portal with these fake services behind it."""

    site: Site
    services: dict[str, Service]


@contextlib.contextmanager
def edge_with(wait_s: float) -> Iterator[Edge]:
    services = {name: Service(name) for name in SERVICE_NAMES}
    for service in services.values():
        service.open.set()
    made: list[FastAPI] = []
    issuer = f"http://127.0.0.1:{free_port()}"
    with contextlib.ExitStack() as stack:
        urls = {
            f"{name}_url": stack.enter_context(serving(service.app_at))
            for name, service in services.items()
        }

        def portal_at(url: str) -> FastAPI:
            changed = urls | {"work_wait_s": wait_s}
            made.append(create_app(portal_settings(url, issuer).model_copy(update=changed)))
            return made[0]

        portal = stack.enter_context(serving(portal_at))
        stack.enter_context(
            serving(
                lambda url: create_issuer(issuer_settings(url, portal), KEY),
                urlsplit(issuer).port or 0,
            )
        )
        try:
            yield Edge(Site(portal, issuer, made[0]), services)
        finally:
            for service in services.values():
                service.open.set()


@pytest.fixture
def edge() -> Iterator[Edge]:
    with edge_with(30) as made:
        yield made


@contextlib.asynccontextmanager
async def visiting(edge: Edge, user_id: str = "m100") -> AsyncIterator[Browser]:
    async with edge.site.browser() as browser:
        await browser.sign_in(user_id)
        yield browser


async def top(browser: Browser) -> str:
    answer = await browser.http.get("/")
    assert answer.status_code == 200
    return answer.text


async def test_a_page_is_served_while_a_service_is_still_slow() -> None:
    with edge_with(0.3) as edge:
        held = edge.services["returns"]
        held.open.clear()
        async with visiting(edge) as browser:
            html = await top(browser)
            assert held.work_asked == 1
            assert not held.open.is_set()
            assert "読み込み中" in html
            assert 'hx-get="/work/returns"' in html
            assert 'hx-get="/work"' in html
            other = await browser.http.get("/help")
            assert (other.status_code, "読み込み中" in other.text) == (200, True)
            late = asyncio.create_task(browser.http.get("/work/returns"))
            await asyncio.sleep(0.5)
            assert not late.done()
            assert held.work_asked == 1, "the request in flight is enough"
            held.open.set()
            answer = await late
            part = answer.text
            assert (answer.status_code, part.lstrip()[:8]) == (200, "<section")
            assert "returnsの仕事" in part
            assert "読み込み中" not in part
            assert 'href="/returns/approvals?status=A&amp;status=B"' in part
            bar = (await browser.http.get("/work")).text
            assert bar.lstrip().startswith('<div class="bar-work"')
            assert WAITING.findall(bar) == ["1"]


async def test_a_missing_part_is_named_and_the_others_are_shown(edge: Edge) -> None:
    edge.services["returns"].silent = True
    async with visiting(edge) as browser:
        html = await top(browser)
        assert "<strong>車両返却の情報を表示できません" in html
        assert "contractsの仕事" in html
        edge.services["returns"].silent = False
        html = await top(browser)
        assert "車両返却の情報を表示できません" not in html
        assert "returnsの仕事" in html


async def test_the_bar_is_cached_for_several_pages_and_refreshed_after_a_change(edge: Edge) -> None:
    service = edge.services["returns"]
    async with visiting(edge) as browser:
        html = await top(browser)
        assert (WAITING.findall(html), service.work_asked) == (["1"], 1)
        service.count = 2
        for _ in range(3):
            html = (await browser.http.get("/help")).text
        assert (WAITING.findall(html), service.work_asked) == (["1"], 1)
        assert WAITING.findall(await top(browser)) == ["2"]
        assert service.work_asked == 2
        service.count = 3
        assert WAITING.findall((await browser.http.get("/help")).text) == ["2"]
        form = {"csrf": await browser.csrf(), "contact": "03-0000-0000", "confirmed": "yes"}
        before = service.work_asked
        await browser.http.post("/returns/RA-1/approval", data=form)
        assert WAITING.findall((await browser.http.get("/help")).text) == ["3"]
        assert service.work_asked == before + 1


async def test_counts_are_not_shared_between_people(edge: Edge) -> None:
    async with visiting(edge, "m100") as sato, visiting(edge, "h001") as tanaka:
        await top(sato)
        edge.services["returns"].count = 7
        assert WAITING.findall((await tanaka.http.get("/help")).text) == ["7"]
        assert WAITING.findall((await sato.http.get("/help")).text) == ["1"]


@pytest.mark.parametrize("user_id", ROLES)
async def test_only_the_services_of_a_role_are_called(edge: Edge, user_id: str) -> None:
    dealers = {Role.SALES, Role.MANAGER, Role.HQ}
    wanted = {
        "returns": dealers | {Role.TFC},
        "contracts": dealers,
        "commuter": {Role.EMPLOYEE, Role.EXPENSE_APPROVER, Role.EXPENSE_ADMIN},
    }
    async with visiting(edge, user_id) as browser:
        html = await top(browser)
        parts = set(re.findall(r'class="work-part" id="work-(\w+)"', html))
    expected = {name for name, roles in wanted.items() if roles & ROLES[user_id]}
    if Role.OPERATOR in ROLES[user_id]:
        expected, total = {"operations"}, len(SERVICE_NAMES)
        assert 'href="/operation/dead-letters?status=A&amp;status=B"' in html
    else:
        total = len(expected - {"contracts"})
    assert parts == expected
    assert WAITING.findall(html) == [str(total)]


async def test_parts_of_other_roles_are_not_shown(edge: Edge) -> None:
    async with visiting(edge, "o001") as browser:
        assert (await browser.http.get("/work/returns")).status_code == 404
        assert (await browser.http.get("/work/nothing")).status_code == 404


async def test_the_least_recently_used_entry_is_evicted() -> None:
    answers: RecentAnswers[int] = RecentAnswers(30)

    async def one(number: int) -> int:
        return number

    assert await answers.get("a", "q", one(1), keep_s=60) == 1
    assert await answers.get("a", "q", one(2), keep_s=60) == 1
    for number in range(5_000):
        await answers.get(number, "q", one(number), keep_s=60)
    assert await answers.get("a", "q", one(3), keep_s=60) == 3


async def test_every_count_on_the_home_page_links_to_a_list_of_that_length(
    portal_stack: PortalStack,
) -> None:
    await portal_stack.set_flow(store=True, hq=True)
    for who, title in ((YAMADA, "差戻しされた申込"), (SATO, "手続待ち・一括承認")):
        async with portal_stack.signed_in(who) as user:
            await user.visit("/returns/approvals")
            assert f"<h1>{title}</h1>" in user.html
    for who in (YAMADA, SATO, TANAKA):
        async with portal_stack.signed_in(who) as user:
            await user.visit("/")
            links = re.findall(
                r'<a class="count[^"]*" href="([^"]+)">.*?count-number">(\d+)件', user.html
            )
            assert len(links) >= 4
            for address, number in links:
                await user.visit(address.replace("&amp;", "&"))
                rows = len(re.findall(r"<tr class=\"row-", user.html))
                assert rows == min(int(number), 100), (who.name, address)
