"""Event documentation for people: docs/events.md, from the models of event_contracts.

`./dev schemas` writes it beside the JSON Schemas and the AsyncAPI document.
"""

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from event_contracts import EVENTS, EXAMPLES, SUBSCRIPTIONS, Event
from event_contracts.examples_of import newest_example
from event_contracts.registry import STREAMS
from madoguchi.services import SERVICES
from shared.worker import Handler

HOME = Path(__file__).parent.parent
EVENTS_PAGE = HOME / "docs" / "events.md"
HEAD = """# Events

Every event that crosses a service boundary: CloudEvents 1.0, the payload as JSON. Written by
`./dev schemas` from the models in `contracts-schema`; the same as JSON Schema in
[contracts-schema/schemas](../contracts-schema/schemas) and as
[AsyncAPI](../contracts-schema/asyncapi.yaml). Readers ignore unknown fields; new fields may be
added at any time, and any other change is a new version with its own type name. How a dealer's
system sends events: [integration.en.md](integration.en.md).

Between services an event is a binary message with `ce-` headers and its type as routing key. When
several of one aggregate type wait, they share a message in the JSON batch format
(`application/cloudevents-batch+json`, routing key `contract.batch`, for example):
[ADR 29](adr/0029-several-events-share-a-message-under-load.md).
"""


def events_page() -> str:
    """The whole page."""
    parts = [HEAD, _deliveries()]
    for stream in STREAMS:
        own = [event for event in EVENTS.values() if event.__module__ == stream.__name__]
        if own:
            parts.append(f"## {stream.__name__.rpartition('.')[2]}\n\n{inspect.getdoc(stream)}\n")
            parts += ["\n".join(_of(event)) for event in own]
    return "\n".join(parts)


def _deliveries() -> str:
    """The streams that each service receives."""
    lines = [f"| {name} | {', '.join(streams)} |" for name, streams in SUBSCRIPTIONS.items()]
    table = "\n".join(["| service | receives the streams |", "|---|---|", *lines])
    intro = "A service receives whole streams, so that it notices a gap in an aggregate's numbers:"
    return f"{intro}\n\n{table}\n"


def _of(event: type[Event]) -> Iterator[str]:
    schema = event.model_json_schema(mode="serialization")
    yield f"### {event.wire_type}\n"
    yield f"{(inspect.getdoc(event) or '').splitlines()[0]} {_consumers(event)}\n"
    yield "| field | type | always there |"
    yield "|---|---|---|"
    required = schema.get("required", ())
    for name, shape in schema["properties"].items():
        yield f"| `{name}` | {_type(shape, schema)} | {'yes' if name in required else 'no'} |"
    example = newest_example(EXAMPLES, event.wire_type)
    yield f"\n```json\n{json.dumps(example, ensure_ascii=False)}\n```\n"


def _consumers(event: type[Event]) -> str:
    """The services that act on an event, each with its function; others only keep the order."""
    found = [
        f"{name} ([{handler.__name__}](../{_path(handler)}))"
        for name, app in SERVICES.items()
        if event.aggregate_type in SUBSCRIPTIONS[name]
        and (handler := app.SERVICE.subscribers.handlers.get(event.wire_type))
    ]
    return f"Handled by {', '.join(found)}." if found else "Handled by no service."


def _path(function: Handler) -> str:
    return str(Path(inspect.getfile(inspect.unwrap(function))).relative_to(HOME))


def _type(shape: dict[str, Any], root: dict[str, Any]) -> str:
    """A short name of a field's type."""
    if "$ref" in shape:
        return _type(root["$defs"][shape["$ref"].rsplit("/", 1)[1]], root)
    if "anyOf" in shape:
        return " or ".join(_type(each, root) for each in shape["anyOf"])
    if "enum" in shape or "const" in shape:
        words = shape.get("enum", [shape.get("const")])
        return ", ".join(f"`{word}`" for word in words)
    if shape.get("type") == "array":
        return f"list of {_type(shape['items'], root)}" if "items" in shape else "list"
    if shape.get("type") == "object" and "properties" in shape:
        inner = "; ".join(
            f"`{name}` {_type(each, root)}" for name, each in shape["properties"].items()
        )
        return f"object: {inner}"
    return str(shape.get("format", shape.get("type", "anything")))
