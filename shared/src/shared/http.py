"""HTTP behaviour that every service shares.

Request ids and traces, problem+json for every refusal, entity tags for versions, one transaction
per request that is committed before the answer leaves, idempotency keys, and probes.
"""

import hashlib
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Annotated, TypeVar

import orjson
import structlog
from fastapi import FastAPI, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.status import (
    HTTP_400_BAD_REQUEST,
    HTTP_401_UNAUTHORIZED,
    HTTP_404_NOT_FOUND,
    HTTP_405_METHOD_NOT_ALLOWED,
    HTTP_500_INTERNAL_SERVER_ERROR,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import tracing
from shared.access_events import access_refused
from shared.client_address import client_address
from shared.clock import Clock
from shared.concurrency import VersionConflict
from shared.db import Database
from shared.errors import (
    BodyUnreadable,
    FormErrors,
    KeyUsedForAnother,
    Kind,
    Refusal,
    problem_of,
)
from shared.malformed_requests import malformation
from shared.metrics import HTTP_REQUESTS
from shared.path_keys import without_types
from shared.postgres_connection import DatabaseUnavailable
from shared.refusals import check_declared, refuses
from shared.trace_context import TraceContext, current_context, known_trace, new_id
from shared.tracing import Attributes, Step

log = structlog.get_logger()

PROBLEM = "application/problem+json"
PROBES = ("/livez", "/readyz", "/metrics")
RETRY_AFTER_S = "5"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
METHOD_NOT_ALLOWED = "この宛先では使えないメソッドです。"
QUALITY = re.compile(r"[01](\.\d{0,3})?")

Crashed = Callable[[Request], Awaitable[Response]]
"""Builds the response to a request that crashed."""


class NotFound(Refusal):
    """Not found, or not visible to this user."""

    code = "NOT_FOUND"
    kind = Kind.NOT_FOUND
    message = "見つかりません。"
    english = "There is nothing at this address, or you may not see it."


class VersionMissing(Refusal):
    """A change must name the version that it applies to, in If-Match."""

    code = "VERSION_MISSING"
    kind = Kind.VERSION_MISSING
    message = "If-Match に変更対象の版を指定してください。"
    english = "Name the version that the change applies to in If-Match."


class RequestContextMiddleware:
    """Gives each request of `service` an id and a trace, measures it, and logs one line.

    A crash is logged inside that context; `crashed` answers it unless the response has begun.
    `cache_control` is sent with answers that have none of their own.
    """

    def __init__(
        self, app: ASGIApp, *, service: str, crashed: Crashed, cache_control: str = ""
    ) -> None:
        self.app = app
        self.service = service
        self.crashed = crashed
        self.cache_control = cache_control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request inside its own context; probes are passed through."""
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if REQUEST_ID.fullmatch(given) else str(new_id())
        work = TraceContext(
            correlation_id=request_id, traceparent=known_trace(headers.get("traceparent"))
        )
        method = scope["method"] if scope["method"] in METHODS else "_OTHER"
        with tracing.step(method, "SERVER", work, {"http.request.method": method}) as step:
            await self._answer(scope, receive, send, step)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, step: Step) -> None:
        begun, status, work = time.perf_counter(), 0, current_context()
        state = scope.setdefault("state", {})
        trusted = getattr(scope["app"].state, "trusted_proxies", ()) if "app" in scope else ()
        state["client"] = client_address(scope, trusted)

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                out = MutableHeaders(scope=message)
                out["x-request-id"] = work.correlation_id or ""
                out["traceparent"] = work.traceparent or ""
                if self.cache_control:
                    out.setdefault("cache-control", self.cache_control)
            await send(message)

        try:
            await self.app(scope, receive, answer)
        except Exception:
            log.exception("unhandled_exception")
            if status:
                raise
            await (await self.crashed(Request(scope, receive)))(scope, receive, answer)
        finally:
            took = time.perf_counter() - begun
            self._record(step, scope, status or 500, took)

    def _record(self, step: Step, scope: Scope, status: int, took_s: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else "_OTHER"
        route, state = route_of(scope), scope["state"]
        about: Attributes = {"http.route": route, "http.response.status_code": status}
        step.set_attributes(about, name=f"{method} {route}")
        if status >= HTTP_500_INTERNAL_SERVER_ERROR:
            step.failed(str(status))
        HTTP_REQUESTS.labels(self.service, method, route, str(status)).observe(took_s)
        log.info(
            "request",
            service=self.service,
            method=method,
            route=route,
            status=status,
            ms=round(took_s * 1000, 1),
            actor=person.person_id if (person := state.get("principal")) else None,
            client=state["client"],
            code=state.get("refusal_code"),
        )


def is_unavailable(cause: Exception) -> bool:
    """Whether the database is away or has no room (SQLSTATE classes 53 and 57P), not our mistake.

    Nothing was committed that the client heard of: it may ask again.
    """
    if isinstance(cause, DBAPIError):
        sqlstate = str(getattr(cause.orig, "sqlstate", None) or "")
        return cause.connection_invalidated or sqlstate.startswith(("53", "57P"))
    return isinstance(cause, DatabaseUnavailable)


def route_of(scope: Scope) -> str:
    """The template of the matched route: path parameters are not logged."""
    found = without_types(getattr(scope.get("route"), "path", None) or "")
    return found or scope.get("root_path") or "none"


def problem(body: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Response:
    """A problem+json response with the status that its body names.

    401 asks for a bearer token, as RFC 9110 demands.
    """
    status = int(str(body["status"]))
    asked = (
        {"WWW-Authenticate": 'Bearer realm="madoguchi"'} if status == HTTP_401_UNAUTHORIZED else {}
    )
    return Response(orjson.dumps(dict(body)), status, {**asked, **(headers or {})}, PROBLEM)


def prefers_english(request: Request) -> bool:
    """Whether a client prefers English to Japanese (Accept-Language); Japanese by default."""
    wanted: dict[str, float] = {"ja": 0.0, "en": 0.0}
    for part in request.headers.get("accept-language", "").lower().split(","):
        tag, _, weight = part.strip().partition(";")
        language = tag.partition("-")[0].strip()
        if language in wanted:
            number = weight.strip().removeprefix("q=") or "1"
            quality = float(number) if QUALITY.fullmatch(number) else 0.0
            wanted[language] = max(wanted[language], quality)
    return wanted["en"] > wanted["ja"]


async def answer_refusal(request: Request, cause: Refusal) -> Response:
    """Answer a refusal as problem+json; its code must be declared on the route."""
    check_declared(request.app, request.scope.get("endpoint"), cause.code)
    request.state.refusal_code = cause.code
    if cause.kind in {Kind.UNAUTHENTICATED, Kind.FORBIDDEN}:
        access_refused(request, request.app.state.service_name, cause.code, route_of(request.scope))
    return problem(_described(request, cause))


def _described(request: Request, cause: Refusal) -> dict[str, object]:
    """A refusal in the client's language, with a link where the app documents its codes."""
    found = problem_of(cause, english=prefers_english(request))
    link_of: Callable[[str], str] | None = getattr(request.app.state, "documentation_of", None)
    link = link_of(cause.code) if link_of else ""
    return {**found, "documentation": link} if link else found


async def answer_unavailable(_: Request, cause: Exception) -> Response:
    """Answer that the database cannot be had now; any other error of it is a crash."""
    if not is_unavailable(cause):
        raise cause
    log.warning("database_unavailable", cause=str(cause)[:200])
    answer = problem(
        {
            "type": "urn:madoguchi:problem:unavailable",
            "title": "ただいま混み合っています。しばらくしてからもう一度お試しください。",
            "status": 503,
            "code": "UNAVAILABLE",
        }
    )
    answer.headers["retry-after"] = RETRY_AFTER_S
    return answer


async def crashed(_: Request) -> Response:
    """Answer a request that crashed, without saying how."""
    return problem(
        {
            "type": "urn:madoguchi:problem:internal",
            "title": "予期しないエラーが発生しました。",
            "status": 500,
            "code": "INTERNAL",
        }
    )


def install(app: FastAPI) -> None:
    """Make an app answer every refusal and every crash as problem+json."""

    async def malformed(request: Request, cause: RequestValidationError) -> Response:
        found = ((e["loc"], e["type"], e.get("ctx") or {}) for e in cause.errors())
        return await answer_refusal(request, FormErrors(*(malformation(*one) for one in found)))

    async def plain(request: Request, cause: HTTPException) -> Response:
        if cause.status_code == HTTP_400_BAD_REQUEST:  # the framework's error for undecodable text
            return await answer_refusal(request, BodyUnreadable())
        if cause.status_code == HTTP_404_NOT_FOUND:  # no route has this path
            return problem(_described(request, NotFound()))
        english = prefers_english(request) or cause.status_code != HTTP_405_METHOD_NOT_ALLOWED
        body = {
            "type": f"urn:madoguchi:problem:http_{cause.status_code}",
            "title": cause.detail if english else METHOD_NOT_ALLOWED,
            "status": cause.status_code,
            "code": f"HTTP_{cause.status_code}",
        }
        return problem(body, cause.headers)  # Allow of a 405

    app.add_exception_handler(DatabaseUnavailable, answer_unavailable)
    app.add_exception_handler(DBAPIError, answer_unavailable)
    app.add_exception_handler(Refusal, answer_refusal)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, malformed)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, plain)  # type: ignore[arg-type]
    app.add_middleware(
        RequestContextMiddleware,
        service=app.state.service_name,
        crashed=crashed,
        cache_control="no-store",  # personal data in most answers
    )


