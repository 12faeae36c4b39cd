"""Login with a provider that is not ours: the certified oidc-provider, in a real browser."""

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from playwright.async_api import Browser, Page

from portal_service.app import create_app
from portal_service.settings import PortalSettings
from tests.node_assets import node_modules

from .conftest import SECRET, csrf_in, free_port, screens, service_double, serving

RESOURCE = "https://madoguchi.example/api"


@dataclass
class Elsewhere:
    """A portal whose people are known to somebody else's provider."""

    portal: str
    provider: str


@pytest.fixture(scope="module")
def elsewhere(request: pytest.FixtureRequest) -> Iterator[Elsewhere]:
    package = node_modules(request) / "oidc-provider" / "lib" / "index.js"
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    with contextlib.ExitStack() as stack:
        service = stack.enter_context(serving(lambda _: service_double()))

        def make(url: str) -> FastAPI:
            nobody = "http://127.0.0.1:9"
            settings = PortalSettings(
                public_url=url, session_secret=SECRET, oidc_issuer=issuer,
                oidc_resource=RESOURCE, contracts_url=service, returns_url=nobody,
                commuter_url=nobody, notifier_url=nobody,
                interchange_url=nobody,
            )  # fmt: skip
            app = create_app(settings)
            app.include_router(screens)
            return app

        portal = stack.enter_context(serving(make))
        environment = {
            **os.environ, "PACKAGE": package.as_uri(), "PORT": str(port), "PORTAL": portal,
            "AUDIENCE": "madoguchi",
        }  # fmt: skip
        script = str(Path(__file__).with_name("provider.mjs"))
        process = subprocess.Popen(
            [str(shutil.which("node")), script], env=environment, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout
        assert "listening" in process.stdout.readline()
        yield Elsewhere(portal, issuer)
        process.kill()
        process.wait()
        process.stdout.close()


@contextlib.asynccontextmanager
async def browsing(chromium: Browser, elsewhere: Elsewhere) -> AsyncIterator[Page]:
    context = await chromium.new_context(locale="ja-JP", base_url=elsewhere.portal)
    page = await context.new_page()
    page.set_default_timeout(30_000)  # a machine may be busy
    yield page
    await context.close()


async def sign_in(page: Page, user_id: str) -> None:
    """At the provider's own pages: who, and may the portal know."""
    await page.fill("input[name=login]", user_id)
    await page.fill("input[name=password]", "any")
    await page.click("button[type=submit]")
    await page.click("button:has-text('Continue')")


async def test_code_flow_with_pkce_from_any_page_and_back(
    chromium: Browser, elsewhere: Elsewhere
) -> None:
    async with browsing(chromium, elsewhere) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.goto("/help")
        assert page.url.startswith(elsewhere.provider)
        query = parse_qs(urlsplit(next(url for url in asked if "/auth?" in url)).query)
        assert query["response_type"] == ["code"]
        assert query["code_challenge_method"] == ["S256"]
        assert len(query["code_challenge"][0]) == 43
        assert query["resource"] == [RESOURCE]
        await sign_in(page, "e101")
        await page.wait_for_url(f"{elsewhere.portal}/help")
        assert "山田 太郎" in await page.inner_text(".bar")
        assert "営業スタッフ" in await page.inner_text(".bar")
        cookies = await page.context.cookies(elsewhere.portal)
        kept = {c["name"]: c for c in cookies if c["name"].startswith("madoguchi")}
        assert set(kept) == {"madoguchi_session"}
        assert kept["madoguchi_session"]["httpOnly"]
        assert kept["madoguchi_session"]["sameSite"] == "Lax"
        assert await page.evaluate("document.cookie") == ""


async def test_a_code_without_its_verifier_buys_nothing(
    chromium: Browser, elsewhere: Elsewhere
) -> None:
    async with browsing(chromium, elsewhere) as page:
        await page.goto("/")
        await page.context.clear_cookies(name=re.compile("madoguchi_login"))
        await sign_in(page, "e101")  # the portal does not know this login, nor redeem its code
        await page.wait_for_selector("h1:has-text('ログインできませんでした')")
        stolen = page.url
    async with httpx.AsyncClient(base_url=elsewhere.portal, timeout=60) as thief:
        assert (await thief.get(stolen)).status_code == 400
        code = parse_qs(urlsplit(stolen).query)["code"][0]
        form = {
            "grant_type": "authorization_code", "code": code, "client_id": "madoguchi-portal",
            "redirect_uri": f"{elsewhere.portal}/auth/callback", "code_verifier": "x" * 43,
        }  # fmt: skip
        refused = await thief.post(f"{elsewhere.provider}/token", data=form)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


async def test_logging_out_ends_it_at_the_provider_too(
    chromium: Browser, elsewhere: Elsewhere
) -> None:
    async with browsing(chromium, elsewhere) as page:
        await page.goto("/")
        await sign_in(page, "e101")
        await page.wait_for_url(f"{elsewhere.portal}/")
        other = await page.context.new_page()
        await other.goto("/help")
        await page.click("button:has-text('ログアウト')")
        await page.click("button:has-text('Yes')")
        await page.wait_for_url("**/auth/signed-out")
        assert await page.context.cookies(elsewhere.portal) == []
        await other.reload()
        assert other.url.startswith(elsewhere.provider)
        assert await other.is_visible("input[name=login]")


async def test_an_ended_session_keeps_what_was_typed(
    chromium: Browser, elsewhere: Elsewhere
) -> None:
    async with browsing(chromium, elsewhere) as page:
        await page.goto("/")
        await sign_in(page, "short")
        await page.wait_for_url(f"{elsewhere.portal}/")
        token = csrf_in(await page.content())
        form = f"""
            const form = document.createElement("form");
            form.method = "post"; form.action = "/notes";
            for (const [name, value] of [["csrf", "{token}"], ["memo", "消えては困るメモ"]]) {{
              const field = document.createElement("input");
              field.name = name; field.value = value; form.append(field);
            }}
            document.body.append(form);
        """
        await page.evaluate(form)
        async with httpx.AsyncClient(base_url=elsewhere.portal, timeout=60) as http:
            cookies = await page.context.cookies(elsewhere.portal)
            http.cookies.update({cookie["name"]: cookie["value"] for cookie in cookies})
            while (await http.get("/")).status_code == 200:
                await page.wait_for_timeout(250)
        await page.evaluate("document.forms[document.forms.length - 1].submit()")
        await page.wait_for_selector("h1:has-text('ログインの有効期限が切れました')")
        async with page.context.expect_page() as opened:
            await page.click("text=新しいタブでログインする")
        tab = await opened.value
        await tab.wait_for_url("**/auth/signed-in")
        await page.click("button:has-text('もう一度送る')")
        await page.wait_for_selector("text=「消えては困るメモ」を登録しました。")


async def test_forms_of_other_sites_and_scripts_of_others_do_nothing(
    chromium: Browser, elsewhere: Elsewhere
) -> None:
    async with browsing(chromium, elsewhere) as page:
        await page.goto("/")
        await sign_in(page, "e101")
        await page.wait_for_url(f"{elsewhere.portal}/")
        refused = await page.request.post("/notes", form={"memo": "x", "csrf": "guessed"})
        assert refused.status == 403
        none = await page.request.post("/notes", form={"memo": "x"})
        assert none.status == 403
        blocked: list[str] = []
        page.on("console", lambda message: blocked.append(message.text))
        await page.evaluate("""
            const script = document.createElement("script");
            script.textContent = "window.injected = true";
            document.body.append(script);
        """)
        assert await page.evaluate("window.injected") is None
        assert any("Content Security Policy" in text for text in blocked)
