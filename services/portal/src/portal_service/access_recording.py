"""Access recording: turns the notes of a request into rows of the access log once it is answered.

What a page shows follows from its route, so that none is forgotten. The rows of an exported CSV are
counted as they pass. A page that was refused was not seen: what it would have shown becomes the
object of the refusal.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal_service.access_log import Access, AccessLogWriter, Action, Note
from shared.http import METHODS, route_of
from shared.trace_context import current_context

SHOWN = {Action.CUSTOMER_VIEWED, Action.CUSTOMERS_LISTED, Action.PRINTED, Action.EXPORTED}
REFUSALS = {
    Action.SESSION_REFUSED,
    Action.ACCESS_REFUSED,
    Action.FORM_REFUSED,
    Action.REFUSAL_BURST,
}
RECORDS = {
    "contract_no": "contract",
    "application_id": "application",
    "slip_id": "slip",
    "export_id": "export",
}
"""Records by the name of their parameter in a path."""
CUSTOMERS = {"contract", "application"}
"""Records whose pages show a customer."""
PRINTED = {
    "/contracts/{contract_no}/payment-confirmation",
    "/returns/{application_id}/print",
    "/commuter/slips/{slip_id}/print",
}
OPERATION = "/operation/"
REDIRECTED = 300
REFUSED = 400
LONGEST = 200


class AccessRecordingMiddleware:
    """Records what requests did."""

    def __init__(self, app: ASGIApp, *, writer: AccessLogWriter) -> None:
        self.app = app
        self.writer = writer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, lines, is_csv = 0, 0, False

        async def answer(message: Message) -> None:
            nonlocal status, lines, is_csv
            if message["type"] == "http.response.start":
                status = message["status"]
                kind = Headers(raw=message["headers"]).get("content-type", "")
                is_csv = kind.startswith("text/csv")
            elif is_csv:
                lines += message.get("body", b"").count(b"\n")
            await send(message)

        try:
            await self.app(scope, receive, answer)
        finally:
            rows = max(lines - 1, 0) if is_csv else None
            for noted in _notes_of(scope, status or 500):
                self._record(scope, noted, status or 500, rows)

    def _record(self, scope: Scope, noted: Note, status: int, rows: int | None) -> None:
        now = time.time()
        state = scope["state"]
        person = state.get("principal")
        actor = noted.actor or (person.person_id if person else state.get("session_person"))
        failed = noted.action in REFUSALS or status >= REFUSED
        access = Access(
            at=datetime.fromtimestamp(now, UTC),
            action=noted.action,
            outcome="failure" if failed else "success",
            actor=_clean(actor),
            client=state.get("client"),
            session=state.get("session_id"),
            method=scope["method"] if scope["method"] in METHODS else "_OTHER",
            route=route_of(scope),
            status=status,
            code=_clean(noted.code),
            object_kind=noted.object_kind,
            object_id=_clean(noted.object_id),
            row_count=rows if noted.action is Action.EXPORTED else noted.row_count,
            request_id=current_context().correlation_id,
        )
        self.writer.add(access)
        if noted.action in REFUSALS and actor and self.writer.refused_often(actor, now):
            self.writer.add(replace(access, action=Action.REFUSAL_BURST))


def _notes_of(scope: Scope, status: int) -> Iterator[Note]:
    """What to record of an answered request."""
    state = scope["state"]
    notes: list[Note] = state.get("access_notes", [])
    shown = shown_by(scope["method"], route_of(scope), scope.get("path_params", {}))
    for noted in notes:
        if noted.action in REFUSALS and shown is not None:
            yield replace(noted, object_kind=shown.object_kind, object_id=shown.object_id)
        elif status < REFUSED or noted.action not in SHOWN:
            yield noted
    if shown is not None and status < REDIRECTED:
        yield shown
    if state.get("changed") and scope["path"].startswith(OPERATION):
        named = next(iter(scope.get("path_params", {}).items()), (None, None))
        kind, about = state.get("access_about", named)
        yield Note(Action.OPERATOR_STEP, object_kind=kind, object_id=about)


def shown_by(method: str, route: str, parameters: Mapping[str, str]) -> Note | None:
    """What reading a page shows: a file, a printed form, or the customer of one record."""
    if method != "GET":
        return None
    kind, about = next(
        ((kind, parameters[name]) for name, kind in RECORDS.items() if name in parameters),
        (None, None),
    )
    if route.endswith(".csv"):
        return Note(Action.EXPORTED, object_kind=kind, object_id=about)
    if route in PRINTED:
        return Note(Action.PRINTED, object_kind=kind, object_id=about)
    if kind in CUSTOMERS:
        return Note(Action.CUSTOMER_VIEWED, object_kind=kind, object_id=about)
    return None


def _clean(text: str | None) -> str | None:
    """A text as the database takes it."""
    if text is None:
        return None
    encoded = text.replace("\x00", "").encode("utf-8", "replace")
    return encoded.decode()[:LONGEST]
