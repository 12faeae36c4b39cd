"""Development issuer: a small OpenID provider for the all-in-one.

It serves discovery, the code flow with PKCE (S256 only), keys and logout. Its login page lists the
demo people, and a click logs in as that person without a password; so it can only be created in
embedded mode. It stores nothing but codes of the last minute: there is no login session that could
outlive the portal's. Each login has an id (`sid`), and the portal gets a logout token when one has
ended, or when every session of a person is to end (/end-sessions).
"""

import hashlib
import json
import secrets
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NotRequired, TypedDict
from urllib.parse import unquote_plus, urlencode, urlsplit

import httpx
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from madoguchi.embedded.first_start import DemoProgress
from portal_service.rendering import PageContext, page_templates
from portal_service.security_headers import SecurityHeadersMiddleware, content_security_policy
from shared.auth import Principal, assert_every_route_has_a_policy, public
from shared.roles import ROLE_TITLES, Role
from shared.tokens import claims_of

CODE_LASTS_S = 60
TOKEN_LASTS_S = 10 * 3600
"""A working day: there are no refresh tokens."""
SERVICE_TOKEN_LASTS_S = 600
LOGOUT_TOKEN_LASTS_S = 120
LOGOUT_WITHIN_S = 3
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
REFRESH_S = 2
"""Refresh interval of the login page while demo data is made."""


class IssuerOnlyInEmbeddedMode(Exception):
    """A login without passwords must never face a network."""


@dataclass(frozen=True)
class IssuerSettings:
    """Settings of the issuer. `url` is its own address, `audience` goes into access tokens.

    `services` are the client secrets of services that call each other, by client id. While
    `demo_progress` is under way, login is closed. `backchannel_logout_uri` is the portal's address
    for logout tokens. `login_hints` returns the waiting work by user.
    """

    url: str
    audience: str
    client_id: str
    redirect_uris: frozenset[str]
    signed_out_uris: frozenset[str]
    people: Sequence[Principal]
    embedded: bool
    demo_progress: DemoProgress = field(default_factory=DemoProgress)
    login_hints: Callable[[Sequence[Principal]], Awaitable[Mapping[str, str]]] | None = None
    services: Mapping[str, str] = field(default_factory=dict)
    backchannel_logout_uri: str | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """The login that an authorization code stands for."""

    person: Principal
    redirect_uri: str
    challenge: str
    nonce: str
    until: float


class TokenResponse(TypedDict):
    """The token endpoint's answer (RFC 6749, section 5.1); a service gets no id token."""

    access_token: str
    id_token: NotRequired[str]
    token_type: Literal["Bearer"]
    expires_in: int


