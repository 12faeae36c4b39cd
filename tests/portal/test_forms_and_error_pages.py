"""Forms and error pages: changes only from own forms; errors are in plain Japanese."""

import httpx
import pytest
from joserfc import jwt

from portal_service.encrypted_cookies import CookieCipher, TooLargeForCookie
from portal_service.session import KEPT_S, SEALED_AS

from .conftest import KEY, SECRET, Browser, Site, csrf_in

SESSION = "madoguchi_session"


async def post_note(browser: Browser, **form: str) -> httpx.Response:
    return await browser.http.post("/notes", data={"memo": "電話済み", **form})


async def test_a_valid_form_is_accepted_and_its_message_is_shown_once(site: Site) -> None:
    async with site.browser() as browser:
        await browser.sign_in("e101")
        reply = await post_note(browser, csrf=await browser.csrf())
        assert reply.status_code == 303
        first, second = [(await browser.http.get("/")).text for _ in range(2)]
    assert "「電話済み」を登録しました。" in first
    assert "「電話済み」を登録しました。" not in second


async def test_the_token_also_comes_as_a_header(site: Site) -> None:
    async with site.browser() as browser:
        await browser.sign_in("e101")
        headers = {"x-csrf-token": await browser.csrf()}
        reply = await browser.http.post("/notes", data={"memo": "a"}, headers=headers)
    assert reply.status_code == 303


async def test_each_page_has_a_different_valid_token(site: Site) -> None:
    """A fixed secret in compressed pages beside user input could be guessed (BREACH)."""
    async with site.browser() as browser:
        await browser.sign_in("e101")
        content = CookieCipher(SECRET).decrypt(SEALED_AS, browser.http.cookies[SESSION])
        assert content is not None
        pages = [(await browser.http.get("/")).text for _ in range(3)]
        tokens = [csrf_in(html) for html in pages]
        replies = [await post_note(browser, csrf=token) for token in tokens]
    assert len(set(tokens)) == 3
    assert all(content["csrf"] not in html for html in pages)
    assert [reply.status_code for reply in replies] == [303] * 3


@pytest.mark.parametrize("token", ["", "guessed", "日本語", "=", "QUJD", "A" * 116])
async def test_a_form_without_a_valid_token_is_refused(site: Site, token: str) -> None:
    async with site.browser() as browser:
        await browser.sign_in("e101")
        reply = await post_note(browser, csrf=token)
    assert reply.status_code == 403
    assert "この画面は古くなっています" in reply.text


async def test_the_token_of_another_session_is_refused(site: Site) -> None:
    async with site.browser() as mine, site.browser() as theirs:
        await mine.sign_in("e101")
        await theirs.sign_in("e101")
        reply = await post_note(mine, csrf=await theirs.csrf())
    assert reply.status_code == 403


async def test_logging_out_needs_the_token_too(site: Site) -> None:
    async with site.browser() as browser:
        await browser.sign_in("e101")
        assert (await browser.http.post("/auth/logout")).status_code == 403
        assert (await browser.http.get("/")).status_code == 200


async def test_a_tampered_or_foreign_cookie_is_no_session(site: Site) -> None:
    async with site.browser() as browser:
        await browser.sign_in("e101")
        good = browser.http.cookies[SESSION]
        content = CookieCipher(SECRET).decrypt(SEALED_AS, good)
        assert content is not None
        content["user_id"] = "h001"
        forged = CookieCipher("another secret, also thirty-two long").encrypt(
            SEALED_AS, content, lasts_s=60
        )
        wrong_purpose = CookieCipher(SECRET).encrypt("flash", content, lasts_s=60)
        for bad in (good[:-2] + "AA", good[:200], forged, wrong_purpose, "x", ""):
            browser.http.cookies.set(SESSION, bad, domain="127.0.0.1")
            reply = await browser.http.get("/", cookies=None)
            assert reply.headers.get("location") == "/auth/login?next=%2F"


def test_encrypted_cookies_expire_and_are_limited_in_size() -> None:
    cookie_cipher = CookieCipher(SECRET)
    assert cookie_cipher.decrypt("a", cookie_cipher.encrypt("a", {"b": 1}, lasts_s=60)) == {"b": 1}
    assert cookie_cipher.decrypt("a", cookie_cipher.encrypt("a", {"b": 1}, lasts_s=-1)) is None
    with pytest.raises(TooLargeForCookie):
        cookie_cipher.encrypt("a", {"b": [str(n**9) for n in range(2000)]}, lasts_s=60)


