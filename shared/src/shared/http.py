"""What does every service's HTTP side have in common?

Request ids and traces, problem+json for every refusal, entity tags for versions, one transaction
per request that is committed before the answer leaves, idempotency keys, and probes.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Annotated, Any

import orjson
import structlog
from fastapi import FastAPI, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.status import HTTP_400_BAD_REQUEST
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.clock import Clock
from shared.context import Work, child_of, new_id, working_for
from shared.db import Database
from shared.errors import FieldError, FormErrors, Kind, Refusal, problem_of

log = structlog.get_logger()

PROBLEM = "application/problem+json"


class NotFound(Refusal):
    """There is no such thing, or none that this user may know of."""

    code = "NOT_FOUND"
    kind = Kind.NOT_FOUND
    message = "見つかりません。"


class VersionMissing(Refusal):
    """A change must say which version it changes, by If-Match."""

    code = "VERSION_MISSING"
    kind = Kind.VERSION_MISSING
    message = "If-Match に変更対象の版を指定してください。"


class BodyUnreadable(Refusal):
    """What came is no text, so that nothing can be said of its fields."""

    code = "BODY_UNREADABLE"
    kind = Kind.INVALID
    message = "送信内容を読み取れません。"


class KeyUsedForAnother(Refusal):
    """The same Idempotency-Key came with another request before."""

    code = "IDEMPOTENCY_KEY_USED"
    kind = Kind.INVALID
    message = "この Idempotency-Key は別の内容で使用済みです。"


class RequestContext:
    """Gives each request an id and a trace, answers them, and logs one line."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request inside its own context."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = headers.get("x-request-id", "")[:64] or str(new_id())
        work = Work(correlation_id=request_id, traceparent=child_of(headers.get("traceparent")))
        status = 500

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                out = MutableHeaders(scope=message)
                out["x-request-id"] = request_id
                out["traceparent"] = work.traceparent or ""
            await send(message)

        with working_for(work):
            await self.app(scope, receive, answer)
            log.info("request", method=scope["method"], path=scope["path"], status=status)


def problem(body: Mapping[str, object]) -> Response:
    """A problem+json answer with the status that its body names."""
    return Response(orjson.dumps(dict(body)), int(str(body["status"])), media_type=PROBLEM)


MALFORMED = {
    "missing": "入力してください。",
    "string_too_short": "入力してください。",
    "string_too_long": "{max_length}文字以内で入力してください。",
    "greater_than_equal": "{ge}以上で入力してください。",
    "less_than_equal": "{le}以下で入力してください。",
}


def malformation(error: Mapping[str, Any]) -> str:
    """What is wrong with the shape of a field (an error of pydantic), to stand beside it."""
    words = MALFORMED.get(error["type"], "正しい形で入力してください。")
    return words.format_map(error.get("ctx") or {}) if "{" in words else words


def install(app: FastAPI) -> None:
    """Make an app answer every refusal, foreseen or not, as problem+json."""

    async def refused(_: Request, cause: Refusal) -> Response:
        return problem(problem_of(cause))

    async def malformed(_: Request, cause: RequestValidationError) -> Response:
        fields = [
            FieldError(".".join(str(p) for p in e["loc"][1:]), str(e["type"]), malformation(e))
            for e in cause.errors()
        ]
        return problem(problem_of(FormErrors(*fields)))

    async def plain(_: Request, cause: HTTPException) -> Response:
        if cause.status_code == HTTP_400_BAD_REQUEST:  # the framework's word for such a body
            return problem(problem_of(BodyUnreadable()))
        return problem(
            {
                "type": f"urn:madoguchi:problem:http_{cause.status_code}",
                "title": cause.detail,
                "status": cause.status_code,
                "code": f"HTTP_{cause.status_code}",
            }
        )

    async def unforeseen(_: Request, cause: Exception) -> Response:
        log.error("unforeseen", exc_info=cause)
        return problem(
            {
                "type": "urn:madoguchi:problem:internal",
                "title": "予期しないエラーが発生しました。",
                "status": 500,
                "code": "INTERNAL",
            }
        )

    app.add_exception_handler(Refusal, refused)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, malformed)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, plain)  # type: ignore[arg-type]
    app.add_exception_handler(Exception, unforeseen)
    app.add_middleware(RequestContext)


def expected_version(if_match: Annotated[str | None, Header()] = None) -> int:
    """The version that a change is meant for, from `If-Match: "7"`. Raises VersionMissing."""
    value = (if_match or "").strip().removeprefix("W/").strip('"')
    if not value.isascii() or not value.isdigit() or len(value) > 18:  # noqa: PLR2004
        raise VersionMissing
    return int(value)


def etag(version: int) -> dict[str, str]:
    """The header that names a version."""
    return {"ETag": f'"{version}"'}


def clock_of(request: Request) -> Clock:
    """The service's clock."""
    clock: Clock = request.app.state.clock
    return clock


def database_of(request: Request) -> Database:
    """The service's database."""
    database: Database = request.app.state.database
    return database


async def transaction_of(database: Database, dealer: str | None) -> AsyncIterator[AsyncSession]:
    """The one transaction of a request. Use it by `Depends(..., scope="function")` only.

    A dependency that yields ends after the answer by default; with the scope of the function it
    commits before, so that nobody is told of something that was not kept.
    """
    async with database.transaction(dealer) as tx:
        yield tx


CLAIM = text("""
    INSERT INTO idempotency (owner, key, fingerprint) VALUES (:owner, :key, :fingerprint)
    ON CONFLICT DO NOTHING RETURNING 1
""")
EARLIER = text("""
    SELECT fingerprint, answer::text AS answer FROM idempotency WHERE owner = :owner AND key = :key
""")
REMEMBER = text("""
    UPDATE idempotency SET answer = CAST(:answer AS jsonb) WHERE owner = :owner AND key = :key
""")


async def once(
    tx: AsyncSession,
    *,
    owner: str,
    key: str | None,
    fingerprint: str,
    act: Callable[[], Awaitable[dict[str, Any]]],
) -> dict[str, Any]:
    """Do something once per (owner, key); later calls get the first answer again.

    Without a key it is simply done. Raises KeyUsedForAnother if the request differs.
    """
    if key is None:
        return await act()
    names = {"owner": owner, "key": key}
    if (await tx.execute(CLAIM, {**names, "fingerprint": fingerprint})).first() is None:
        earlier = (await tx.execute(EARLIER, names)).one()
        if earlier.fingerprint != fingerprint:
            raise KeyUsedForAnother
        answer: dict[str, Any] = orjson.loads(earlier.answer)
        return answer
    answer = await act()
    await tx.execute(REMEMBER, {**names, "answer": orjson.dumps(answer).decode()})
    return answer


def install_probes(app: FastAPI, ready: Callable[[], Awaitable[Mapping[str, bool]]]) -> None:
    """`/livez`, `/readyz` (each part by name; 503 if one is missing) and `/metrics`."""

    @app.get("/livez", include_in_schema=False)
    async def livez() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> JSONResponse:
        parts = await ready()
        return JSONResponse(dict(parts), 200 if all(parts.values()) else 503)

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
