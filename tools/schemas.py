"""`./dev schemas`: what the wire looks like, for readers who do not read Python.

Writes from the models of event_contracts: a JSON Schema per event type, the AsyncAPI 3 document,
docs/events.md, and a first example of each type that has none yet. `--check` fails where the
committed files differ, where an old example can no longer be read, or where a schema changed in a
way that breaks a reader or a writer of the published one: anything but adding optional fields is a
new version.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from event_contracts import EVENTS, EXAMPLES, SUBSCRIPTIONS, Event, read
from tools import asyncapi_ingress
from tools.event_docs import EVENTS_PAGE, events_page

HOME = Path(__file__).parent.parent / "contracts-schema"
SCHEMAS, ASYNCAPI = HOME / "schemas", HOME / "asyncapi.yaml"

PLACEHOLDERS: dict[str, object] = {
    "date": "2025-07-15",
    "date-time": "2025-07-15T01:00:00Z",
    "string": "text",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
}


def schema_of(event: type[Event]) -> dict[str, Any]:
    """The JSON Schema of an event's payload, as a reader may rely on it."""
    schema = event.model_json_schema(mode="serialization")
    schema = _open(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _open(node: Any) -> Any:
    """Readers ignore unknown fields, so the published schema does not forbid them."""
    if isinstance(node, dict):
        return {k: _open(v) for k, v in node.items() if k != "additionalProperties"}
    return [_open(item) for item in node] if isinstance(node, list) else node


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3 document: one channel per event type on the exchange, one queue a service."""
    types = sorted(EVENTS)
    streams = {t: EVENTS[t].aggregate_type for t in types}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Madoguchi domain events",
            "version": "1.0.0",
            "description": "CloudEvents 1.0, binary mode, headers with the prefix ce-.",
        },
        "defaultContentType": "application/json",
        "channels": {
            t: {
                "address": t,
                "messages": {t: {"$ref": f"#/components/messages/{t}"}},
                "bindings": {
                    "amqp": {
                        "is": "routingKey",
                        "exchange": {"name": "events", "type": "topic", "durable": True},
                        "bindingVersion": "0.3.0",
                    }
                },
            }
            for t in types
        }
        | asyncapi_ingress.channels(),
        "operations": {
            f"{service}.receives.{t}": {
                "action": "receive",
                "channel": {"$ref": f"#/channels/{t}"},
                "summary": f"The service {service} listens to all of {streams[t]}.",
            }
            for service, wanted in sorted(SUBSCRIPTIONS.items())
            for t in types
            if streams[t] in wanted
        }
        | asyncapi_ingress.operations(),
        "components": {
            "messages": {t: _message(EVENTS[t]) for t in types} | asyncapi_ingress.messages(),
            "securitySchemes": asyncapi_ingress.security_schemes(),
        },
    }


def _message(event: type[Event]) -> dict[str, Any]:
    return {
        "name": event.wire_type,
        "title": event.__name__,
        "summary": (event.__doc__ or "").strip().splitlines()[0],
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "required": ["ce-specversion", "ce-id", "ce-source", "ce-type", "ce-time",
                         "ce-subject", "ce-aggregatetype", "ce-sequence", "ce-dealerid"],
            "properties": {
                "ce-specversion": {"const": "1.0"},
                "ce-id": {"type": "string", "format": "uuid"},
                "ce-source": {"type": "string"},
                "ce-type": {"const": event.wire_type},
                "ce-time": {"type": "string", "format": "date-time"},
                "ce-subject": {"type": "string"},
                "ce-aggregatetype": {"const": event.aggregate_type},
                "ce-sequence": {"type": "string", "pattern": "^[1-9][0-9]*$"},
                "ce-dealerid": {"type": "string"},
            },
        },
        "payload": {"$ref": f"./schemas/{event.wire_type}.json"},
    }  # fmt: skip


def example_of(event: type[Event]) -> dict[str, Any]:
    """A first example: every field filled with the plainest value that its schema takes."""
    schema = event.model_json_schema(mode="serialization")
    return {name: _value(s, schema) for name, s in schema["properties"].items()}


def _value(node: dict[str, Any], root: dict[str, Any]) -> object:
    if "$ref" in node:
        return _value(root["$defs"][node["$ref"].rsplit("/", 1)[1]], root)
    if "anyOf" in node:
        return _value(node["anyOf"][0], root)
    if chosen := node.get("enum", [node.get("const")])[0]:
        return chosen
    if node.get("type") == "array":
        return [_value(node["items"], root)] if "items" in node else []
    if node.get("type") == "object":
        return {name: _value(s, root) for name, s in node.get("properties", {}).items()}
    return PLACEHOLDERS[node.get("format", node.get("type", "string"))]


def breaks(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """How a new schema breaks those who rely on the old one; empty if it does not."""
    faults = []
    before, after = old.get("properties", {}), new.get("properties", {})
    faults += [f"{name} is gone" for name in before if name not in after]
    faults += [
        f"{name} is newly required"
        for name in new.get("required", [])
        if name not in old.get("required", [])
    ]
    faults += [
        f"{name} is no longer always there"
        for name in old.get("required", [])
        if name not in new.get("required", []) and name in after
    ]
    faults += [
        f"{name} is of another type"
        for name, shape in before.items()
        if name in after and _shape(shape, old) != _shape(after[name], new)
    ]
    return faults  # fmt: skip


def _shape(node: Any, root: dict[str, Any]) -> Any:
    """A schema without its words, references resolved."""
    if isinstance(node, dict):
        if "$ref" in node:
            return _shape(root["$defs"][node["$ref"].rsplit("/", 1)[1]], root)
        words = {"title", "description", "default"}
        return {k: _shape(v, root) for k, v in sorted(node.items()) if k not in words}
    return [_shape(item, root) for item in node] if isinstance(node, list) else node


def rendered() -> dict[Path, str]:
    """Every generated file with its content."""
    files = {
        SCHEMAS / f"{t}.json": json.dumps(schema_of(e), indent=1, ensure_ascii=False) + "\n"
        for t, e in EVENTS.items()
    }
    files[ASYNCAPI] = yaml.safe_dump(asyncapi(), sort_keys=False, allow_unicode=True, width=100)
    files[EVENTS_PAGE] = events_page()
    return files


def write() -> None:
    """Write what is generated; examples are only ever added."""
    for wire_type, event in EVENTS.items():
        path = EXAMPLES / f"{wire_type}.1.json"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(example_of(event), indent=1) + "\n", encoding="utf-8")
    for path, content in rendered().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def faults(published: dict[str, dict[str, Any]]) -> list[str]:
    """What is wrong with the committed files, against the schemas `published` before."""
    found = [
        f"{path.name} is stale: run ./dev schemas"
        for path, content in rendered().items()
        if not path.exists() or path.read_text(encoding="utf-8") != content
    ]
    found += [
        f"{wire_type} has no example: run ./dev schemas"
        for wire_type in EVENTS
        if not list(EXAMPLES.glob(f"{wire_type}.*.json"))
    ]
    for path in sorted(EXAMPLES.glob("*.json")):
        wire_type = path.name.rsplit(".", 2)[0]
        try:
            read(wire_type, path.read_bytes())
        except (LookupError, ValueError) as cause:
            found.append(f"the example {path.name} cannot be read any more: {cause}")
    for wire_type, old in published.items():
        if wire_type not in EVENTS:
            found.append(f"{wire_type} was published and is gone")
        else:
            new = schema_of(EVENTS[wire_type])
            found += [f"{wire_type}: {fault}; make it a new version" for fault in breaks(old, new)]
    return found


def published_at(revision: str) -> dict[str, dict[str, Any]]:
    """The schemas as a git revision has them; nothing where there are none."""
    listed = _git("ls-tree", "--name-only", revision, "contracts-schema/schemas/")
    return {
        Path(name).stem: json.loads(_git("show", f"{revision}:{name}"))
        for name in listed.split()
        if name.endswith(".json")
    }


def _git(*words: str) -> str:
    done = subprocess.run(  # noqa: S603
        ["git", *words],  # noqa: S607
        cwd=HOME.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout if done.returncode == 0 else ""


def main() -> int:
    """The command; 1 if something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--against", default="HEAD", help="the revision that was published last")
    args = parser.parse_args()
    if not args.check:
        write()
        return 0
    found = faults(published_at(args.against))
    for fault in found:
        sys.stderr.write(fault + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