@dataclass
class Issuer:
    """The settings, the signing key, and the codes not yet redeemed."""

    settings: IssuerSettings
    key: ECKey
    now: Callable[[], float] = time.time
    grants: dict[str, Grant] = field(default_factory=dict)

    def grant(self, person: Principal, asked: Mapping[str, str]) -> str:
        """A code for this person, valid once within a minute."""
        now = self.now()
        self.grants = {code: grant for code, grant in self.grants.items() if grant.until > now}
        code = secrets.token_urlsafe(32)
        self.grants[code] = Grant(
            person,
            asked["redirect_uri"],
            asked["code_challenge"],
            asked.get("nonce", ""),
            now + CODE_LASTS_S,
        )
        return code

    def redeem(self, form: Mapping[str, str]) -> Grant | None:
        """Remove and return the grant of this code; None unless every check passes."""
        grant = self.grants.pop(form.get("code", ""), None)
        if grant is None or grant.until <= self.now():
            return None
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
        proven = secrets.compare_digest(challenge.encode(), grant.challenge.encode())
        same_client = form.get("client_id") == self.settings.client_id
        same_place = form.get("redirect_uri") == grant.redirect_uri
        return grant if proven and same_client and same_place else None

    def tokens(self, grant: Grant) -> TokenResponse:
        """The response of the token endpoint."""
        now = int(self.now())
        common = {"iss": self.settings.url, "iat": now, "exp": now + TOKEN_LASTS_S}
        person = claims_of(grant.person)
        identity = {"sub": person["sub"], "name": person["name"], "nonce": grant.nonce}
        identity["sid"] = secrets.token_urlsafe(12)
        return {
            "access_token": self._sign(common | person | {"aud": self.settings.audience}),
            "id_token": self._sign(common | identity | {"aud": self.settings.client_id}),
            "token_type": "Bearer",
            "expires_in": TOKEN_LASTS_S,
        }

    def service_token(self, form: Mapping[str, str]) -> TokenResponse | None:
        """The response to a client-credentials request; None for a wrong secret."""
        client, secret = form.get("client_id", ""), form.get("client_secret", "")
        expected = self.settings.services.get(client, "")
        if not expected or not secrets.compare_digest(secret.encode(), expected.encode()):
            return None
        now = int(self.now())
        claims = {
            "iss": self.settings.url,
            "iat": now,
            "exp": now + SERVICE_TOKEN_LASTS_S,
            "aud": self.settings.audience,
            "sub": client,
            "roles": [Role.SERVICE.value],
        }
        return {
            "access_token": self._sign(claims),
            "token_type": "Bearer",
            "expires_in": SERVICE_TOKEN_LASTS_S,
        }

    def logout_token(self, **names: str) -> str:
        """A logout token (OpenID Connect Back-Channel Logout 1.0) that names a `sid` or a `sub`."""
        now = int(self.now())
        return self._sign(
            {
                "iss": self.settings.url,
                "aud": self.settings.client_id,
                "iat": now,
                "exp": now + LOGOUT_TOKEN_LASTS_S,
                "jti": secrets.token_urlsafe(16),
                "events": {LOGOUT_EVENT: {}},
                **names,
            },
            typ="logout+jwt",
        )

    async def log_out(self, **names: str) -> bool:
        """Send the portal a logout token; whether it ended the sessions."""
        if self.settings.backchannel_logout_uri is None:
            return False
        form = {"logout_token": self.logout_token(**names)}
        async with httpx.AsyncClient(timeout=LOGOUT_WITHIN_S) as http:
            try:
                answer = await http.post(self.settings.backchannel_logout_uri, data=form)
            except httpx.HTTPError:
                return False
        return answer.is_success

    def session_in(self, id_token: str) -> str | None:
        """The `sid` of an id token of ours, expired or not."""
        try:
            sid = jwt.decode(id_token, self.key, ["ES256"]).claims.get("sid")
        except (JoseError, ValueError):
            return None
        return sid if isinstance(sid, str) else None

    def complaint(self, asked: Mapping[str, str]) -> str | None:
        """The error of an authorization request; None if it is valid."""
        if asked.get("client_id") != self.settings.client_id:
            return "この画面を呼び出したシステムは登録されていません。"
        if asked.get("redirect_uri") not in self.settings.redirect_uris:
            return "ログイン後の戻り先が登録されていません。"
        if asked.get("response_type") != "code" or "openid" not in asked.get("scope", "").split():
            return "対応していないログインの方法です。"
        if asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
            return "PKCE（S256）が必要です。"
        return None

    def _sign(self, claims: Mapping[str, object], typ: str = "JWT") -> str:
        header = {"alg": "ES256", "kid": self.key.kid, "typ": typ}
        return jwt.encode(header, dict(claims), self.key, ["ES256"])


def issuer_key(data_dir: Path) -> ECKey:
    """The signing key of this data folder, created on first use and readable by its owner only."""
    path = data_dir / "issuer-key.json"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        fresh = ECKey.generate_key("P-256", {"kid": secrets.token_hex(8), "use": "sig"})
        path.touch(mode=0o600)
        path.write_text(json.dumps(fresh.as_dict(private=True)))
    return ECKey.import_key(json.loads(path.read_text()))


def create_issuer(
    settings: IssuerSettings, key: ECKey, *, now: Callable[[], float] = time.time
) -> FastAPI:
    """The issuer as an application, to be mounted at the path of its URL.

    Raises IssuerOnlyInEmbeddedMode everywhere else.
    """
    if not settings.embedded:
        raise IssuerOnlyInEmbeddedMode("the development issuer logs anybody in without a password")
    app = FastAPI(title="Development issuer", openapi_url=None)
    app.state.issuer = Issuer(settings, key, now)
    app.state.templates = page_templates(Path(__file__).parent)
    app.include_router(routes)
    assert_every_route_has_a_policy(app)
    places = sorted({_origin(uri) for uri in settings.redirect_uris | settings.signed_out_uris})
    app.add_middleware(
        SecurityHeadersMiddleware, policy=content_security_policy(*places), https=False
    )
    return app


routes = APIRouter(dependencies=[public()])


