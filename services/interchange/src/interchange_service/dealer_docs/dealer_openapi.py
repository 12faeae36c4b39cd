"""OpenAPI of what dealers' systems use: sending events, registering webhooks, receiving them.

Cut from the document of the whole service, so that it cannot differ from it, and complete in
itself: a client generated from it sends, registers and reads.
"""

from collections.abc import Iterator

from interchange_service.dealer_docs.webhook_schemas import (
    PING_TYPE,
    TYPES,
    header_schemas,
    message_name,
    message_schemas,
)
from shared.openapi import DEALER_KEY, SECURITY, Json
from shared.roles import Role

PREFIX = "#/components/"
DESCRIPTION = """\
Send events to Madoguchi as CloudEvents 1.0, and receive signed webhooks from it.
`code` in a refusal is stable; `errors` names each wrong attribute with what was expected, in
English with `Accept-Language: en`. Repeat a message with the same id after no answer, 429 or 5xx.
"""


def dealer_openapi(whole: Json, server: str = "/") -> Json:
    """The document for dealers, from the one of the service."""
    paths = {
        path: {
            method: {**operation, "security": [{DEALER_KEY: []}]}
            for method, operation in methods.items()
            if Role.DEALER_SYSTEM in operation.get("x-roles", ())
        }
        for path, methods in whole["paths"].items()
    }
    document: Json = {
        "openapi": whole["openapi"],
        "info": {
            "title": "Madoguchi for dealers' systems",
            "version": "1",
            "description": DESCRIPTION,
        },
        "servers": [{"url": server, "description": "the address of your installation"}],
        "security": [{DEALER_KEY: []}],
        "paths": {path: methods for path, methods in paths.items() if methods},
        "webhooks": _webhooks(),
        "components": {"securitySchemes": {DEALER_KEY: SECURITY[DEALER_KEY]}},
    }
    return _with_components(document, whole)


def _webhooks() -> Json:
    """One webhook for each message, named by its type."""
    return {
        wire_type: {
            "post": {
                "operationId": f"receive_{message_name(wire_type).removeprefix('Webhook').lower()}",
                "summary": TYPES.get(wire_type, "A test."),
                "parameters": [
                    {"name": name, "in": "header", "required": True, "schema": shape}
                    for name, shape in header_schemas().items()
                ],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/cloudevents+json": {
                            "schema": {"$ref": f"{PREFIX}schemas/{message_name(wire_type)}"}
                        }
                    },
                },
                "security": [],
                "responses": {
                    "200": {"description": "Received: answer within 10 seconds."},
                    "410": {"description": "Gone: the endpoint is stopped."},
                },
            }
        }
        for wire_type in (*TYPES, PING_TYPE)
    }


def _with_components(document: Json, whole: Json) -> Json:
    """The document with every component that it refers to, and no other."""
    known = {**whole["components"]["schemas"], **message_schemas()}
    sources = {"schemas": known, "examples": whole["components"].get("examples", {})}
    waiting, seen = [*_references(document)], set[str]()
    while waiting:
        reference = waiting.pop()
        if reference in seen:
            continue
        seen.add(reference)
        kind, name = reference.removeprefix(PREFIX).split("/")
        component = _without_null_defaults(sources[kind][name])
        document["components"].setdefault(kind, {})[name] = component
        waiting += _references(component)
    for kind in sources:
        document["components"][kind] = dict(sorted(document["components"][kind].items()))
    return document


def _without_null_defaults(node: object) -> object:
    """The same without `default: null`, which generators take for a field that must be there."""
    if isinstance(node, dict):
        return {
            key: _without_null_defaults(value)
            for key, value in node.items()
            if key != "default" or value is not None
        }
    return [_without_null_defaults(one) for one in node] if isinstance(node, list) else node


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(reference := node.get("$ref"), str):
            yield reference
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)
