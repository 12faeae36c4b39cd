"""The messages with several events, for the AsyncAPI document: one channel per aggregate type."""

from typing import Any

from event_contracts import EVENTS, SUBSCRIPTIONS
from shared.event_batch import BATCH

TYPES = sorted({event.aggregate_type for event in EVENTS.values()})


def batch_channels() -> dict[str, Any]:
    """A channel for each aggregate type."""
    exchange = {"name": "events", "type": "topic", "durable": True}
    amqp = {"is": "routingKey", "exchange": exchange, "bindingVersion": "0.3.0"}
    return {
        address(t): {
            "address": address(t),
            "messages": {address(t): {"$ref": f"#/components/messages/{address(t)}"}},
            "bindings": {"amqp": amqp},
        }
        for t in TYPES
    }


def batch_operations() -> dict[str, Any]:
    """What each service receives."""
    return {
        f"{service}.receives.{address(stream)}": {
            "action": "receive",
            "channel": {"$ref": f"#/channels/{address(stream)}"},
            "summary": f"Under load the service {service} gets several events of {stream} at once.",
        }
        for service, streams in sorted(SUBSCRIPTIONS.items())
        for stream in sorted(streams)
        if stream in TYPES
    }


def batch_messages() -> dict[str, Any]:
    """The message of each aggregate type."""
    return {address(t): _message(t) for t in TYPES}


def address(aggregate_type: str) -> str:
    """The routing key of batches."""
    return f"{aggregate_type}.batch"


def _message(aggregate_type: str) -> dict[str, Any]:
    return {
        "name": address(aggregate_type),
        "title": f"Several events of {aggregate_type}",
        "summary": "The JSON batch format of CloudEvents: an aggregate's events are in order.",
        "contentType": BATCH,
        "headers": {
            "type": "object",
            "required": ["content-type"],
            "properties": {"content-type": {"const": BATCH}},
        },
        "payload": {
            "type": "array",
            "minItems": 2,
            "items": {"oneOf": [_item(name) for name in _events_of(aggregate_type)]},
        },
    }


def _events_of(aggregate_type: str) -> list[str]:
    return sorted(t for t, event in EVENTS.items() if event.aggregate_type == aggregate_type)


def _item(wire_type: str) -> dict[str, Any]:
    data = {"$ref": f"./schemas/{wire_type}.json"}
    own = {"properties": {"type": {"const": wire_type}, "data": data}}
    return {"allOf": [{"$ref": "#/components/schemas/event_in_batch"}, own]}


EVENT_IN_BATCH = {
    "type": "object",
    "required": ["specversion", "id", "source", "type", "time", "subject", "aggregatetype",
                 "sequence", "dealerid", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "format": "uuid"},
        "source": {"type": "string"},
        "type": {"type": "string"},
        "time": {"type": "string", "format": "date-time"},
        "subject": {"type": "string"},
        "aggregatetype": {"type": "string"},
        "sequence": {"type": "string", "pattern": "^[1-9][0-9]*$"},
        "dealerid": {"type": "string"},
        "data": {"type": "object"},
    },
}  # fmt: skip
"""The attributes of each event of a batch; `type` says which schema its `data` has."""
