"""Page rendering: what surrounds every screen, and the HTML of a screen.

`page(request, "returns.html", ...)` renders a template inside the frame: top bar, menu, breadcrumb,
message of the last action, error summary. `announce` leaves that message for the next page.
"""

import asyncio
import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from portal_service import formatting
from portal_service.api_client import FieldError, ServiceUnavailable, client_of
from portal_service.location_label import location_label
from portal_service.menu import Group, menu_for
from portal_service.pending_work import WorkShown, work_of
from portal_service.permissions import permissions_of
from portal_service.session import (
    cookie_name,
    drop_cookie,
    principal_in_session,
    session_of,
    set_cookie,
)
from portal_service.state import state_of
from portal_service.table_cell import table_cell
from shared.auth import AccessRefused, Principal, Role
from shared.trace_context import current_context

HERE = Path(__file__).parent
STATIC = HERE / "static"
ROLE_ORDER = list(Role)
LONGEST_UNDO = 2000  # bytes; a cookie holds 4096, encrypted and in Base64


@dataclass(frozen=True, slots=True)
class PageContext:
    """What the frame shows around a screen."""

    layout: str
    """base.html with the menu, bare.html for people who are not signed in."""
    who: Principal | None = None
    roles: str = ""
    menu: tuple[Group, ...] = ()
    path: str = ""
    csrf: str = ""
    place: str = ""
    unavailable_parts: tuple[str, ...] = ()
    """Parts that are missing and that the screen itself does not name."""
    work: WorkShown = field(default_factory=WorkShown)
    clock: str | None = None
    flash: Mapping[str, str] | None = None
    request_id: str = ""
    embedded: bool = False


class _Templates(Environment):
    """Templates whose `row.name` finds the key of a dictionary first: rows are dictionaries."""

    def getattr(self, obj: object, attribute: str) -> object:
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


def page_templates(*more_folders: Path) -> Environment:
    """The templates with the product's filters; `more_folders` are looked through first."""
    templates = _Templates(
        loader=FileSystemLoader([*more_folders, HERE / "templates"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {
        "day": formatting.day,
        "month": formatting.month,
        "moment": formatting.moment,
        "yen": formatting.yen,
        "count": formatting.count,
        "honorific": formatting.honorific,
        "sentence": formatting.sentence,
        "slug": _slug,
        "pairs": lambda items: [(item["code"], item["label"]) for item in items],
        "is_missing": lambda value: isinstance(value, ServiceUnavailable),
    }
    templates.globals |= {
        "static": _addresses_of_static_files().get,
        "table_cell": table_cell,
        "once": lambda: secrets.token_urlsafe(16),
        "query": _query,
    }
    return templates


async def render(  # noqa: PLR0913  everything but the first two has a name
    request: Request,
    template: str,
    *,
    status: int = 200,
    partial: str | None = None,
    values: Mapping[str, object] | None = None,
    errors: Iterable[FieldError] = (),
    **facts: object,
) -> HTMLResponse:
    """The screen `template` with these facts.

    `values` are what the form fields hold, by name; `errors` stand beside their fields and in the
    summary on top. `partial` names the block that is enough when HTMX asks for a part of the page.
    """
    found = state_of(request).templates.get_template(template)
    frame = await page_context_of(request)
    listed = tuple(errors)
    everything = {"frame": frame, "values": values or {}, "errors": listed, **facts}
    if partial and request.headers.get("hx-request"):
        html = "".join(found.blocks[partial](found.new_context(everything)))
        return HTMLResponse(html, status)
    response = HTMLResponse(found.render(everything), status)
    if frame.flash:
        drop_cookie(request, response, "flash")
    return response


async def page_context_of(request: Request) -> PageContext:
    """The page context of the caller; a bare one without a session."""
    portal = state_of(request)
    request_id = current_context().correlation_id or ""
    flash = portal.cookie_cipher.decrypt(
        "flash", request.cookies.get(cookie_name(request, "flash"))
    )
    who = await _person(request)
    if who is None or getattr(request.state, "deactivated", False):
        return PageContext("bare.html", flash=flash, request_id=request_id)
    session = session_of(request)
    place, rights, work = await asyncio.gather(
        location_label(request, who),
        permissions_of(request, who),
        work_of(request, who),
    )
    return PageContext(
        layout="base.html",
        who=who,
        roles="・".join(role.label_ja for role in sorted(who.roles, key=ROLE_ORDER.index)),
        menu=menu_for(who, request.app, rights),
        path=request.url.path,
        csrf=session.masked_csrf() if session else "",
        place=place,
        unavailable_parts=tuple(sorted(client_of(request).unavailable_parts)),
        work=work,
        clock=formatting.moment(portal.now()) if portal.now else None,
        flash=flash,
        request_id=request_id,
        embedded=portal.settings.embedded,
    )


def announce(
    request: Request,
    response: Response,
    text: str,
    *,
    kind: str = "done",
    undo: tuple[str, str | None] | None = None,
) -> None:
    """Leave a message for the next page: what happened, who is next, whether a mail went out.

    `kind` is done, note or warning. `undo`: where 「元に戻す」 sends what is to come back, unless
    there is nothing or it is too long for a cookie.
    """
    message = {"text": text, "kind": kind}
    if undo and undo[1] and len(undo[1].encode()) < LONGEST_UNDO:
        message |= {"undo_to": undo[0], "undo": undo[1]}
    sealed = state_of(request).cookie_cipher.encrypt("flash", message, lasts_s=300)
    set_cookie(request, response, "flash", sealed, lasts_s=300)


def see_other(request: Request, url: str, text: str, *, kind: str = "done") -> Response:
    """Send the browser to the next page with a message on it; see `announce`.

    A form that HTMX sent is answered with `HX-Redirect`: a 303 would only fill the page that is
    open, under its own address and wherever it is scrolled to.
    """
    response: Response = RedirectResponse(url, 303)
    if request.headers.get("hx-request"):
        response = Response(status_code=204, headers={"hx-redirect": url})
    announce(request, response, text, kind=kind)
    return response


async def _person(request: Request) -> Principal | None:
    known: Principal | None = getattr(request.state, "principal", None)
    if known is None:
        try:
            known = await principal_in_session(request)
        except AccessRefused:
            return None
    return known


def _addresses_of_static_files() -> dict[str, str]:
    """Name → address with a fingerprint, so that browsers may keep a file for ever."""
    files = (path for path in STATIC.rglob("*") if path.is_file())
    return {
        path.relative_to(STATIC).as_posix(): (
            f"/static/{path.relative_to(STATIC).as_posix()}"
            f"?v={hashlib.sha256(path.read_bytes()).hexdigest()[:10]}"
        )
        for path in files
    }


def _slug(text: str) -> str:
    """A name for an id attribute."""
    return re.sub(r"[^\w-]+", "-", text)


def _query(current: Mapping[str, object], **changes: object) -> str:
    """The query string of this page with some values changed; None takes one away."""
    wanted = {**dict(current), **changes}
    return "?" + urlencode(
        {key: value for key, value in wanted.items() if value is not None}, doseq=True
    )
