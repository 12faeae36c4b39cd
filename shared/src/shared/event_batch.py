"""Event batches: several events of one aggregate type in one message, and what a message holds.

The JSON batch format of CloudEvents 1.0, `application/cloudevents-batch+json`: an array of events,
each an object of its attributes with the payload as `data`. The attributes are those of the binary
mode (envelope.py) without the prefix, and without `partitionkey`, which the others contain. Binary
messages, one event each, are read for ever; so is a single event in the JSON format.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from shared.envelope import JSON, OPTIONAL, Envelope, NotAnEvent, check_order, from_headers

BATCH = "application/cloudevents-batch+json"
STRUCTURED = "application/cloudevents+json"
BATCH_HEADERS = {"content-type": BATCH}
"""The header by which a batch is recognised, also where an operator replays a refused one."""

NUL = b"\\u0000"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What could not be read as an event: a whole message, or one event of a batch.

    Headers and body are those of a binary message, so that it can be read again alone.
    """

    reason: str
    headers: Mapping[str, object]
    body: bytes


def to_batch(events: Sequence[Envelope]) -> bytes:
    """The body of a message with these events, in their order; payloads are copied as they are."""
    return orjson.dumps([_attributes(event) for event in events])


def read_message(
    headers: Mapping[str, object], body: bytes
) -> tuple[list[Envelope], list[Unreadable]]:
    """The events of a message in any of the three forms, and what of it cannot be read."""
    form = str(headers.get("content-type", JSON)).partition(";")[0]
    try:
        if form == BATCH:
            return _from_batch(body)
        if form == STRUCTURED:
            item, strict = _parsed(body)
            return _from_items([item], strict=strict)
        return [from_headers(headers, body)], []
    except NotAnEvent as reason:
        return [], [Unreadable(str(reason), headers, body)]


def _attributes(event: Envelope) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": str(event.event_id),
        "source": event.source,
        "type": event.type,
        "time": event.occurred_at,
        "subject": event.aggregate_id,
        "aggregatetype": event.aggregate_type,
        "sequence": str(event.sequence),
        "dealerid": event.dealer_id,
        **{name: value for name in OPTIONAL if (value := event.headers.get(name))},
        "data": orjson.Fragment(event.payload),
    }


def _from_batch(body: bytes) -> tuple[list[Envelope], list[Unreadable]]:
    items, strict = _parsed(body)
    if not isinstance(items, list):
        raise NotAnEvent("the body is not an array of events")
    return _from_items(items, strict=strict)


def _parsed(body: bytes) -> tuple[Any, bool]:
    """The values of a body, and whether all are valid.

    What only the strict reader refuses is left to the one event that it stands in.
    """
    try:
        return orjson.loads(body), NUL not in body
    except orjson.JSONDecodeError as wrong:
        try:
            return json.loads(body), False
        except (ValueError, RecursionError):
            raise NotAnEvent(f"the body is not JSON: {wrong}") from wrong


def _from_items(items: Sequence[Any], *, strict: bool) -> tuple[list[Envelope], list[Unreadable]]:
    events: list[Envelope] = []
    unreadable: list[Unreadable] = []
    for item in items:
        try:
            events.append(_from_item(item if strict else _again(item)))
        except NotAnEvent as reason:
            unreadable.append(_alone(item, reason))
    return events, unreadable


def _again(item: Any) -> Any:
    """One event of a body that is not wholly valid, read strictly. Raises NotAnEvent."""
    text = json.dumps(item)
    if "\\u0000" in text:
        raise NotAnEvent("the event has a NUL character")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as wrong:
        raise NotAnEvent(f"the event is not JSON: {wrong}") from wrong


def _from_item(item: Any) -> Envelope:
    """One event of a batch. Raises NotAnEvent."""
    if not isinstance(item, dict) or item.get("specversion") != "1.0":
        raise NotAnEvent("specversion is not 1.0")
    if not isinstance(item.get("data"), dict):
        raise NotAnEvent("data is not a JSON object")
    try:
        event = Envelope(
            event_id=UUID(item["id"]),
            source=_text(item, "source"),
            type=_text(item, "type"),
            aggregate_type=_text(item, "aggregatetype"),
            aggregate_id=_text(item, "subject"),
            sequence=int(_text(item, "sequence")),
            dealer_id=_text(item, "dealerid"),
            occurred_at=datetime.fromisoformat(_text(item, "time")),
            payload=orjson.dumps(item["data"]),
            headers={name: str(item[name]) for name in OPTIONAL if name in item},
        )
    except KeyError as missing:
        raise NotAnEvent(f"{missing.args[0]} is missing") from missing
    except (ValueError, TypeError, AttributeError) as wrong:
        raise NotAnEvent(f"the event is malformed: {wrong}") from wrong
    check_order(event)
    if not str(item.get("datacontenttype", JSON)).startswith(JSON):
        raise NotAnEvent("data is not JSON")
    return event


def _text(item: Mapping[str, object], name: str) -> str:
    value = item[name]
    if not isinstance(value, str):
        raise NotAnEvent(f"{name} is not a string")
    return value


def _alone(item: Any, reason: NotAnEvent) -> Unreadable:
    """An event of a batch as a binary message of its own."""
    if not isinstance(item, dict):
        return Unreadable(str(reason), {}, json.dumps(item).encode())
    headers = {
        "content-type" if name == "datacontenttype" else f"ce-{name}": value
        for name, value in item.items()
        if name != "data" and value is not None
    }
    return Unreadable(str(reason), headers, json.dumps(item.get("data")).encode())