async def test_a_form_survives_an_expired_session(site: Site) -> None:
    """Filled in before the session ended, kept, and sent after the same person's new login."""
    async with site.browser() as browser:
        await browser.sign_in("e101")
        csrf = await browser.csrf()
        cookie_cipher = CookieCipher(SECRET)
        content = cookie_cipher.decrypt(SEALED_AS, browser.http.cookies[SESSION])
        assert content is not None
        expired = content | {"access_token": await expired_token(site)}
        browser.http.cookies.clear()
        browser.http.cookies.set(
            SESSION, cookie_cipher.encrypt(SEALED_AS, expired, lasts_s=KEPT_S), domain="127.0.0.1"
        )

        kept = await post_note(browser, csrf=csrf, once="abc")
        assert kept.status_code == 401
        assert 'name="memo" value="電話済み"' in kept.text
        assert 'name="once" value="abc"' in kept.text

        stranger = await post_note(browser, csrf="guessed")
        assert "電話済み" not in stranger.text

        await browser.sign_in("e101", "/auth/signed-in")
        sent = await post_note(browser, csrf=csrf, once="abc")
        assert sent.status_code == 303


async def expired_token(site: Site) -> str:
    claims = {"sub": "e101", "iss": site.issuer, "aud": "madoguchi", "exp": 1}
    return jwt.encode({"alg": "ES256", "kid": KEY.kid}, claims, KEY, ["ES256"])


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/nowhere", 404, "見つかりません"),
        ("/ask/not-a-number", 404, "見つかりません"),
        ("/transfers", 403, "この操作を行う権限がありません"),
        ("/ask/403", 403, "この申込はすでに承認されています。"),
        ("/ask/404", 404, "見つかりません"),
        ("/ask/409", 409, "この申込はすでに承認されています。"),
        ("/ask/412", 409, "ほかの人が先に変更しました"),
        ("/ask/422", 400, "入力を読み取れませんでした"),
        ("/ask/500", 500, "処理できませんでした"),
        ("/ask/503", 503, "つながらない機能：<strong>契約</strong>"),
        ("/ask-nobody", 503, "つながらない機能：<strong>車両返却</strong>"),
        ("/crash", 500, "処理できませんでした"),
    ],
)
async def test_every_failure_has_a_page_with_a_reference_number(
    site: Site, path: str, status: int, words: str
) -> None:
    async with site.browser() as browser:
        await browser.sign_in("e101")
        reply = await browser.http.get(path, headers={"x-request-id": "quote-me-42"})
    assert reply.status_code == status
    assert words in reply.text
    assert "quote-me-42" in reply.text
    assert "ログアウト" in reply.text
    assert reply.headers["content-security-policy"].startswith("default-src 'none'")


async def test_an_unauthorized_response_of_a_service_redirects_to_login(site: Site) -> None:
    async with site.browser() as browser:
        await browser.sign_in("e101")
        reply = await browser.http.get("/ask/401")
    assert reply.headers["location"] == "/auth/login?next=%2Fask%2F401"


async def test_a_service_call_carries_token_request_id_and_trace(site: Site) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with site.browser() as browser:
        await browser.sign_in("e101")
        headers = {"x-request-id": "quote-me-42", "traceparent": trace}
        asked = (await browser.http.get("/ask/200", headers=headers)).json()
    assert asked["query"] == {"q": "a"}
    assert asked["headers"]["authorization"].startswith("Bearer ey")
    assert asked["headers"]["x-request-id"] == "quote-me-42"
    assert asked["headers"]["traceparent"].split("-")[1] == trace.split("-")[1]
    assert asked["headers"]["traceparent"] != trace


async def test_htmx_gets_a_fragment_and_an_expired_session_redirects_the_whole_page(
    site: Site,
) -> None:
    async with site.browser() as browser:
        headers = {"hx-request": "true", "hx-current-url": f"{site.portal}/contracts?page=2"}
        lost = await browser.http.get("/contracts", headers=headers)
        await browser.sign_in("e101")
        refused = await browser.http.get("/transfers", headers=headers)
    assert lost.headers["hx-redirect"] == "/auth/login?next=%2Fcontracts%3Fpage%3D2"
    assert refused.headers["hx-retarget"] == "#content"
    assert refused.headers["hx-reselect"] == "#content"


async def test_pages_are_not_cached_and_fingerprinted_files_are_immutable(site: Site) -> None:
    async with site.browser() as browser:
        await browser.sign_in("e101")
        page = await browser.http.get("/")
        address = page.text.split('href="/static/madoguchi.css')[1].split('"')[0]
        style = await browser.http.get(f"/static/madoguchi.css{address}")
        plain = await browser.http.get("/static/madoguchi.css")
    assert page.headers["cache-control"] == "no-store"
    assert "immutable" in style.headers["cache-control"]
    assert plain.headers["cache-control"] == "no-store"


async def test_no_page_has_inline_scripts_or_styles(site: Site) -> None:
    async with site.browser() as browser:
        await browser.sign_in("o001")
        for path in ("/", "/help", "/styleguide", "/nowhere"):
            html = (await browser.http.get(path)).text
            assert "<style" not in html
            assert " style=" not in html
            assert " onclick=" not in html
            assert html.count("<script") == html.count("<script src=")
