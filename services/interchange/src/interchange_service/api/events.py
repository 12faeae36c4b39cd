"""Events API: a dealer's system sends CloudEvents by HTTPS.

One message per request, in binary or structured mode, or up to a hundred in batched mode. The
answer comes when the events are committed; a refused message is quarantined first, and the answer
names the reason, each wrong attribute and the quarantine id.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated
from urllib.parse import unquote

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from interchange_service.actions.accept_message import accept, quarantine_message
from interchange_service.api.rate_limit import Quota, RateLimit
from interchange_service.dealer_docs.event_requests import batch_request, event_request
from interchange_service.dealer_messages import LARGEST_BATCH, parts_of
from interchange_service.rules.cloud_event import is_batch
from interchange_service.rules.message_checks import (
    ENGLISH,
    MESSAGES,
    InboundMessage,
    NotAccepted,
    Reason,
)
from shared.auth import Principal, Role, require
from shared.errors import Kind, Refusal, problem_of
from shared.http import clock_of, database_of, prefers_english, problem
from shared.openapi import Problem
from shared.refusals import Declared, refuses

router = APIRouter(prefix="/dealers/{dealer}/events")
System = Annotated[Principal, require(Role.DEALER_SYSTEM)]
DealerPath = Annotated[str, Path(max_length=100, description="the key's dealer, D01 for example")]

READ_AT_MOST = 1024 * 1024
"""A message that is too large is read up to this size, so that the client reads the answer."""
STATUS_OF: Mapping[Reason, HTTPStatus] = {
    Reason.SENDER_UNKNOWN: HTTPStatus.FORBIDDEN,
    Reason.ADDRESS_OF_ANOTHER: HTTPStatus.FORBIDDEN,
    Reason.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Reason.MESSAGE_ID_REUSED: HTTPStatus.CONFLICT,
}
"""Every other reason is 422."""
NOT_ACCEPTED = tuple(
    Declared(
        reason.value,
        STATUS_OF.get(reason, HTTPStatus.UNPROCESSABLE_ENTITY),
        message,
        ENGLISH[reason],
    )
    for reason, message in MESSAGES.items()
)


class TooManyMessages(Refusal):
    """A key sent more than it may in a minute; Retry-After says how many seconds to wait."""

    code = "TOO_MANY_MESSAGES"
    kind = Kind.TOO_MANY
    message = "送信が多すぎます。しばらくしてからもう一度送信してください。"
    english = "Too many messages: wait Retry-After seconds, then send the same again."


class Accepted(BaseModel):
    """The event is kept; `repeated` where the same message had been accepted before.

    `ignored` lists fields of the data that are unknown here, misspelt ones for example.
    """

    message_id: str
    repeated: bool
    ignored: list[str] = Field(default=[])


class BatchResult(BaseModel):
    """The result of one event of a batch: 202 with `accepted`, or another status with `problem`."""

    status: int
    accepted: Accepted | None = None
    problem: Problem | None = None


class BatchResults(BaseModel):
    """One result for each event of a batch, in its order."""

    results: list[BatchResult]


@router.post("", status_code=202, response_model=Accepted, openapi_extra=event_request())
@refuses(TooManyMessages, *NOT_ACCEPTED)
async def receive_event(dealer: DealerPath, request: Request, who: System) -> Response:
    """Accept one event of the key's dealer, or a batch by its media type, answered as one."""
    return await _receive(request, dealer, who)


@router.post(
    "/batch",
    status_code=202,
    response_model=BatchResults,
    openapi_extra=batch_request(),
    responses={207: {"model": BatchResults, "description": "Some events were refused."}},
)
@refuses(TooManyMessages, *NOT_ACCEPTED)
async def receive_event_batch(dealer: DealerPath, request: Request, who: System) -> Response:
    """Accept up to a hundred events, each with a result of its own: 207 if one was refused."""
    return await _receive(request, dealer, who)


