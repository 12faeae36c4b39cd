"""Session use: answers note in a cookie that the session was used, at most once a minute."""

from fastapi import Request, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal_service.session import Session, note_use


class SessionUseMiddleware:
    """Adds that cookie where `principal_in_session` found the last one old."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_use(message: Message) -> None:
            used: Session | None = scope.get("state", {}).get("session_used")
            if used is not None and message["type"] == "http.response.start":
                noted = Response()
                note_use(Request(scope), noted, used)
                cookies = [header for header in noted.raw_headers if header[0] == b"set-cookie"]
                message["headers"] = [*message["headers"], *cookies]
            await send(message)

        await self.app(scope, receive, with_use)
