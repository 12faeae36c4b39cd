"""Requests with events, as OpenAPI describes them: every type in each of the three modes.

In binary mode the attributes are `ce-` headers and the body is the data; in structured mode the
body is the whole event, in batched mode an array of events.
"""

from event_contracts import EXAMPLES
from event_contracts.examples_of import newest_example
from event_contracts.sender_schema import DEALER_EVENTS, sender_schema
from interchange_service.rules.cloud_event import BATCHED, LONGEST_SOURCE, MOST_IN_BATCH, STRUCTURED
from interchange_service.rules.message_checks import LONGEST_ID
from shared.openapi import Json

REF = "#/components/schemas/"
ID = {"type": "string", "minLength": 1, "maxLength": LONGEST_ID}
SOURCE = {"type": "string", "minLength": 1, "maxLength": LONGEST_SOURCE}
TIME = {"type": "string", "format": "date-time"}
DESCRIPTIONS = {
    "specversion": "always 1.0",
    "id": "yours, unique within the dealer, the same at every try",
    "source": "which of your systems sends",
    "type": "what happened",
    "time": "when it happened, RFC 3339 with an offset",
}


def attributes() -> Json:
    """The required attributes of a CloudEvent with their schemas."""
    types = {"type": "string", "enum": [*DEALER_EVENTS]}
    version = {"type": "string", "enum": ["1.0"]}
    return {"specversion": version, "id": ID, "source": SOURCE, "type": types, "time": TIME}


def data_name(wire_type: str) -> str:
    """The name of the schema of an event's data."""
    return f"{DEALER_EVENTS[wire_type].__name__}Data"


def event_name(wire_type: str) -> str:
    """The name of the schema of a whole event."""
    return f"{DEALER_EVENTS[wire_type].__name__}Event"


def example(wire_type: str, dealer: str = "D01") -> Json:
    """A whole event; its time is long ago, and must be yours."""
    data = newest_example(EXAMPLES, wire_type)
    return {
        "specversion": "1.0",
        "id": f"example-{wire_type.split('.')[1]}-1",
        "source": f"/dealers/{dealer}/dms",
        "type": wire_type,
        "time": "2025-07-14T16:20:00+09:00",
        "datacontenttype": "application/json",
        "data": {**data, "dealer_id": dealer},
    }


def event_schemas() -> dict[str, Json]:
    """The schemas of all data and of all events, by name."""
    found: dict[str, Json] = {}
    for wire_type in DEALER_EVENTS:
        data = {name: value for name, value in sender_schema(wire_type).items() if name[0] != "$"}
        found[data_name(wire_type)] = {**data, "title": data_name(wire_type)}
        known = attributes() | {"type": {"type": "string", "enum": [wire_type]}}
        found[event_name(wire_type)] = {
            "title": event_name(wire_type),
            "type": "object",
            "description": data.get("description", ""),
            "required": [*known, "data"],
            "properties": {
                **{name: {**shape, "description": DESCRIPTIONS[name]}
                   for name, shape in known.items()},
                "datacontenttype": {"type": "string", "description": "application/json"},
                "data": {"$ref": f"{REF}{data_name(wire_type)}"},
            },
        }  # fmt: skip
    found["DealerEvent"] = {
        "title": "DealerEvent",
        "oneOf": [{"$ref": f"{REF}{event_name(t)}"} for t in DEALER_EVENTS],
        "discriminator": {
            "propertyName": "type",
            "mapping": {t: f"{REF}{event_name(t)}" for t in DEALER_EVENTS},
        },
    }
    return found


def _header(name: str, shape: Json) -> Json:
    """A header; generators know no instants in headers, so that its time is plain text."""
    words = f"In binary mode (required there): {DESCRIPTIONS[name]}."
    return {"name": f"ce-{name}", "in": "header", "required": False, "description": words,
            "schema": {k: v for k, v in shape.items() if k != "format"}}  # fmt: skip


def event_request() -> Json:
    """Headers and body of a request; its schemas are named in `event_schemas`."""
    one = {t: {"value": example(t)} for t in DEALER_EVENTS}
    data = {t: {"value": example(t)["data"]} for t in DEALER_EVENTS}
    return {
        "parameters": [_header(name, shape) for name, shape in attributes().items()],
        "requestBody": {
            "required": True,
            "content": {
                STRUCTURED: {"schema": {"$ref": f"{REF}DealerEvent"}, "examples": one},
                "application/json": {
                    "schema": {"anyOf": [{"$ref": f"{REF}{data_name(t)}"} for t in DEALER_EVENTS]},
                    "examples": data,
                },
            },
        },
    }


def batch_request() -> Json:
    """The body of a batch."""
    items = {"$ref": f"{REF}DealerEvent"}
    content = {
        "schema": {"type": "array", "maxItems": MOST_IN_BATCH, "items": items},
        "example": [example(t) for t in list(DEALER_EVENTS)[:2]],
    }
    return {"requestBody": {"required": True, "content": {BATCHED: content}}}
