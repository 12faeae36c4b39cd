"""Security headers of every response, and how long a browser may keep it.

One ASGI layer around everything else, so that even the page of a crash has all of it.
"""

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FOR_EVER = "public, max-age=31536000, immutable"


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


class SecurityHeadersMiddleware:
    """Adds security headers to every answer."""

    def __init__(self, app: ASGIApp, *, policy: str, https: bool) -> None:
        self.app = app
        self.headers = {
            "content-security-policy": policy,
            "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "permissions-policy": "camera=(), geolocation=(), microphone=()",
        }
        if https:
            self.headers["strict-transport-security"] = "max-age=31536000; includeSubDomains"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
                kept = request.url.path.startswith("/static/") and "v" in request.query_params
                headers.setdefault("cache-control", FOR_EVER if kept else "no-store")
            await send(message)

        await self.app(scope, receive, with_headers)
