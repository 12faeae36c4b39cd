"""Event envelope: a CloudEvents 1.0 message around a payload of event_contracts.

Binary mode: the attributes are message headers with the prefix `ce-`, the body is the payload.
Under load several events share one message (event_batch.py).
Extension attributes: `sequence` (contiguous per aggregate), `partitionkey` and `aggregatetype`
(which aggregate), `dealerid`, `traceparent`, `correlationid`, `causationid`, `actor`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import orjson

JSON = "application/json"
OPTIONAL = ("traceparent", "correlationid", "causationid", "actor")


class NotAnEvent(ValueError):
    """The message is not one of our CloudEvents; the text names the invalid attribute."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One event with everything needed to deliver it in order.

    `payload` is JSON text; `headers` holds the tracing attributes that are known.
    """

    event_id: UUID
    source: str
    type: str
    aggregate_type: str
    aggregate_id: str
    sequence: int
    dealer_id: str
    occurred_at: datetime
    payload: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def stream(self) -> str:
        """The key of the event's aggregate, unique over all sources."""
        return f"{self.source}/{self.aggregate_type}/{self.aggregate_id}"


def to_headers(event: Envelope) -> dict[str, str]:
    """The CloudEvents binary-mode headers of an event."""
    headers = {
        "ce-specversion": "1.0",
        "ce-id": str(event.event_id),
        "ce-source": event.source,
        "ce-type": event.type,
        "ce-time": event.occurred_at.isoformat(),
        "ce-subject": event.aggregate_id,
        "ce-aggregatetype": event.aggregate_type,
        "ce-partitionkey": event.stream,
        "ce-sequence": str(event.sequence),
        "ce-dealerid": event.dealer_id,
    }
    for name in OPTIONAL:
        if value := event.headers.get(name):
            headers[f"ce-{name}"] = value
    return headers


def from_headers(headers: Mapping[str, object], body: bytes) -> Envelope:
    """The event in a binary-mode message. Raises NotAnEvent."""
    text = {key: _text(value) for key, value in headers.items()}
    if text.get("ce-specversion") != "1.0":
        raise NotAnEvent("ce-specversion is not 1.0")
    try:
        event = Envelope(
            event_id=UUID(text["ce-id"]),
            source=text["ce-source"],
            type=text["ce-type"],
            aggregate_type=text["ce-aggregatetype"],
            aggregate_id=text["ce-subject"],
            sequence=int(text["ce-sequence"]),
            dealer_id=text["ce-dealerid"],
            occurred_at=datetime.fromisoformat(text["ce-time"]),
            payload=body,
            headers={name: text[f"ce-{name}"] for name in OPTIONAL if f"ce-{name}" in text},
        )
    except KeyError as missing:
        raise NotAnEvent(f"{missing.args[0]} is missing") from missing
    except ValueError as wrong:
        raise NotAnEvent(f"an attribute is malformed: {wrong}") from wrong
    _check(event, text.get("content-type", JSON))
    return event


def check_order(event: Envelope) -> None:
    """Whether an event's place among the others is known. Raises NotAnEvent."""
    if event.sequence < 1:
        raise NotAnEvent("ce-sequence is below 1")
    if event.occurred_at.tzinfo is None:
        raise NotAnEvent("ce-time has no time zone")


def _check(event: Envelope, content_type: str) -> None:
    check_order(event)
    if not content_type.startswith(JSON):
        raise NotAnEvent("the body is not JSON")
    try:
        payload = orjson.loads(event.payload)
    except orjson.JSONDecodeError as wrong:
        raise NotAnEvent(f"the body is not JSON: {wrong}") from wrong
    if not isinstance(payload, dict):
        raise NotAnEvent("the body is not a JSON object")
    if b"\\u0000" in event.payload:
        raise NotAnEvent("the body has a NUL character")


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
