"""Session: who is signed in with this browser, and whether a form is our own (CSRF).

The session is one sealed cookie that holds the access token: HttpOnly, SameSite=Lax, Secure on
HTTPS. Its form token survives a new login of the same person, so that a form that was filled in
before the session ended can still be sent.
"""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import Literal, TypedDict

from fastapi import Request, Response

from portal_service.encrypted_cookies import TooLargeForCookie
from portal_service.state import state_of
from shared.auth import Principal, TokenMissing

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
CSRF_FIELD = "csrf"
KEPT_S = 24 * 3600
"""How long an ended session is still readable: long enough to save a form from yesterday."""


class CookieTraits(TypedDict):
    """The attributes of every cookie of the portal."""

    path: str
    httponly: bool
    samesite: Literal["lax"]
    secure: bool


class FormNotOurs(Exception):
    """A change was asked for without the token that our own pages put into every form."""


@dataclass(frozen=True, slots=True)
class Session:
    """What the browser holds for us; it lasts as long as the access token, and may have ended."""

    access_token: str
    user_id: str
    csrf: str
    id_token: str | None = None

    def masked_csrf(self) -> str:
        """The form token as pages carry it: never twice the same (ADR 0012)."""
        token = self.csrf.encode()
        pad = secrets.token_bytes(len(token))
        return urlsafe_b64encode(pad + _xor(pad, token)).decode()

    def owns(self, sent: str) -> bool:
        """Whether a masked token is this session's."""
        try:
            both = urlsafe_b64decode(sent.encode("ascii"))
        except ValueError:
            return False
        half = len(both) // 2
        return secrets.compare_digest(_xor(both[:half], both[half:]), self.csrf.encode())


def session_of(request: Request) -> Session | None:
    """The session in the cookie, ended or not; None if there is none or it is not ours."""
    portal = state_of(request)
    found = portal.cookie_cipher.decrypt(
        "session", request.cookies.get(cookie_name(request, "session"))
    )
    return Session(**found) if found else None


async def principal_in_session(request: Request) -> Principal:
    """The person signed in with this browser. Raises TokenMissing, TokenExpired and kin."""
    session = session_of(request)
    if session is None:
        raise TokenMissing
    return await state_of(request).provider.access_tokens.principal(session.access_token)


def begin_session(
    request: Request, response: Response, *, access_token: str, id_token: str, user_id: str
) -> None:
    """Sign the browser in. The id token is left out if the cookie has no room for it."""
    before = session_of(request)
    same_person = before is not None and before.user_id == user_id
    csrf = before.csrf if before and same_person else secrets.token_urlsafe(32)
    try:
        sealed = _sealed(request, Session(access_token, user_id, csrf, id_token))
    except TooLargeForCookie:
        sealed = _sealed(request, Session(access_token, user_id, csrf))
    set_cookie(request, response, "session", sealed)


def end_session(request: Request, response: Response) -> None:
    """Sign the browser out of the portal."""
    drop_cookie(request, response, "session")


async def own_form(request: Request) -> AsyncIterator[None]:
    """As `refuse_foreign_forms`; files that came with the form are closed in the end."""
    try:
        await refuse_foreign_forms(request)
        yield
    finally:
        await request.close()


async def refuse_foreign_forms(request: Request) -> None:
    """Every change must carry the session's form token. Raises TokenMissing, FormNotOurs."""
    if request.method in SAFE_METHODS:
        return
    session = session_of(request)
    if session is None:
        raise TokenMissing
    sent = request.headers.get("x-csrf-token") or (await request.form()).get(CSRF_FIELD)
    if not isinstance(sent, str) or not session.owns(sent):
        raise FormNotOurs


def cookie_name(request: Request, what: str) -> str:
    """On HTTPS the __Host- prefix: no other host or path can set this cookie."""
    prefix = "__Host-" if state_of(request).settings.https else ""
    return f"{prefix}madoguchi_{what}"


def set_cookie(
    request: Request, response: Response, what: str, sealed: str, *, lasts_s: int | None = None
) -> None:
    """Hand the browser a sealed value; without `lasts_s` it goes when the browser closes."""
    response.set_cookie(
        cookie_name(request, what), sealed, max_age=lasts_s, **_cookie_traits(request)
    )


def drop_cookie(request: Request, response: Response, what: str) -> None:
    """Take a cookie back."""
    response.delete_cookie(cookie_name(request, what), **_cookie_traits(request))


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=False))


def _cookie_traits(request: Request) -> CookieTraits:
    secure = state_of(request).settings.https
    return CookieTraits(path="/", httponly=True, samesite="lax", secure=secure)


def _sealed(request: Request, session: Session) -> str:
    return state_of(request).cookie_cipher.encrypt("session", asdict(session), lasts_s=KEPT_S)
