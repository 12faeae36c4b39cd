"""OpenID Connect client of the portal: login, tokens and logout at the provider.

Code flow with PKCE, with any provider. Discovery says where everything is; the code is exchanged
with the verifier that only this portal knows; the id token must be the provider's answer to exactly
this login (nonce).
"""

import hashlib
import secrets
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import NotRequired, TypedDict
from urllib.parse import urlencode

import httpx

from portal_service.settings import PortalSettings
from shared.auth import AccessRefused, IssuerUnavailable, Principal
from shared.issuer_keys import RemoteKeys
from shared.tokens import TokenVerifier, expiry_of

DISCOVERY_KEPT_S = 3600
DISCOVERY_LIMIT_S = 3
"""A provider that does not answer in this time is away: people get a page that says so."""


class SignInFailed(Exception):
    """The provider refused, or its answer does not belong to a login that began here."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a login gives: the token for the services, and the id token for logging out."""

    access: str
    id_token: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who has logged in, and the id of their session at the provider if it names one (`sid`)."""

    person: Principal
    provider_session: str | None


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """What the portal must remember between sending somebody to the provider and their return."""

    state: str
    nonce: str
    verifier: str
    return_to: str

    @classmethod
    def begin(cls, return_to: str) -> "LoginAttempt":
        """A fresh attempt; every part is unguessable."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(state, nonce, verifier, return_to)

    @property
    def challenge(self) -> str:
        """The S256 code challenge of the verifier (RFC 7636)."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return urlsafe_b64encode(digest).rstrip(b"=").decode()


class Discovery(TypedDict):
    """What the portal uses of the discovery document (OpenID Connect Discovery 1.0, section 3)."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: NotRequired[str]


class OidcProvider:
    """One OpenID provider, found by discovery, as the client that the settings name."""

    def __init__(self, settings: PortalSettings, http: httpx.AsyncClient) -> None:
        self._settings = settings
        self._http = http
        self._found: Discovery | None = None
        self._found_at = float("-inf")
        keys = RemoteKeys(self._jwks_url, http)
        issuer = settings.oidc_issuer
        self.access_tokens = TokenVerifier(keys, issuer=issuer, audience=settings.oidc_audience)
        self.id_tokens = TokenVerifier(keys, issuer=issuer, audience=settings.oidc_client_id)

    @property
    def callback_url(self) -> str:
        """Where the provider sends people back to."""
        return f"{self._settings.public_url}/auth/callback"

    async def authorize_url(self, attempt: LoginAttempt, *, ask_again: bool = False) -> str:
        """Where to send the browser for this login. Raises IssuerUnavailable.

        `ask_again`: the provider is to ask who it is, even of somebody who is signed in there.
        """
        query = {
            "response_type": "code",
            "client_id": self._settings.oidc_client_id,
            "redirect_uri": self.callback_url,
            "scope": self._settings.oidc_scope,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        if ask_again:
            query["prompt"] = "login"
        if self._settings.oidc_resource:
            query["resource"] = self._settings.oidc_resource
        return _with_query((await self._discover())["authorization_endpoint"], query)

    async def redeem(self, code: str, attempt: LoginAttempt) -> tuple[Tokens, SignedIn]:
        """Exchange the code of this attempt. Raises SignInFailed, IssuerUnavailable."""
        answer = await self._exchange(code, attempt)
        try:
            access, id_token = str(answer["access_token"]), str(answer["id_token"])
        except KeyError as error:
            raise SignInFailed(f"the provider's answer lacks {error}") from error
        try:
            who = await self.id_tokens.claims(id_token)
            granted = await self.access_tokens.claims(access)
            person = await self.access_tokens.principal(access)
        except IssuerUnavailable:
            raise
        except AccessRefused as error:
            raise SignInFailed(f"{error.code}: {error}") from error
        if not secrets.compare_digest(str(who.get("nonce", "")), attempt.nonce):
            raise SignInFailed("the id token answers another login")
        if who["sub"] != granted["sub"]:
            raise SignInFailed("id token and access token name different people")
        sid = who.get("sid")
        signed_in = SignedIn(person, sid if isinstance(sid, str) else None)
        return Tokens(access, id_token, expiry_of(granted)), signed_in

    async def end_session_url(self, id_token: str | None, back_to: str) -> str:
        """Where to send the browser so that the provider forgets the person, too."""
        end = (await self._discover()).get("end_session_endpoint")
        if not end:
            return back_to
        query = {
            "client_id": self._settings.oidc_client_id,
            "post_logout_redirect_uri": back_to,
        }
        if id_token:
            query["id_token_hint"] = id_token
        return _with_query(end, query)

    async def _exchange(self, code: str, attempt: LoginAttempt) -> dict[str, object]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.callback_url,
            "client_id": self._settings.oidc_client_id,
            "code_verifier": attempt.verifier,
        }
        if self._settings.oidc_resource:
            form["resource"] = self._settings.oidc_resource
        secret = self._settings.oidc_client_secret
        auth = (
            httpx.BasicAuth(form.pop("client_id"), secret.get_secret_value())
            if secret
            else httpx.USE_CLIENT_DEFAULT
        )
        endpoint = (await self._discover())["token_endpoint"]
        try:
            answer = await self._http.post(endpoint, data=form, auth=auth)
            body = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise IssuerUnavailable(repr(error)) from error
        if answer.is_error or not isinstance(body, dict):
            raise SignInFailed(f"token endpoint: {answer.status_code} {body}")
        return body

    async def _jwks_url(self) -> str:
        return str((await self._discover())["jwks_uri"])

    async def _discover(self) -> Discovery:
        if self._found and time.monotonic() - self._found_at < DISCOVERY_KEPT_S:
            return self._found
        issuer = self._settings.oidc_issuer
        try:
            answer = await self._http.get(
                issuer.rstrip("/") + "/.well-known/openid-configuration",
                follow_redirects=True,
                timeout=DISCOVERY_LIMIT_S,
            )
            answer.raise_for_status()
            body = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise IssuerUnavailable(repr(error)) from error
        if not isinstance(body, dict) or body.get("issuer") != issuer:
            raise IssuerUnavailable("the discovered issuer is not the one in the settings")
        found: Discovery = body  # type: ignore[assignment]  # trusted as far as its issuer is
        self._found, self._found_at = found, time.monotonic()
        return found


def _with_query(url: str, query: dict[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"
