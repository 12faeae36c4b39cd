"""Back-channel logout: the provider ends sessions here (OpenID Connect Back-Channel Logout 1.0).

The provider posts a logout token, signed with the keys of its id tokens, that names a session at
the provider (`sid`), an account (`sub`), or both. It works once, and for a few minutes.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from portal_service.access_log import Action, Note, note
from portal_service.actions.session_ends import end_sessions, use_logout_token
from portal_service.ended_sessions import AWAY, SessionsEnded
from portal_service.rules.session_end import EndKind, EndOf
from portal_service.session import FROM_PROVIDER, KEPT_S
from portal_service.state import state_of
from shared.auth import AccessRefused, IssuerUnavailable, public
from shared.tokens import LEEWAY_S

log = structlog.get_logger()

EVENT = "http://schemas.openid.net/event/backchannel-logout"
WORKS_FOR_S = 300
LONGEST_ID = 256

pages = APIRouter(dependencies=[public()])


class LogoutTokenRefused(Exception):
    """The logout token is not one that the provider issued for this portal just now."""


@dataclass(frozen=True, slots=True)
class LogoutOrder:
    """What a valid logout token asks for."""

    jti: str
    ends: tuple[EndOf, ...]


@pages.post(FROM_PROVIDER)
async def end_for_provider(request: Request) -> Response:
    """End the sessions that a logout token names; 400 for any other token."""
    portal = state_of(request)
    token = (await request.form()).get("logout_token")
    try:
        claims = await portal.provider.id_tokens.signed_claims(str(token or ""))
        order = order_in(
            claims,
            issuer=portal.settings.oidc_issuer,
            client_id=portal.settings.oidc_client_id,
            now=time.time(),
        )
        await _obey(request, order)
    except IssuerUnavailable:
        return _refusal("temporarily_unavailable", 503)
    except AWAY as cause:
        log.warning("logout_token_not_checked", cause=type(cause).__name__)
        return _refusal("temporarily_unavailable", 503)
    except (AccessRefused, LogoutTokenRefused) as refused:
        log.warning("logout_token_refused", reason=str(refused))
        note(request, Note(Action.PROVIDER_SIGN_OUT, code="LOGOUT_TOKEN_REFUSED"))
        return _refusal("invalid_request", 400)
    for kind, key in order.ends:
        note(request, Note(Action.PROVIDER_SIGN_OUT, None, None, kind.value, key))
    return Response(headers={"cache-control": "no-store"})


def order_in(
    claims: Mapping[str, object], *, issuer: str, client_id: str, now: float
) -> LogoutOrder:
    """The order in the claims of a signed token, checked as section 2.6 says.

    Raises LogoutTokenRefused.
    """
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if claims.get("iss") != issuer or client_id not in audiences:
        raise LogoutTokenRefused("another issuer or audience")
    issued_at, expires_at = claims.get("iat"), claims.get("exp", now)
    if not isinstance(issued_at, int | float) or not isinstance(expires_at, int | float):
        raise LogoutTokenRefused("no time of issue")
    if not now - WORKS_FOR_S <= issued_at <= now + LEEWAY_S or expires_at < now - LEEWAY_S:
        raise LogoutTokenRefused("too old, or not issued yet")
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        raise LogoutTokenRefused("another event")
    if "nonce" in claims:
        raise LogoutTokenRefused("an id token")
    named = ((EndKind.PROVIDER_SESSION, "sid"), (EndKind.SUBJECT, "sub"))
    ends = tuple((kind, value) for kind, name in named if (value := _id_in(claims, name)))
    jti = _id_in(claims, "jti")
    if jti is None or not ends:
        raise LogoutTokenRefused("no id, or nobody to log out")
    # with both, the session alone is meant: the account may have others that go on
    return LogoutOrder(jti, ends[:1])


async def _obey(request: Request, order: LogoutOrder) -> None:
    """End the sessions, in this process when it is stored. Raises LogoutTokenRefused, and AWAY."""
    portal, now = state_of(request), time.time()
    ended = SessionsEnded(order.ends, now, now + KEPT_S)
    async with portal.database.transaction() as tx:
        if not await use_logout_token(tx, order.jti, until=now + 2 * WORKS_FOR_S):
            raise LogoutTokenRefused("used before")
        await end_sessions(tx, ended.ends, ended_at=ended.ended_at, until=ended.until)
    portal.ended.learn(ended)


def _id_in(claims: Mapping[str, object], name: str) -> str | None:
    value = claims.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_ID or not value.isprintable():
        raise LogoutTokenRefused(f"{name} is no id")
    return value


def _refusal(error: str, status: int) -> Response:
    return JSONResponse({"error": error}, status, {"cache-control": "no-store"})
