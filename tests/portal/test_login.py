"""Login only through the provider, redirects only to the portal's own pages, and full logout."""

import asyncio
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from madoguchi.embedded.issuer import (
    CODE_LASTS_S,
    IssuerOnlyInEmbeddedMode,
    create_issuer,
    issuer_key,
)
from portal_service.app import create_app
from portal_service.oidc import LoginAttempt
from portal_service.sign_in import own_path
from shared.auth import (
    RouteWithoutPolicy,
    assert_every_route_has_a_policy,
    policies_by_path,
)
from shared.http import PROBES

from .conftest import KEY, Site, asking, csrf_in, issuer_settings, portal_settings, query_of


async def test_a_login_returns_to_the_requested_page(site: Site) -> None:
    async with site.browser() as browser:
        sent_away = await browser.http.get("/help?store=S10")
        assert sent_away.headers["location"] == "/auth/login?next=%2Fhelp%3Fstore%3DS10"
        reply = await browser.sign_in("m100", "/help?store=S10")
        assert (reply.status_code, reply.headers["location"]) == (303, "/help?store=S10")
        page = await browser.http.get("/help")
        assert page.status_code == 200
        assert "佐藤 和子" in page.text
        assert "店長" in page.text


async def test_cookies_are_out_of_reach_of_scripts_and_other_sites(site: Site) -> None:
    async with site.browser() as browser:
        reply = await browser.sign_in("e101")
        for cookie in reply.headers.get_list("set-cookie"):
            assert "HttpOnly" in cookie
            assert "SameSite=lax" in cookie


async def test_on_https_cookies_are_secure_and_bound_to_the_host(site: Site) -> None:
    settings = portal_settings("https://portal.example.test", site.issuer)
    async with asking(settings) as http:
        reply = await http.get("/auth/login")
    assert reply.headers["set-cookie"].startswith("__Host-madoguchi_login_")
    assert "Secure" in reply.headers["set-cookie"]
    assert "strict-transport-security" in reply.headers


async def test_two_tabs_log_in_at_once(site: Site) -> None:
    async with site.browser() as browser:
        first = await browser.begin_login("/transfers")
        second = await browser.begin_login("/contracts")
        landed = [
            (await browser.http.get(await browser.pick("m100", asked))).headers["location"]
            for asked in (first, second)
        ]
    assert landed == ["/transfers", "/contracts"]