@refuses(VersionMissing, VersionConflict)
def expected_version(if_match: Annotated[str | None, Header()] = None) -> int:
    """The version that a change applies to, from `If-Match: "7"`. Raises VersionMissing."""
    value = (if_match or "").strip().removeprefix("W/").strip('"')
    if not value.isascii() or not value.isdigit() or len(value) > 18:  # noqa: PLR2004
        raise VersionMissing
    return int(value)


def etag(version: int) -> dict[str, str]:
    """The ETag header of a version."""
    return {"ETag": f'"{version}"'}


def clock_of(request: Request) -> Clock:
    """The service's clock."""
    clock: Clock = request.app.state.clock
    return clock


def database_of(request: Request) -> Database:
    """The service's database."""
    database: Database = request.app.state.database
    return database


async def transaction_of(
    database: Database, dealer: str | None, *, plan_by_values: bool = False
) -> AsyncIterator[AsyncSession]:
    """The one transaction of a request. Use it by `Depends(..., scope="function")` only.

    By default a dependency that yields ends after the response was sent. With the function's scope
    it commits before: the client never sees success for a transaction that did not commit.
    """
    async with database.transaction(dealer, plan_by_values=plan_by_values) as tx:
        yield tx


CLAIM = text("""
    INSERT INTO idempotency (owner, key, fingerprint) VALUES (:owner, :key, :fingerprint)
    ON CONFLICT DO NOTHING RETURNING 1
""")
EARLIER = text("""
    SELECT fingerprint, answer::text AS answer FROM idempotency WHERE owner = :owner AND key = :key
""")
STORE_ANSWER = text("""
    UPDATE idempotency SET answer = CAST(:answer AS jsonb) WHERE owner = :owner AND key = :key
""")


