"""Session: who is signed in with this browser, and whether a form is our own (CSRF).

The session is one sealed cookie that holds the access token: HttpOnly, SameSite=Lax, Secure on
HTTPS. A second one says when it was last used. Its form token survives a new login of the same
person, so that a form that was filled in before the session ended can still be sent.

A session counts until its access token expires, it is ended (ended_sessions.py), nobody has used it
for `session_idle_s`, or `session_longest_s` are over.
"""

import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, replace
from typing import Literal, TypedDict

from fastapi import Request, Response

from portal_service.encrypted_cookies import Content, TooLargeForCookie
from portal_service.oidc import SignedIn
from portal_service.rules.session_end import EndKind, SessionFacts, WhyEnded, why_ended
from portal_service.settings import LONGEST_SESSION_S
from portal_service.state import state_of
from shared.auth import AccessRefused, Principal, TokenMissing
from shared.errors import Kind

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
CSRF_FIELD = "csrf"
FROM_PROVIDER = "/auth/backchannel-logout"
"""The one change that no browser asks for: it needs the provider's signed token, no form token."""
MOST_FIELDS = 2000
"""Of one form: 300 rows with four fields each, and some more."""
KEPT_S = LONGEST_SESSION_S
"""How long an ended session is still readable: long enough to save a form from yesterday."""
SEEN_EVERY_S = 60
"""At most this often, the last use is noted in its cookie; an idle limit counts in minutes."""
BY_ITSELF = "x-by-itself"
"""Header of requests that a page makes without its reader: they do not keep a session alive."""


SEALED_AS = "session 2"
"""The purpose of its seal: a cookie of the earlier form, without an id, is no session."""


class CookieTraits(TypedDict):
    """The attributes of every cookie of the portal."""

    path: str
    httponly: bool
    samesite: Literal["lax"]
    secure: bool


class FormNotOurs(Exception):
    """A change was asked for without the token that our own pages put into every form."""


class SessionEnded(AccessRefused):
    """The person, an operator or the provider has ended the session."""

    code = WhyEnded.ENDED.value
    kind = Kind.UNAUTHENTICATED
    message = "本人または管理者の操作で、このログインは終了しました。もう一度ログインしてください。"


class SessionIdle(AccessRefused):
    """Nobody has used the session for the idle limit."""

    code = WhyEnded.IDLE.value
    kind = Kind.UNAUTHENTICATED
    message = "しばらく操作がなかったため、ログアウトしました。"


class SessionTooLong(AccessRefused):
    """The session has reached its longest time."""

    code = WhyEnded.TOO_LONG.value
    kind = Kind.UNAUTHENTICATED
    message = "ログインしてから長い時間がたったため、ログアウトしました。"