@routes.get("/.well-known/openid-configuration")
async def describe(request: Request) -> dict[str, object]:
    """Discovery."""
    url = _issuer(request).settings.url
    return {
        "issuer": url,
        "authorization_endpoint": f"{url}/authorize",
        "token_endpoint": f"{url}/token",
        "jwks_uri": f"{url}/jwks",
        "end_session_endpoint": f"{url}/logout",
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code"],
        "code_challenge_methods_supported": ["S256"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "scopes_supported": ["openid", "profile", "email"],
    }


@routes.get("/jwks")
async def publish_keys(request: Request) -> Response:
    """The public half of the key."""
    return JSONResponse(KeySet([_issuer(request).key]).as_dict(private=False))


@routes.get("/authorize")
async def choose_user(request: Request) -> Response:
    """The login page: the demo people, by role."""
    issuer = _issuer(request)
    asked = dict(request.query_params)
    complaint = issuer.complaint(asked)
    settings, progress = issuer.settings, issuer.settings.demo_progress
    shown = settings.login_hints is not None and not progress.under_way and not complaint
    hints = await settings.login_hints(settings.people) if settings.login_hints and shown else {}
    html = request.app.state.templates.get_template("issuer_login.html").render(
        frame=PageContext("bare.html"),
        errors=(),
        complaint=complaint,
        asked=asked,
        action=f"{issuer.settings.url}/authorize",
        groups=_by_role(issuer.settings.people),
        demo_progress=progress if progress.under_way else None,
        hints=hints,
    )
    again = {"Refresh": str(REFRESH_S)} if progress.under_way else {}
    return HTMLResponse(html, 400 if complaint else 200, again)


@routes.post("/authorize")
async def sign_in_as(request: Request) -> Response:
    """Redirect the browser back with a code for the chosen person."""
    issuer = _issuer(request)
    form = await _form(request)
    person = next((p for p in issuer.settings.people if p.user_id == form.get("person")), None)
    if issuer.complaint(form) or person is None:
        return JSONResponse({"error": "invalid_request"}, 400)
    if issuer.settings.demo_progress.under_way:
        return JSONResponse({"error": "temporarily_unavailable"}, 503)
    answer = {"code": issuer.grant(person, form), "state": form.get("state", "")}
    return RedirectResponse(f"{form['redirect_uri']}?{urlencode(answer)}", 303)


@routes.post("/token")
async def exchange_code(request: Request) -> Response:
    """Exchange a code for tokens, once; or a service's secret for a service token."""
    issuer = _issuer(request)
    form = await _form(request)
    if form.get("grant_type") == "client_credentials":
        token = issuer.service_token(form | _basic_credentials(request))
        return JSONResponse(token) if token else JSONResponse({"error": "invalid_client"}, 401)
    if form.get("grant_type") != "authorization_code":
        return JSONResponse({"error": "unsupported_grant_type"}, 400)
    grant = issuer.redeem(form)
    if grant is None:
        return JSONResponse({"error": "invalid_grant"}, 400)
    return JSONResponse(issuer.tokens(grant))


@routes.get("/logout")
async def sign_out(
    request: Request, post_logout_redirect_uri: str = "", id_token_hint: str = ""
) -> Response:
    """Tell the portal which session has ended, and redirect the browser to a registered address."""
    issuer = _issuer(request)
    if post_logout_redirect_uri not in issuer.settings.signed_out_uris:
        return JSONResponse({"error": "invalid_request"}, 400)
    if sid := issuer.session_in(id_token_hint):
        await issuer.log_out(sid=sid)
    return RedirectResponse(post_logout_redirect_uri, 303)


@routes.post("/end-sessions")
async def end_sessions(request: Request) -> Response:
    """End every session of a person, as an administrator of a provider does."""
    issuer, form = _issuer(request), await _form(request)
    person = next((p for p in issuer.settings.people if p.user_id == form.get("person")), None)
    if person is None:
        return JSONResponse({"error": "invalid_request"}, 400)
    done = await issuer.log_out(sub=person.user_id)
    return JSONResponse({"ended": done}, 200 if done else 503)


def _issuer(request: Request) -> Issuer:
    issuer: Issuer = request.app.state.issuer
    return issuer


def _basic_credentials(request: Request) -> dict[str, str]:
    """Client id and secret from HTTP Basic, as RFC 6749 section 2.3.1 prefers."""
    scheme, _, packed = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        client, _, secret = b64decode(packed, validate=True).decode().partition(":")
    except ValueError:
        return {}
    return {"client_id": unquote_plus(client), "client_secret": unquote_plus(secret)}


async def _form(request: Request) -> dict[str, str]:
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


def _by_role(people: Sequence[Principal]) -> list[tuple[str, list[Principal]]]:
    """Each person once, under the first of their roles in the order of the product."""
    groups: dict[str, list[Principal]] = {}
    for role, title in ROLE_TITLES.items():
        for person in people:
            first = next((r for r in ROLE_TITLES if r in person.roles), None)
            if first is role:
                groups.setdefault(title, []).append(person)
    return list(groups.items())


def _origin(uri: str) -> str:
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"
