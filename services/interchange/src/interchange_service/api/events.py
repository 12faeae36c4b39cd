"""Events API: a dealer's system sends CloudEvents by HTTPS.

One message per request, in binary or structured mode. The answer comes when the event is committed;
a refused message is quarantined first, and the answer names the reason and the quarantine id.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated
from urllib.parse import unquote

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel

from interchange_service.actions.accept_message import accept, quarantine_message
from interchange_service.api.rate_limit import RateLimit
from interchange_service.rules.message_checks import (
    LARGEST_BODY,
    MESSAGES,
    InboundMessage,
    NotAccepted,
    Reason,
)
from shared.auth import Principal, Role, require
from shared.errors import Kind, Refusal, problem_of
from shared.http import clock_of, database_of, problem
from shared.refusals import Declared, refuses

router = APIRouter(prefix="/dealers/{dealer}/events")
System = Annotated[Principal, require(Role.DEALER_SYSTEM)]

READ_AT_MOST = 1024 * 1024
"""A message that is too large is read up to this size, so that the client reads the answer."""
STATUS_OF: Mapping[Reason, HTTPStatus] = {
    Reason.SENDER_UNKNOWN: HTTPStatus.FORBIDDEN,
    Reason.ADDRESS_OF_ANOTHER: HTTPStatus.FORBIDDEN,
    Reason.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Reason.MESSAGE_ID_REUSED: HTTPStatus.CONFLICT,
}
"""Every other reason is 422."""

EVENT_DATA = {"dealer_id": "D01", "source_id": "R-1001", "received_on": "2025-07-14"}
EVENT_BODY: dict[str, object] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "object"}, "example": EVENT_DATA},
            "application/cloudevents+json": {
                "schema": {"type": "object", "required": ["specversion", "id", "source", "type"]},
                "example": {
                    "specversion": "1.0",
                    "id": "returned-R-1001",
                    "source": "/dealers/D01/dms",
                    "type": "dealer.vehicle_returned.v1",
                    "time": "2025-07-14T16:20:00+09:00",
                    "data": EVENT_DATA,
                },
            },
        },
    }
}
NOT_ACCEPTED = tuple(
    Declared(reason.value, STATUS_OF.get(reason, HTTPStatus.UNPROCESSABLE_ENTITY), message)
    for reason, message in MESSAGES.items()
)


class TooManyMessages(Refusal):
    """A key sent more than it may in a minute; Retry-After says how many seconds to wait."""

    code = "TOO_MANY_MESSAGES"
    kind = Kind.TOO_MANY
    message = "送信が多すぎます。しばらくしてからもう一度送信してください。"


class Accepted(BaseModel):
    """The event is kept; `repeated` where the same message had been accepted before."""

    message_id: str
    repeated: bool


@router.post("", status_code=202, response_model=Accepted, openapi_extra=EVENT_BODY)
@refuses(TooManyMessages, *NOT_ACCEPTED)
async def receive_event(
    dealer: Annotated[str, Path(max_length=100)], request: Request, who: System
) -> Accepted | Response:
    """Accept one event of the key's dealer. Raises NotAccepted, after the message is put aside."""
    if wait_s := _rate_limit(request).wait_s(who.user_id):
        return _too_many(wait_s)
    arrival = await _message(request, dealer, who)
    database, now = database_of(request), clock_of(request).now()
    try:
        async with database.transaction(who.dealer) as tx:
            receipt = await accept(tx, arrival, now=now)
    except NotAccepted as refusal:
        async with database.transaction(who.dealer) as tx:
            kept = await quarantine_message(tx, arrival, refusal, now=now)
        return _refused(refusal, str(kept) if kept else None)
    return Accepted(message_id=receipt.message_id, repeated=receipt.repeated)


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
        body += chunk[: LARGEST_BODY + 1 - len(body)]
        if size > READ_AT_MOST:
            break
    return bytes(body)


def _rate_limit(request: Request) -> RateLimit:
    limit: RateLimit = request.app.state.rate_limit
    return limit


def _refused(refusal: NotAccepted, quarantined_id: str | None) -> Response:
    described = problem_of(refusal)
    facts = {**refusal.facts, "quarantined_id": quarantined_id}
    status = STATUS_OF.get(refusal.reason, HTTPStatus.UNPROCESSABLE_ENTITY)
    return problem({**described, "status": int(status), "facts": facts})


def _too_many(wait_s: int) -> Response:
    answer = problem(problem_of(TooManyMessages()))
    answer.headers["retry-after"] = str(wait_s)
    return answer
