"""JSON Schemas for dealers' systems: what they may send, with every limit.

The schemas of `contracts-schema/schemas` promise readers what an event has; these say what a
sender has to give: fields with a default may be missing, and texts, numbers and dates have limits.
Unknown fields are allowed and ignored.
"""

from functools import cache

from pydantic.json_schema import JsonSchemaValue

from event_contracts.dealer import DealerEvent
from event_contracts.registry import EVENTS

DEALER_EVENTS: dict[str, type[DealerEvent]] = {
    name: event for name, event in EVENTS.items() if issubclass(event, DealerEvent)
}


@cache
def sender_schema(wire_type: str) -> JsonSchemaValue:
    """The JSON Schema of the data of an event that a dealer's system sends."""
    schema = DEALER_EVENTS[wire_type].model_json_schema(mode="validation")
    schema.pop("additionalProperties", None)
    for field in schema["properties"].values():  # generators take a default for a promise
        field.pop("default", None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