Answer = TypeVar("Answer")


async def idempotent(
    tx: AsyncSession,
    *,
    owner: str,
    key: str | None,
    fingerprint: str,
    act: Callable[[], Awaitable[Answer]],
) -> Answer:
    """Run an action once per (owner, key); later calls get the first response again, as JSON.

    Of the request only a hash is kept: it may name a customer.

    Without a key it simply runs. Raises KeyUsedForAnother if the request differs.
    """
    if key is None:
        return await act()
    typed, fingerprint = fingerprint, hashlib.sha256(fingerprint.encode()).hexdigest()
    names = {"owner": owner, "key": key}
    if (await tx.execute(CLAIM, {**names, "fingerprint": fingerprint})).first() is None:
        earlier = (await tx.execute(EARLIER, names)).first()  # none: it is another dealer's
        if earlier is None or earlier.fingerprint not in {fingerprint, typed}:  # old rows: as typed
            raise KeyUsedForAnother
        stored: Answer = orjson.loads(earlier.answer)
        return stored
    answer = await act()
    await tx.execute(STORE_ANSWER, {**names, "answer": orjson.dumps(answer).decode()})
    return answer


async def _nothing_to_read() -> None:
    """For a process whose metrics are up to date by themselves."""


def install_probes(
    app: FastAPI,
    ready: Callable[[], Awaitable[Mapping[str, bool]]],
    read_gauges: Callable[[], Awaitable[None]] = _nothing_to_read,
) -> None:
    """`/livez`, `/readyz` (each component by name; 503 if one is missing) and `/metrics`.

    `read_gauges` is awaited before `/metrics` is answered.
    """

    @app.get("/livez", include_in_schema=False)
    async def livez() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> JSONResponse:
        parts = await ready()
        return JSONResponse(dict(parts), 200 if all(parts.values()) else 503)

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        await read_gauges()
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
