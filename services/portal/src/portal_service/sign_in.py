"""Login and logout pages.

/auth/login sends the browser to the provider and remembers the attempt in a sealed cookie of its
own, so that several tabs can log in at once; at most three attempts are kept, because every cookie
makes the headers of each request longer. /auth/callback redeems the code; /auth/logout ends the
session here, in every portal process, and, if it answers, at the provider.
"""

import time
from collections.abc import Iterator
from dataclasses import asdict
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from portal_service.access_log import Action, Note, note
from portal_service.ended_sessions import SessionsEnded
from portal_service.oidc import LoginAttempt, SignInFailed
from portal_service.rendering import render
from portal_service.rules.session_end import EndKind, EndOf, WhyEnded
from portal_service.session import (
    KEPT_S,
    Session,
    begin_session,
    cookie_name,
    drop_cookie,
    end_session,
    session_of,
    set_cookie,
    why_session_ended,
)
from portal_service.state import state_of
from shared.auth import IssuerUnavailable, public

ATTEMPT_LASTS_S = 900
ATTEMPTS_KEPT = 3

LOOPS = ("/auth/login", "/auth/callback", "/auth/logout", "/auth/logout-everywhere")

pages = APIRouter(prefix="/auth", dependencies=[public()])


def login_path(return_to: str) -> str:
    """Where to send somebody who must sign in first."""
    return "/auth/login?" + urlencode({"next": return_to})


def own_path(wanted: str) -> str:
    r"""The path if it leads to a page of this portal, else the top page.

    Browsers read //host and /\host as another site and drop tabs and line ends inside an address.
    """
    parts = urlsplit(wanted)
    harmless = (
        wanted.startswith("/")
        and not wanted.startswith("//")
        and "\\" not in wanted
        and wanted.isprintable()
        and not parts.scheme
        and not parts.netloc
    )
    loops = parts.path in LOOPS
    return wanted if harmless and not loops else "/"


@pages.get("/login")
async def login(request: Request, next: str = "/") -> Response:  # noqa: A002  the name in the address
    """Begin a login that will end at the path `next`.

    After an idle session the provider asks who it is: somebody else may sit there by now.
    """
    portal = state_of(request)
    attempt = LoginAttempt.begin(own_path(next))
    session = session_of(request)
    left = session is not None and why_session_ended(request, session) is WhyEnded.IDLE
    response = RedirectResponse(await portal.provider.authorize_url(attempt, ask_again=left), 303)
    sealed = portal.cookie_cipher.encrypt("login", asdict(attempt), lasts_s=ATTEMPT_LASTS_S)
    earlier = sorted(_attempts(request), reverse=True)  # latest first
    for dropped in earlier[ATTEMPTS_KEPT - 1 :]:
        drop_cookie(request, response, dropped)
    name = f"login_{int(time.time()):x}_{attempt.state[:8]}"
    set_cookie(request, response, name, sealed, lasts_s=ATTEMPT_LASTS_S)
    return response


@pages.get("/callback")
async def oidc_callback(
    request: Request, state: str = "", code: str = "", error: str = ""
) -> Response:
    """Finish the login that `state` names. Raises SignInFailed."""
    portal = state_of(request)
    kept = next((one for one in _attempts(request) if one.endswith(f"_{state[:8]}")), "login")
    cookie = request.cookies.get(cookie_name(request, kept))
    remembered = portal.cookie_cipher.decrypt("login", cookie)
    if remembered is None or remembered["state"] != state:
        raise SignInFailed("no login with this state began in this browser")
    if error or not code:
        raise SignInFailed(f"the provider says {error or 'nothing'}")
    attempt = LoginAttempt(**remembered)
    tokens, signed_in = await portal.provider.redeem(code, attempt)
    response = RedirectResponse(own_path(attempt.return_to), 303)
    begin_session(
        request,
        response,
        access_token=tokens.access,
        id_token=tokens.id_token,
        signed_in=signed_in,
    )
    drop_cookie(request, response, kept)
    note(request, Note(Action.SIGN_IN, actor=signed_in.person.person_id))
    return response


@pages.post("/logout")
async def log_out(request: Request) -> Response:
    """End the session here, then at the provider; if it is away, only here."""
    session = session_of(request)
    if session is not None:
        await end_sessions(request, *session.ends)
        note(request, Note(Action.SIGN_OUT, actor=session.person))
    return await _signed_out_at_provider(request, session)


@pages.post("/logout-everywhere")
async def log_out_everywhere(request: Request) -> Response:
    """End every session of the person, on this and on other devices."""
    session = session_of(request)
    if session is not None:
        await end_sessions(request, (EndKind.PERSON, session.person), *session.ends)
        ended = Note(Action.SESSIONS_ENDED, session.person, None, "person", session.person)
        note(request, ended)
    return await _signed_out_at_provider(request, session)


@pages.get("/signed-out")
async def signed_out(request: Request) -> Response:
    """The page after logging out."""
    return await render(request, "signed_out.html")


@pages.get("/signed-in")
async def signed_in(request: Request) -> Response:
    """The page in the second tab of somebody whose form waits in the first."""
    return await render(request, "signed_in.html")


async def end_sessions(request: Request, *ends: EndOf) -> bool:
    """End the sessions that these name and that have begun; whether every process knows by now."""
    now = time.time()
    return await state_of(request).ended.end(SessionsEnded(ends, now, now + KEPT_S))


async def _signed_out_at_provider(request: Request, session: Session | None) -> Response:
    """Drop the cookies, and lead the browser to the provider's end of the session."""
    portal = state_of(request)
    back_to = f"{portal.settings.public_url}/auth/signed-out"
    id_token = session.id_token if session else None
    try:
        leads_to = await portal.provider.end_session_url(id_token, back_to)
    except IssuerUnavailable:
        leads_to = back_to
    response = RedirectResponse(leads_to, 303)
    end_session(request, response)
    return response


def _attempts(request: Request) -> Iterator[str]:
    """The kept attempts: login_<time of its begin, hexadecimal>_<first characters of its state>."""
    prefix = cookie_name(request, "")
    for name in request.cookies:
        if name.startswith(f"{prefix}login_"):
            yield name.removeprefix(prefix)