async def _receive(request: Request, dealer: str, who: Principal) -> Response:
    arrival = await _message(request, dealer, who)
    try:
        parts = parts_of(arrival)
    except NotAccepted as refusal:
        if not (quota := _rate_limit(request).take(who.user_id)).allowed:
            return _too_many(request, quota)
        return _answer(await _put_aside(request, who, arrival, refusal), quota)
    quota = _rate_limit(request).take(who.user_id, max(1, len(parts)))
    if not quota.allowed:
        return _too_many(request, quota)
    outcomes = [await _outcome(request, who, part) for part in parts]
    if not is_batch(arrival):
        return _answer(outcomes[0], quota)
    refused = any(one.problem for one in outcomes)
    status = HTTPStatus.MULTI_STATUS if refused else HTTPStatus.ACCEPTED
    return _json(BatchResults(results=outcomes), status, quota)


async def _outcome(request: Request, who: Principal, arrival: InboundMessage) -> BatchResult:
    """Accept one message, in a transaction of its own."""
    now = clock_of(request).now()
    try:
        async with database_of(request).transaction(who.dealer) as tx:
            receipt = await accept(tx, arrival, now=now)
    except NotAccepted as refusal:
        return await _put_aside(request, who, arrival, refusal)
    accepted = Accepted(
        message_id=receipt.message_id, repeated=receipt.repeated, ignored=[*receipt.ignored]
    )
    return BatchResult(status=HTTPStatus.ACCEPTED, accepted=accepted)


async def _put_aside(
    request: Request, who: Principal, arrival: InboundMessage, refusal: NotAccepted
) -> BatchResult:
    """Quarantine a refused message, and describe what is wrong with it."""
    now = clock_of(request).now()
    async with database_of(request).transaction(who.dealer) as tx:
        kept = await quarantine_message(tx, arrival, refusal, now=now)
    english = prefers_english(request)
    status = STATUS_OF.get(refusal.reason, HTTPStatus.UNPROCESSABLE_ENTITY)
    described = problem_of(refusal, english=english) | {
        "status": int(status),
        "documentation": request.app.state.documentation_of(refusal.reason.value),
        "errors": [
            {
                "field": fault.attribute,
                "code": refusal.reason.value,
                "message": fault.expected.in_language(english=english),
            }
            for fault in refusal.faults
        ],
        "facts": {
            "detail": refusal.described(english=english),
            "quarantined_id": str(kept) if kept else None,
        },
    }
    return BatchResult(status=status, problem=Problem.model_validate(described))


async def _message(request: Request, dealer: str, who: Principal) -> InboundMessage:
    headers = {
        name: unquote(value) for name, value in request.headers.items() if name.startswith("ce-")
    }
    return InboundMessage(
        channel="https",
        sender=who.dealer,
        addressed=dealer,
        address=request.url.path,
        headers=headers,
        content_type=request.headers.get("content-type"),
        body=await _body(request),
    )


async def _body(request: Request) -> bytes:
    """The body, cut after the largest size; the rest is skipped, or never read."""
    body, size = bytearray(), 0
    async for chunk in request.stream():
        size += len(chunk)
        body += chunk[: LARGEST_BATCH + 1 - len(body)]
        if size > READ_AT_MOST:
            break
    return bytes(body)


def _rate_limit(request: Request) -> RateLimit:
    limit: RateLimit = request.app.state.rate_limit
    return limit


def _answer(outcome: BatchResult, quota: Quota) -> Response:
    if outcome.problem is not None:
        return problem(outcome.problem.model_dump(), quota.headers)
    assert outcome.accepted is not None
    return _json(outcome.accepted, HTTPStatus.ACCEPTED, quota)


def _json(body: BaseModel, status: HTTPStatus, quota: Quota) -> Response:
    return Response(body.model_dump_json(), status, quota.headers, "application/json")


def _too_many(request: Request, quota: Quota) -> Response:
    found = problem_of(TooManyMessages(), english=prefers_english(request))
    link = {"documentation": request.app.state.documentation_of(TooManyMessages.code)}
    return problem({**found, **link}, quota.headers)