@pytest.mark.parametrize(
    ("wanted", "led_to"),
    [
        ("/contracts?q=%E5%B1%B1", "/contracts?q=%E5%B1%B1"),
        ("/", "/"),
        ("/auth/signed-in", "/auth/signed-in"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/\n/evil.example", "/"),
        ("/contracts\x00", "/"),
        ("javascript:alert(1)", "/"),
        ("evil.example", "/"),
        ("", "/"),
        ("/auth/login?next=/auth/login", "/"),
        ("/auth/logout", "/"),
    ],
)
async def test_a_login_never_redirects_to_another_site(
    site: Site, wanted: str, led_to: str
) -> None:
    assert own_path(wanted) == led_to
    async with site.browser() as browser:
        login = await browser.http.get("/auth/login", params={"next": wanted})
        back = await browser.pick("e101", query_of(login.headers["location"]))
        assert (await browser.http.get(back)).headers["location"] == led_to


async def test_a_callback_of_another_browsers_login_is_refused(site: Site) -> None:
    async with site.browser() as attacker, site.browser() as victim:
        back = await attacker.pick("m100", await attacker.begin_login())
        await victim.begin_login()
        reply = await victim.http.get(back)
        assert reply.status_code == 400
        assert "ログインできませんでした" in reply.text
        assert (await victim.http.get("/")).status_code == 303


async def test_a_callback_with_a_forged_state_is_refused(site: Site) -> None:
    async with site.browser() as browser:
        back = await browser.pick("m100", await browser.begin_login())
        state = query_of(back)["state"]
        altered = back.replace(state, state[:8] + "another")
        assert (await browser.http.get(altered)).status_code == 400
        assert (await browser.http.get(back)).status_code == 303


async def test_an_id_token_for_another_login_is_refused(site: Site) -> None:
    async with site.browser() as browser:
        asked = await browser.begin_login()
        back = await browser.pick("m100", asked | {"nonce": "another"})
        assert (await browser.http.get(back)).status_code == 400


async def redeem(site: Site, attempt: LoginAttempt, **changes: str) -> httpx.Response:
    """Redeem a code for this login at the issuer, with some form fields changed."""
    callback = f"{site.portal}/auth/callback"
    asked = {
        "response_type": "code",
        "client_id": "madoguchi-portal",
        "scope": "openid",
        "redirect_uri": callback,
        "state": attempt.state,
        "code_challenge": attempt.challenge,
        "code_challenge_method": "S256",
    }
    async with httpx.AsyncClient(base_url=site.issuer, timeout=60) as http:
        picked = await http.post("/authorize", data={**asked, "person": "e101"})
        form = {
            "grant_type": "authorization_code",
            "code": query_of(picked.headers["location"])["code"],
            "client_id": "madoguchi-portal",
            "redirect_uri": callback,
            "code_verifier": attempt.verifier,
        } | changes
        site.issuer_clock.ahead_s = float(form.pop("later_s", "0"))
        try:
            answer = await http.post("/token", data=form)
            if form.pop("again", ""):
                answer = await http.post("/token", data=form)
        finally:
            site.issuer_clock.ahead_s = 0
        return answer


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({}, None),
        ({"later_s": str(CODE_LASTS_S - 5)}, None),
        ({"later_s": str(CODE_LASTS_S + 1)}, "invalid_grant"),
        ({"again": "yes"}, "invalid_grant"),
        ({"code_verifier": "guessed"}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_grant"),
        ({"client_id": "another"}, "invalid_grant"),
        ({"redirect_uri": "https://evil.example"}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
    ids=str,
)
async def test_a_code_is_valid_once_briefly_and_for_its_client(
    site: Site, changes: dict[str, str], error: str | None
) -> None:
    answer = await redeem(site, LoginAttempt.begin("/"), **changes)
    assert answer.json().get("error") == error
    assert ("access_token" in answer.json()) == (error is None)


@pytest.mark.parametrize(
    "change",
    [
        {"code_challenge_method": "plain"},
        {"code_challenge": ""},
        {"redirect_uri": "https://evil.example/auth/callback"},
        {"client_id": "another"},
        {"response_type": "token"},
        {"scope": "profile"},
    ],
    ids=str,
)
async def test_the_issuer_lists_no_people_on_an_invalid_request(
    site: Site, change: dict[str, str]
) -> None:
    async with (
        site.browser() as browser,
        httpx.AsyncClient(base_url=site.issuer, timeout=60) as http,
    ):
        asked = await browser.begin_login()
        right = await http.get("/authorize", params=asked)
        wrong = await http.get("/authorize", params=asked | change)
        posted = await http.post("/authorize", data={**asked, **change, "person": "m100"})
    assert (right.status_code, wrong.status_code, posted.status_code) == (200, 400, 400)
    assert "佐藤 和子" in right.text
    assert "佐藤 和子" not in wrong.text


async def test_logout_ends_the_session_in_the_portal_and_at_the_provider(site: Site) -> None:
    async with site.browser() as browser:
        await browser.sign_in("e101")
        reply = await browser.http.post("/auth/logout", data={"csrf": await browser.csrf()})
        away = reply.headers["location"]
        assert away.startswith(f"{site.issuer}/logout?")
        assert "id_token_hint" in parse_qs(urlsplit(away).query)
        async with httpx.AsyncClient(timeout=60) as elsewhere:
            back = await elsewhere.get(away)
        assert back.headers["location"] == f"{site.portal}/auth/signed-out"
        assert "ログアウトしました" in (await browser.http.get(back.headers["location"])).text
        assert (await browser.http.get("/")).status_code == 303


async def test_logout_works_while_the_provider_is_away(site: Site) -> None:
    async with site.browser() as browser:
        await browser.sign_in("e101")
        form, cookies = {"csrf": await browser.csrf()}, dict(browser.http.cookies)
    away = portal_settings("http://portal.example.test", "http://127.0.0.1:9")
    async with asking(away) as http:
        http.cookies.update(cookies)
        reply = await http.post("/auth/logout", data=form)
    assert (reply.status_code, reply.headers["location"]) == (
        303,
        "http://portal.example.test/auth/signed-out",
    )
    assert 'madoguchi_session=""' in reply.headers["set-cookie"]
    assert "Max-Age=0" in reply.headers["set-cookie"]


async def test_of_many_unfinished_logins_the_last_three_can_be_finished(site: Site) -> None:
    async with site.browser() as browser:
        begun = [await browser.begin_login(f"/contracts?tab={number}") for number in range(9)]
        kept = [name for name in browser.http.cookies if "login_" in name]
        assert len(kept) == 3
        last = await browser.http.get(await browser.pick("m100", begun[-1]))
        assert last.headers["location"] == "/contracts?tab=8"
        assert len([name for name in browser.http.cookies if "login_" in name]) == 2


async def test_the_issuer_redirects_only_to_registered_pages_after_logout(site: Site) -> None:
    async with httpx.AsyncClient(base_url=site.issuer, timeout=60) as http:
        reply = await http.get(
            "/logout", params={"post_logout_redirect_uri": "https://evil.example"}
        )
    assert reply.status_code == 400


async def test_an_unavailable_provider_gets_an_error_page(site: Site) -> None:
    settings = portal_settings("http://portal.example.test", "http://127.0.0.1:9")
    async with asking(settings) as http:
        reply = await http.get("/auth/login")
        assert (await http.get("/auth/signed-out")).status_code == 200
    assert reply.status_code == 503


def test_the_issuer_exists_only_in_embedded_mode() -> None:
    settings = issuer_settings("http://localhost/issuer", "http://localhost", embedded=False)
    with pytest.raises(IssuerOnlyInEmbeddedMode):
        create_issuer(settings, KEY)


def test_the_issuer_keeps_its_key_with_the_data(tmp_path: Path) -> None:
    first = issuer_key(tmp_path)
    assert issuer_key(tmp_path).as_dict() == first.as_dict()
    assert (tmp_path / "issuer-key.json").stat().st_mode & 0o077 == 0


def test_every_page_has_a_policy(site: Site) -> None:
    assert_every_route_has_a_policy(site.app, public_paths={"/static", *PROBES})
    opened = {path for (_, path), found in policies_by_path(site.app).items() if found}
    assert {"/", "/auth/login", "/auth/logout", "/styleguide"} <= opened


async def test_a_page_without_a_policy_stops_the_start(site: Site) -> None:
    app = create_app(portal_settings("http://portal.example.test", site.issuer))
    app.get("/forgotten")(lambda: "no policy")
    with pytest.raises(RouteWithoutPolicy, match="GET /forgotten"):
        async with app.router.lifespan_context(app):
            await asyncio.sleep(0)


async def test_the_menu_shows_the_pages_of_the_role(site: Site) -> None:
    async with site.browser() as sales, site.browser() as manager:
        await sales.sign_in("e101")
        await manager.sign_in("m100")
        for_sales = (await sales.http.get("/")).text
        for_manager = (await manager.http.get("/")).text
        refused = await sales.http.get("/transfers")
    assert "1.最終回対象顧客一覧" in for_sales
    assert "3.店舗・スタッフ一括変更" not in for_sales
    assert "3.店舗・スタッフ一括変更" in for_manager
    assert refused.status_code == 403
    assert csrf_in(for_sales) != csrf_in(for_manager)