REFUSALS = {
    WhyEnded.ENDED: SessionEnded,
    WhyEnded.IDLE: SessionIdle,
    WhyEnded.TOO_LONG: SessionTooLong,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What the browser holds for us; it may have ended. `begun_at` is in seconds since 1970.

    `person` is the person id, `user_id` the provider's account, `provider_session` its `sid`.
    """

    session_id: str
    begun_at: float
    access_token: str
    user_id: str
    person: str
    csrf: str
    id_token: str | None = None
    provider_session: str | None = None

    @property
    def ends(self) -> tuple[tuple[EndKind, str], ...]:
        """What an end of this one session names."""
        return ((EndKind.SESSION, self.session_id),)

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
    found = _in_cookie(request, "session")
    if found is None:
        return None
    session = Session(**found)
    request.state.session_id, request.state.session_person = session.session_id, session.person
    return session


async def principal_in_session(request: Request) -> Principal:
    """The person signed in with this browser. Raises TokenMissing, SessionEnded and kin."""
    session = session_of(request)
    if session is None:
        raise TokenMissing
    now = time.time()
    seen_at = _seen_at(request, session)
    if why := why_session_ended(request, session):
        raise REFUSALS[why]
    person = await state_of(request).provider.access_tokens.principal(session.access_token)
    if now - seen_at >= SEEN_EVERY_S and BY_ITSELF not in request.headers:
        request.state.session_used = session
    return person


def why_session_ended(request: Request, session: Session) -> WhyEnded | None:
    """Why this session no longer counts, apart from its token; None while it does."""
    portal = state_of(request)
    facts = SessionFacts(
        session_id=session.session_id,
        person=session.person,
        subject=session.user_id,
        provider_session=session.provider_session,
        begun_at=session.begun_at,
        seen_at=_seen_at(request, session),
    )
    return why_ended(
        facts,
        portal.ended.ends,
        now=time.time(),
        idle_s=portal.settings.session_idle_s,
        longest_s=portal.settings.session_longest_s,
    )


def begin_session(
    request: Request, response: Response, *, access_token: str, id_token: str, signed_in: SignedIn
) -> None:
    """Sign the browser in. The id token is left out if the cookie has no room for it."""
    before = session_of(request)
    user_id = signed_in.person.user_id
    same_person = before is not None and before.user_id == user_id
    session = Session(
        session_id=secrets.token_urlsafe(12),
        begun_at=time.time(),
        access_token=access_token,
        user_id=user_id,
        person=signed_in.person.person_id,
        csrf=before.csrf if before and same_person else secrets.token_urlsafe(32),
        id_token=id_token,
        provider_session=signed_in.provider_session,
    )
    try:
        sealed = _sealed(request, session)
    except TooLargeForCookie:
        sealed = _sealed(request, replace(session, id_token=None))
    set_cookie(request, response, "session", sealed)
    request.state.session_id, request.state.session_person = session.session_id, session.person
    note_use(request, response, session)


def note_use(request: Request, response: Response, session: Session) -> None:
    """Note in a cookie that the session is used now."""
    used = {"session_id": session.session_id, "at": time.time()}
    sealed = state_of(request).cookie_cipher.encrypt("seen", used, lasts_s=KEPT_S)
    set_cookie(request, response, "seen", sealed)


def end_session(request: Request, response: Response) -> None:
    """Sign the browser out of the portal."""
    drop_cookie(request, response, "session")
    drop_cookie(request, response, "seen")
    request.state.session_used = None


async def own_form(request: Request) -> AsyncIterator[None]:
    """As `refuse_foreign_forms`; files that came with the form are closed in the end."""
    try:
        await refuse_foreign_forms(request)
        yield
    finally:
        await request.close()


async def refuse_foreign_forms(request: Request) -> None:
    """Every change must carry the session's form token. Raises TokenMissing, FormNotOurs."""
    if request.method in SAFE_METHODS or request.url.path == FROM_PROVIDER:
        return
    session = session_of(request)
    if session is None:
        raise TokenMissing
    sent = request.headers.get("x-csrf-token") or (await request.form(max_fields=MOST_FIELDS)).get(
        CSRF_FIELD
    )
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
    return state_of(request).cookie_cipher.encrypt(SEALED_AS, asdict(session), lasts_s=KEPT_S)


def _in_cookie(request: Request, what: str) -> Content | None:
    """The content of a cookie; opened once for each request, as that costs more than all else."""
    sealed = request.cookies.get(cookie_name(request, what))
    opened: dict[str, Content | None] = request.scope["state"].setdefault("opened_cookies", {})
    if what not in opened:
        purpose = SEALED_AS if what == "session" else what
        opened[what] = state_of(request).cookie_cipher.decrypt(purpose, sealed)
    return opened[what]


def _seen_at(request: Request, session: Session) -> float:
    """When the session was last used; its begin where the cookie that says so is not its own."""
    found = _in_cookie(request, "seen")
    is_own = found is not None and found["session_id"] == session.session_id
    return float(found["at"]) if found and is_own else session.begun_at
