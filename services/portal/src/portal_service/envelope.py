"""What goes around every answer: a request id to quote, security headers, and a page for a crash.

One ASGI layer outside everything else, so that even the page of a crash has all of it.
"""

import re
import secrets
import traceback
from collections.abc import Awaitable, Callable

import structlog
from fastapi import Request, Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger()

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
FOR_EVER = "public, max-age=31536000, immutable"

CrashPage = Callable[[Request], Awaitable[Response]]


def content_security_policy(*form_targets: str) -> str:
    """Everything from this origin, nothing inline; forms may lead on to `form_targets`, too.

    Browsers check form-action against redirects as well: logging out leads to the provider.
    """
    forms = " ".join(("'self'", *form_targets))
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            f"form-action {forms}",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )


class Envelope:
    """Adds request id, trace and headers; answers a crash with a page instead of a torn line."""

    def __init__(
        self, app: ASGIApp, *, policy: str, https: bool, crash_page: CrashPage | None = None
    ) -> None:
        self.app = app
        self.crash_page = crash_page
        self.headers = {
            "content-security-policy": policy,
            "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "permissions-policy": "camera=(), geolocation=(), microphone=()",
        }
        if https:
            self.headers["strict-transport-security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        request.state.request_id = request_id = _given_or_new_id(request)
        request.state.traceparent = _given_or_new_trace(request)
        began = False

        async def with_headers(message: Message) -> None:
            nonlocal began
            if message["type"] == "http.response.start":
                began = True
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
                headers["x-request-id"] = request_id
                kept = request.url.path.startswith("/static/") and "v" in request.query_params
                headers.setdefault("cache-control", FOR_EVER if kept else "no-store")
            await send(message)

        try:
            await self.app(scope, receive, with_headers)
        except Exception:
            # As text: a pretty traceback prints local variables, which are slow and people's data.
            trace = traceback.format_exc()
            log.error("request_crashed", path=request.url.path, request_id=request_id, trace=trace)  # noqa: TRY400
            if began or self.crash_page is None:
                raise
            response = await self.crash_page(request)
            await response(scope, receive, with_headers)


def _given_or_new_id(request: Request) -> str:
    given = request.headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _given_or_new_trace(request: Request) -> str:
    given = request.headers.get("traceparent", "")
    if _TRACEPARENT.fullmatch(given):
        return given
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
