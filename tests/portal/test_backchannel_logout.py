"""The provider ends sessions by logout tokens (OpenID Connect Back-Channel Logout 1.0)."""

import secrets
import time
from collections.abc import Callable, Mapping

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from madoguchi.embedded.issuer import LOGOUT_EVENT
from shared.testing.servers import PLAIN

from .conftest import KEY, Site

Claims = dict[str, object]


def claims_at(site: Site, **changed: object) -> Claims:
    """The claims of a logout token that ends every session of e101, with some changed."""
    now = int(time.time())
    claims: Claims = {
        "iss": site.issuer,
        "aud": "madoguchi-portal",
        "iat": now,
        "exp": now + 120,
        "jti": secrets.token_urlsafe(16),
        "sub": "e101",
        "events": {LOGOUT_EVENT: {}},
    }
    return {key: value for key, value in (claims | changed).items() if value is not None}


def signed(claims: Mapping[str, object], key: ECKey = KEY) -> str:
    return jwt.encode({"alg": "ES256", "kid": "test", "typ": "logout+jwt"}, dict(claims), key)


async def send(site: Site, token: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=site.portal, timeout=60, verify=PLAIN) as http:
        return await http.post("/auth/backchannel-logout", data={"logout_token": token})


@pytest.mark.rule("S1")
async def test_the_provider_ends_every_session_of_an_account(site: Site) -> None:
    async with (
        site.browser() as browser,
        site.browser() as other,
        httpx.AsyncClient(verify=PLAIN) as admin,
    ):
        await browser.sign_in("e101")
        await other.sign_in("m100")
        done = await admin.post(f"{site.issuer}/end-sessions", data={"person": "e101"})
        assert done.json() == {"ended": True}
        assert (await browser.http.get("/help")).status_code == 401
        assert (await other.http.get("/help")).status_code == 200
        await browser.sign_in("e101")
        assert (await browser.http.get("/help")).status_code == 200


@pytest.mark.rule("S1")
async def test_logging_out_at_the_provider_ends_that_session_alone(site: Site) -> None:
    async with site.browser() as browser, site.browser() as phone:
        await browser.sign_in("e101")
        await phone.sign_in("e101")
        left = await browser.http.post("/auth/logout", data={"csrf": await browser.csrf()})
        at_provider = left.headers["location"]
        await browser.sign_in("e101")
        assert (await browser.http.get("/help")).status_code == 200
        async with httpx.AsyncClient(verify=PLAIN) as elsewhere:
            assert (await elsewhere.get(at_provider)).status_code == 303
        assert (await browser.http.get("/help")).status_code == 200, "it was the one before"
        assert (await phone.http.get("/help")).status_code == 200


@pytest.mark.rule("S1")
async def test_a_token_with_a_session_ends_that_one(site: Site) -> None:
    async with site.browser() as browser, site.browser() as phone:
        ended = await browser.sign_in("e101")
        await phone.sign_in("e101")
        left = await browser.http.post("/auth/logout", data={"csrf": await browser.csrf()})
        hint = httpx.URL(left.headers["location"]).params["id_token_hint"]
        sid = jwt.decode(hint, KEY, ["ES256"]).claims["sid"]
        answer = await send(site, signed(claims_at(site, sid=sid)))
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert (await phone.http.get("/help")).status_code == 200
        assert ended.status_code == 303


@pytest.mark.rule("S1")
async def test_a_logout_token_works_once(site: Site) -> None:
    token = signed(claims_at(site, sub="e900"))
    assert (await send(site, token)).status_code == 200
    again = await send(site, token)
    assert (again.status_code, again.json()) == (400, {"error": "invalid_request"})


REFUSED: dict[str, Callable[[Site], str]] = {
    "another issuer": lambda site: signed(claims_at(site, iss="https://evil.example")),
    "another audience": lambda site: signed(claims_at(site, aud="another-client")),
    "no audience": lambda site: signed(claims_at(site, aud=None)),
    "too old": lambda site: signed(claims_at(site, iat=int(time.time()) - 400)),
    "expired": lambda site: signed(claims_at(site, exp=int(time.time()) - 60)),
    "not issued yet": lambda site: signed(claims_at(site, iat=int(time.time()) + 600)),
    "no time": lambda site: signed(claims_at(site, iat=None)),
    "no id": lambda site: signed(claims_at(site, jti=None)),
    "nobody named": lambda site: signed(claims_at(site, sub=None)),
    "an id token": lambda site: signed(claims_at(site, nonce="n")),
    "no event": lambda site: signed(claims_at(site, events=None)),
    "another event": lambda site: signed(claims_at(site, events={"urn:other": {}})),
    "an event that is no object": lambda site: signed(claims_at(site, events={LOGOUT_EVENT: 1})),
    "a name that is no text": lambda site: signed(claims_at(site, sub="e101", sid=["x"])),
    "another key": lambda site: signed(claims_at(site), ECKey.generate_key("P-256")),
    "no signature": lambda _: "eyJhbGciOiJub25lIn0.e30.",
    "no token": lambda _: "",
}


@pytest.mark.rule("S1")
@pytest.mark.parametrize("why", REFUSED)
async def test_any_other_token_is_refused_and_ends_nothing(site: Site, why: str) -> None:
    async with site.browser() as browser:
        await browser.sign_in("e101")
        answer = await send(site, REFUSED[why](site))
        assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request"})
        assert (await browser.http.get("/help")).status_code == 200


async def test_discovery_names_back_channel_logout(site: Site) -> None:
    async with httpx.AsyncClient(verify=PLAIN) as http:
        found = (await http.get(f"{site.issuer}/.well-known/openid-configuration")).json()
    assert found["backchannel_logout_supported"]
    assert found["backchannel_logout_session_supported"]
