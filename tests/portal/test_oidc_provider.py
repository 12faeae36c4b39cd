"""Login at a third-party OIDC provider: the certified oidc-provider, in a real browser."""

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

from .conftest import AWAY, SECRET, csrf_in, free_port, screens, service_double, serving

RESOURCE = "https://madoguchi.example/api"


@dataclass
class ForeignProvider:
    """A portal whose users log in at a third-party provider."""

    portal: str
    provider: str


@pytest.fixture(scope="module")
def foreign_provider(request: pytest.FixtureRequest) -> Iterator[ForeignProvider]:
    package = node_modules(request) / "oidc-provider" / "lib" / "index.js"
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    with contextlib.ExitStack() as stack:
        service = stack.enter_context(serving(lambda _: service_double()))

        def make(url: str) -> FastAPI:
            nobody = "http://127.0.0.1:9"
            settings = PortalSettings(
                public_url=url, session_secret=SECRET, oidc_issuer=issuer,
                mail_sender="desk@example.jp", database_url=AWAY,
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
        yield ForeignProvider(portal, issuer)
        process.kill()
        process.wait()
        process.stdout.close()


@contextlib.asynccontextmanager
async def browsing(chromium: Browser, foreign_provider: ForeignProvider) -> AsyncIterator[Page]:
    context = await chromium.new_context(locale="ja-JP", base_url=foreign_provider.portal)
    page = await context.new_page()
    page.set_default_timeout(30_000)  # generous for a busy machine
    yield page
    await context.close()


async def sign_in(page: Page, user_id: str) -> None:
    """Log in and give consent on the provider's own pages."""
    await page.fill("input[name=login]", user_id)
    await page.fill("input[name=password]", "any")
    await page.click("button[type=submit]")
    await page.click("button:has-text('Continue')")


async def test_code_flow_with_pkce_from_any_page_and_back(
    chromium: Browser, foreign_provider: ForeignProvider
) -> None:
    async with browsing(chromium, foreign_provider) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.goto("/help")
        assert page.url.startswith(foreign_provider.provider)
        query = parse_qs(urlsplit(next(url for url in asked if "/auth?" in url)).query)
        assert query["response_type"] == ["code"]
        assert query["code_challenge_method"] == ["S256"]
        assert len(query["code_challenge"][0]) == 43
        assert query["resource"] == [RESOURCE]
        await sign_in(page, "e101")
        await page.wait_for_url(f"{foreign_provider.portal}/help")
        assert "山田 太郎" in await page.inner_text(".bar")
        assert "営業スタッフ" in await page.inner_text(".bar")
        cookies = await page.context.cookies(foreign_provider.portal)
        kept = {c["name"]: c for c in cookies if c["name"].startswith("madoguchi")}
        assert set(kept) == {"madoguchi_session", "madoguchi_seen"}
        assert kept["madoguchi_session"]["httpOnly"]
        assert kept["madoguchi_session"]["sameSite"] == "Lax"
        assert await page.evaluate("document.cookie") == ""


async def test_a_code_without_its_verifier_is_refused(
    chromium: Browser, foreign_provider: ForeignProvider
) -> None:
    async with browsing(chromium, foreign_provider) as page:
        await page.goto("/")
        await page.context.clear_cookies(name=re.compile("madoguchi_login"))
        await sign_in(page, "e101")  # the portal neither knows this login nor redeems its code
        await page.wait_for_selector("h1:has-text('ログインできませんでした')")
        stolen = page.url
    async with httpx.AsyncClient(base_url=foreign_provider.portal, timeout=60) as thief:
        assert (await thief.get(stolen)).status_code == 400
        code = parse_qs(urlsplit(stolen).query)["code"][0]
        form = {
            "grant_type": "authorization_code", "code": code, "client_id": "madoguchi-portal",
            "redirect_uri": f"{foreign_provider.portal}/auth/callback", "code_verifier": "x" * 43,
        }  # fmt: skip
        refused = await thief.post(f"{foreign_provider.provider}/token", data=form)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


async def test_logout_also_ends_the_session_at_the_provider(
    chromium: Browser, foreign_provider: ForeignProvider
) -> None:
    async with browsing(chromium, foreign_provider) as page:
        await page.goto("/")
        await sign_in(page, "e101")
        await page.wait_for_url(f"{foreign_provider.portal}/")
        other = await page.context.new_page()
        await other.goto("/help")
        await page.click("button:has-text('ログアウト')")
        await page.click("button:has-text('Yes')")
        await page.wait_for_url("**/auth/signed-out")
        assert await page.context.cookies(foreign_provider.portal) == []
        await other.reload()
        assert other.url.startswith(foreign_provider.provider)
        assert await other.is_visible("input[name=login]")


async def test_an_expired_session_keeps_the_input(
    chromium: Browser, foreign_provider: ForeignProvider
) -> None:
    async with browsing(chromium, foreign_provider) as page:
        await page.goto("/")
        await sign_in(page, "short")
        await page.wait_for_url(f"{foreign_provider.portal}/")
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
        async with httpx.AsyncClient(base_url=foreign_provider.portal, timeout=60) as http:
            cookies = await page.context.cookies(foreign_provider.portal)
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


async def test_cross_site_forms_and_injected_scripts_are_blocked(
    chromium: Browser, foreign_provider: ForeignProvider
) -> None:
    async with browsing(chromium, foreign_provider) as page:
        await page.goto("/")
        await sign_in(page, "e101")
        await page.wait_for_url(f"{foreign_provider.portal}/")
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
