"""Sessions end: at logout everywhere at once, by limits, by an operator and by the provider."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text
from typer.testing import CliRunner

from madoguchi.cli.main import main
from portal_service.app import create_app
from portal_service.encrypted_cookies import CookieCipher
from portal_service.ended_sessions import EndedSessions, SessionsEnded
from portal_service.rules.session_end import EndKind
from portal_service.session import BY_ITSELF, SEALED_AS, SEEN_EVERY_S
from shared.db import Database
from shared.notifications import WorkSignal
from shared.testing.servers import PLAIN

from .conftest import (
    AWAY,
    SECRET,
    Browser,
    Site,
    asking,
    csrf_in,
    portal_settings,
    query_of,
    screens,
    serving,
)

SHORT_S = 2.0
"""Within this time every process refuses an ended session."""
COOKIES = ("madoguchi_session", "madoguchi_seen")


def cookies_of(browser: Browser) -> dict[str, str]:
    """The cookies of the session, as a thief copies them."""
    return {name: browser.http.cookies[name] for name in COOKIES}


@contextlib.contextmanager
def another_portal(site: Site, **changed: object) -> Iterator[str]:
    """A further process with the same secret and database, at an address of its own."""
    settings = portal_settings(site.portal, site.issuer, database=site.database)

    def make(_url: str) -> object:
        app = create_app(settings.model_copy(update=changed))
        app.include_router(screens)
        return app

    with serving(make) as url:  # type: ignore[arg-type]  # an app, as the others make
        yield url


@contextlib.asynccontextmanager
async def thief(url: str, cookies: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url, cookies=cookies, timeout=60, verify=PLAIN) as http:
        yield http


async def seconds_until_refused(http: httpx.AsyncClient) -> float:
    """How long the cookie still opened a page."""
    begun = time.monotonic()
    while (await http.get("/help")).status_code == 200:
        assert time.monotonic() - begun < 20, "the session goes on"
        await asyncio.sleep(0.02)
    return time.monotonic() - begun


async def leave(browser: Browser, path: str = "/auth/logout") -> httpx.Response:
    return await browser.http.post(path, data={"csrf": await browser.csrf()})


@pytest.mark.rule("S1")
async def test_the_cookie_of_an_ended_session_is_refused_by_every_process(site: Site) -> None:
    with another_portal(site) as other:
        async with site.browser() as browser:
            await browser.sign_in("e101")
            copied = cookies_of(browser)
            async with thief(site.portal, copied) as here, thief(other, copied) as there:
                assert (await here.get("/help")).status_code == 200
                assert (await there.get("/help")).status_code == 200
                left = await leave(browser)
                dropped = left.headers.get_list("set-cookie")
                assert all(any(f'{name}=""' in one for one in dropped) for name in COOKIES)
                refused = await here.get("/help")
                assert refused.status_code == 401
                assert "もう一度ログイン" in refused.text
                assert await seconds_until_refused(there) < SHORT_S


@pytest.mark.rule("S1")
async def test_a_new_session_of_the_same_browser_is_another_one(site: Site) -> None:
    async with site.browser() as browser:
        await browser.sign_in("e101")
        await leave(browser)
        await browser.sign_in("e101")
        assert (await browser.http.get("/help")).status_code == 200


@pytest.mark.rule("S1")
async def test_logging_out_works_while_provider_and_database_are_away(site: Site) -> None:
    async with site.browser() as browser:
        await browser.sign_in("m100")
        copied = cookies_of(browser)
    with another_portal(site, database_url=SecretStr(AWAY)) as lonely:
        async with thief(lonely, copied) as http:
            token = csrf_in((await http.get("/help")).text)
        settings = portal_settings(site.portal, "http://127.0.0.1:9")
        async with asking(settings) as nobody, thief(lonely, copied) as http:
            for portal in (nobody, http):
                portal.cookies.update(copied)
                left = await portal.post("/auth/logout", data={"csrf": token})
                assert left.status_code == 303
                portal.cookies.update(copied)
                answer = await portal.get("/help")
                assert answer.status_code == 401


@pytest.mark.rule("S1")
async def test_an_end_is_written_when_the_database_is_back(portal_database: str) -> None:
    away, real = Database(AWAY), Database(portal_database)
    ended = EndedSessions(away, WorkSignal())
    now = time.time()
    name = (EndKind.SESSION, f"written late {now}")
    assert not await ended.end(SessionsEnded((name,), now, now + 60))
    assert ended.ends[name] == now
    ended.database = real
    following = asyncio.create_task(ended.follow())
    other = EndedSessions(real, WorkSignal())
    other_following = asyncio.create_task(other.follow())
    async with asyncio.timeout(10):
        while name not in other.ends:  # noqa: ASYNC110 - it polls, too
            await asyncio.sleep(0.05)
    assert other.ends[name] == pytest.approx(now, abs=1e-5)
    for task in (following, other_following):
        task.cancel()
    await asyncio.gather(following, other_following, return_exceptions=True)
    await away.close()
    await real.close()


async def test_a_request_costs_no_query_for_ended_sessions(portal_database: str) -> None:
    """A hundred thousand ends are looked up in microseconds."""
    now = time.time()
    ended = EndedSessions(Database(portal_database), WorkSignal())
    names = tuple((EndKind.SESSION, str(number)) for number in range(100_000))
    ended.learn(SessionsEnded(names, now, now + 60))
    begun = time.perf_counter()
    found = [ended.ends.get((EndKind.SESSION, str(number))) for number in range(0, 100_000, 100)]
    assert (time.perf_counter() - begun) / len(found) < 0.001
    assert None not in found
    await ended.database.close()


@pytest.mark.rule("S2")
async def test_an_idle_session_ends_with_a_page_and_the_provider_asks_again(site: Site) -> None:
    async with site.browser() as browser:
        await browser.sign_in("e101")
        copied = cookies_of(browser)
    with another_portal(site, session_idle_s=1) as portal:
        async with thief(portal, copied) as http:
            await asyncio.sleep(1.1)
            left = await http.get("/help?a=1")
            assert left.status_code == 401
            assert "しばらく操作がなかったため" in left.text
            assert "/auth/login?next=%2Fhelp%3Fa%3D1" in left.text
            login = await http.get("/auth/login")
            assert query_of(login.headers["location"])["prompt"] == "login"
            part = await http.get("/work", headers={"hx-request": "true"})
            assert part.headers["hx-redirect"] == "/"


@pytest.mark.rule("S4")
async def test_what_was_typed_outlives_an_idle_session(site: Site) -> None:
    async with site.browser() as browser:
        await browser.sign_in("e101")
        token = await browser.csrf()
        copied = cookies_of(browser)
    with another_portal(site, session_idle_s=1) as portal:
        async with thief(portal, copied) as http:
            await asyncio.sleep(1.1)
            kept = await http.post("/notes", data={"csrf": token, "memo": "ご家族で検討中"})
            assert kept.status_code == 401
            assert 'name="memo" value="ご家族で検討中"' in kept.text
            assert "まだ登録されていません" in kept.text


@pytest.mark.rule("S3")
async def test_a_session_ends_after_its_longest_time(site: Site) -> None:
    async with site.browser() as browser:
        await browser.sign_in("e101")
        copied = cookies_of(browser)
    with another_portal(site, session_longest_s=1) as portal:
        async with thief(portal, copied) as http:
            await asyncio.sleep(1.1)
            left = await http.get("/help")
            assert left.status_code == 401
            assert "長い時間がたったため" in left.text


@pytest.mark.rule("S2")
async def test_use_is_noted_and_what_a_page_does_by_itself_is_no_use(site: Site) -> None:
    async with site.browser() as browser:
        await browser.sign_in("e101")
        fresh = await browser.http.get("/help")
        assert "set-cookie" not in fresh.headers, "at most once a minute"
        cipher = CookieCipher(SECRET)
        session = cipher.decrypt(SEALED_AS, browser.http.cookies["madoguchi_session"])
        assert session is not None
        seen = {"session_id": session["session_id"], "at": time.time() - SEEN_EVERY_S - 1}
        browser.http.cookies["madoguchi_seen"] = cipher.encrypt("seen", seen, lasts_s=600)
        alone = await browser.http.get("/help", headers={BY_ITSELF: "yes"})
        assert "set-cookie" not in alone.headers
        used = await browser.http.get("/help")
        [noted] = used.headers.get_list("set-cookie")
        assert noted.startswith("madoguchi_seen=")
        assert "HttpOnly" in noted
        assert "SameSite=lax" in noted
        of_another = {"session_id": "another", "at": time.time() + 9999}
        stale = cipher.encrypt("seen", of_another, lasts_s=600)
        old = cipher.encrypt(SEALED_AS, session | {"begun_at": time.time() - 4000}, lasts_s=600)
        async with thief(site.portal, {COOKIES[0]: old, COOKIES[1]: stale}) as http:
            assert (await http.get("/help")).status_code == 401


@pytest.mark.rule("S1")
async def test_a_person_ends_all_their_sessions(site: Site) -> None:
    async with site.browser() as office, site.browser() as phone, site.browser() as colleague:
        for browser, who in ((office, "e101"), (phone, "e101"), (colleague, "m100")):
            await browser.sign_in(who)
        await leave(office, "/auth/logout-everywhere")
        assert (await phone.http.get("/help")).status_code == 401
        assert (await colleague.http.get("/help")).status_code == 200
        await phone.sign_in("e101")
        assert (await phone.http.get("/help")).status_code == 200


@pytest.mark.rule("S1")
async def test_an_operator_ends_the_sessions_of_a_person(site: Site) -> None:
    async with site.browser() as operator, site.browser() as browser:
        await browser.sign_in("e900")
        await operator.sign_in("o001")
        form = {"csrf": await operator.csrf(), "person": "D01-E900"}
        asked = await operator.http.post("/operation/sessions", data=form)
        assert "すべての端末からログアウトさせます" in asked.text
        assert (await browser.http.get("/help")).status_code == 200
        done = await operator.http.post("/operation/sessions", data=form | {"confirmed": "yes"})
        assert done.status_code == 303
        assert (await browser.http.get("/help")).status_code == 401
        shown = await operator.http.get("/operation/sessions")
        assert "D01-E900" in shown.text
        assert "D01-E900 をログアウトさせました。" in shown.text
        wrong = await operator.http.post("/operation/sessions", data=form | {"person": " "})
        assert wrong.status_code == 422
        assert "利用者の番号を入力してください" in wrong.text


async def test_only_operators_manage_sessions_and_the_log(site: Site) -> None:
    async with site.browser() as browser:
        for who in ("e101", "m100", "h001", "t001", "a001"):
            await browser.sign_in(who)
            for path in (
                "/operation/sessions",
                "/operation/access-log",
                "/operation/access-log.csv",
            ):
                assert (await browser.http.get(path)).status_code == 403


@pytest.mark.rule("S1")
async def test_the_command_line_ends_the_sessions_of_a_person(site: Site) -> None:
    async with site.browser() as browser:
        await browser.sign_in("a001")
        command = ["sessions", "end", "D01-A001", "--database", site.database]
        done = await asyncio.to_thread(CliRunner().invoke, main, command)
        assert done.exit_code == 0, done.output
        assert "D01-A001" in done.output
        async with thief(site.portal, cookies_of(browser)) as http:
            assert await seconds_until_refused(http) < SHORT_S


async def test_a_cookie_of_the_earlier_form_is_no_session(site: Site) -> None:
    earlier = {"access_token": "x", "user_id": "e101", "csrf": "x", "id_token": None}
    sealed = CookieCipher(SECRET).encrypt("session", earlier, lasts_s=600)
    async with thief(site.portal, {COOKIES[0]: sealed}) as http:
        answer = await http.get("/help")
        assert answer.headers["location"] == "/auth/login?next=%2Fhelp"


async def test_ends_are_deleted_when_no_cookie_is_left(site: Site) -> None:
    database = Database(site.database)
    async with database.transaction() as tx:
        await tx.execute(
            text(
                "INSERT INTO session_end (kind, key, ended_at, until) VALUES"
                " ('session', 'old', now() - interval '25 hours', now() - interval '1 hour'),"
                " ('session', 'young', now(), now() + interval '1 hour')"
            )
        )
    with another_portal(site):
        async with asyncio.timeout(10):
            while True:
                async with database.transaction() as tx:
                    found = set(await tx.scalars(text("SELECT key FROM session_end")))
                if "old" not in found:
                    break
                await asyncio.sleep(0.05)
    assert "young" in found
    await database.close()
