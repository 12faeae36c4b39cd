"""Mailbox and clock pages of the all-in-one: shows caught mails, and sets the date and time.

Both exist in embedded mode only: they require no login.
"""

from collections.abc import Awaitable, Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from madoguchi.embedded.mail_catcher import Mailbox
from portal_service.rendering import PageContext, page_templates
from portal_service.security_headers import SecurityHeadersMiddleware, content_security_policy
from shared.auth import assert_every_route_has_a_policy, public
from shared.clock import JST, SystemClock, jst_day


class SettableClock(Protocol):
    """A clock that can be set."""

    def now(self) -> datetime:
        """The current instant of this environment."""
        ...

    def travel_to(self, instant: datetime) -> None:
        """Set the current instant."""
        ...


Travelled = Callable[[], Awaitable[None]]


Show = Callable[..., HTMLResponse]
MorePages = Callable[[Show], APIRouter]


def create_extras(
    mail_folder: Path, clock: SettableClock, travelled: Travelled, *more: MorePages
) -> FastAPI:
    """`/mailbox/`, `/clock/` and `more`; `travelled` is called after the clock was set."""
    app = FastAPI(openapi_url=None, redirect_slashes=True)
    templates = page_templates(Path(__file__).parent)

    def show(template: str, status: int = 200, **facts: object) -> HTMLResponse:
        frame = PageContext("bare.html")
        html = templates.get_template(template).render(frame=frame, errors=(), **facts)
        return HTMLResponse(html, status)

    app.include_router(_mailbox(Mailbox(mail_folder), show))
    app.include_router(_clock(clock, show, travelled))
    for pages in more:
        app.include_router(pages(show))
    assert_every_route_has_a_policy(app)
    app.add_middleware(SecurityHeadersMiddleware, policy=content_security_policy(), https=False)
    return app


def _mailbox(mailbox: Mailbox, show: Show) -> APIRouter:
    pages = APIRouter(dependencies=[public()])

    @pages.get("/mailbox/")
    async def read_mails() -> Response:
        return show("mailbox.html", mails=mailbox.mails())

    return pages


def _clock(clock: SettableClock, show: Show, travelled: Travelled) -> APIRouter:
    pages = APIRouter(dependencies=[public()])

    def face(complaint: str = "", status: int = 200) -> Response:
        now = clock.now()
        today = jst_day(now).isoformat()
        return show("clock.html", status, now=now, today=today, complaint=complaint)

    @pages.get("/clock/")
    async def look_at_clock() -> Response:
        return face()

    @pages.post("/clock/")
    async def set_clock(request: Request) -> Response:
        origin = urlsplit(request.headers.get("origin", "")).netloc
        if origin and origin != request.headers.get("host"):
            return face("別のサイトからは変更できません。", 403)
        form = await request.form()
        instant = _instant(clock, str(form.get("days", "")), str(form.get("day", "")))
        if instant is None:
            return face("日付は 2026-12-24 のように入力してください。", 422)
        clock.travel_to(instant)
        await travelled()
        return RedirectResponse("/clock/", 303)

    return pages


def _instant(clock: SettableClock, days: str, day: str) -> datetime | None:
    """The instant chosen in the form; None if it is not valid."""
    if days == "back":
        return SystemClock().now()
    if days.isascii() and days.isdigit() and len(days) < 4:  # noqa: PLR2004 - up to 999 days
        return clock.now() + timedelta(days=int(days))
    try:
        return datetime.combine(date.fromisoformat(day), time(9), JST)
    except ValueError:
        return None
