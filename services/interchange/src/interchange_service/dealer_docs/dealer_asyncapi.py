"""AsyncAPI of what dealers' systems use over AMQP and HTTPS, complete in one document."""

from event_contracts.sender_schema import DEALER_EVENTS
from interchange_service.dealer_docs.event_requests import (
    attributes,
    data_name,
    event_schemas,
    example,
)
from interchange_service.dealer_docs.webhook_schemas import (
    PING_TYPE,
    STEP_EXAMPLE,
    TYPES,
    header_schemas,
    message_name,
    message_schemas,
)
from shared.openapi import Json

DEALER = {"description": "The dealer's own code, the same as dealer_id in the data."}
USER = {
    "type": "userPassword",
    "description": "The user dealer-<code>; user_id of every message is this name.",
}
KEY = {"type": "http", "scheme": "bearer", "description": "Authorization: Bearer mdk_<id>_<secret>"}


def topic(wire_type: str) -> str:
    """The last part of a routing key: the type without its first word and version."""
    return wire_type.removeprefix("dealer.").rpartition(".")[0]


def dealer_asyncapi() -> Json:
    """The document: sending over AMQP or HTTPS, and webhooks."""
    schemas = {k: v for k, v in event_schemas().items() if k.endswith("Data")}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Madoguchi for dealers' systems",
            "version": "1.0.0",
            "description": "CloudEvents 1.0 to Madoguchi, and signed webhooks from it.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "amqp": {
                "host": "{host}:5671",
                "protocol": "amqps",
                "variables": {"host": {"description": "the broker of your installation"}},
                "security": [{"$ref": "#/components/securitySchemes/dealerUser"}],
            },
            "https": {
                "host": "{host}",
                "protocol": "https",
                "variables": {"host": {"description": "the address of your installation"}},
                "security": [{"$ref": "#/components/securitySchemes/dealerKey"}],
            },
        },
        "channels": _channels(),
        "operations": _operations(),
        "components": {
            "messages": _sent() | _received(),
            "schemas": schemas | message_schemas(),
            "securitySchemes": {"dealerUser": USER, "dealerKey": KEY},
        },
    }


def _channels() -> Json:
    sent = {t: {"$ref": f"#/components/messages/{t}"} for t in DEALER_EVENTS}
    received = {t: {"$ref": f"#/components/messages/{t}"} for t in (*TYPES, PING_TYPE)}
    topics = {"enum": sorted(topic(t) for t in DEALER_EVENTS)}
    exchange = {"name": "ingress.{dealer}", "type": "topic", "durable": True}
    amqp = {"is": "routingKey", "exchange": exchange, "bindingVersion": "0.3.0"}
    return {
        "amqp": {
            "address": "dealer.{dealer}.{event}",
            "description": "Publish to the exchange ingress.<dealer>, with user_id dealer-<dealer>,"
            " persistent and mandatory, and wait for the confirm.",
            "servers": [{"$ref": "#/servers/amqp"}],
            "parameters": {"dealer": DEALER, "event": topics},
            "messages": sent,
            "bindings": {"amqp": amqp},
        },
        "https": {
            "address": "/api/interchange/v1/dealers/{dealer}/events",
            "description": "202 means that the event is stored.",
            "servers": [{"$ref": "#/servers/https"}],
            "parameters": {"dealer": DEALER},
            "messages": sent,
        },
        "webhook": {
            "address": "/",
            "description": "Your own endpoint, at the URL that you registered.",
            "messages": received,
        },
    }


def _operations() -> Json:
    http = {"http": {"method": "POST", "bindingVersion": "0.3.0"}}
    return {
        "sendOverAmqp": {
            "action": "send",
            "channel": {"$ref": "#/channels/amqp"},
            "bindings": {
                "amqp": {
                    "userId": "dealer-{dealer}",
                    "deliveryMode": 2,
                    "mandatory": True,
                    "bindingVersion": "0.3.0",
                }
            },
        },
        "sendOverHttps": {
            "action": "send",
            "channel": {"$ref": "#/channels/https"},
            "bindings": http,
        },
        "receiveWebhook": {
            "action": "receive",
            "channel": {"$ref": "#/channels/webhook"},
            "bindings": http,
        },
    }


def _sent() -> Json:
    return {
        t: {
            "name": t,
            "title": event.__name__,
            "summary": (event.__doc__ or "").strip().splitlines()[0],
            "contentType": "application/json",
            "headers": _headers({f"ce-{name}": shape for name, shape in attributes().items()}
                                | {"ce-type": {"type": "string", "enum": [t]}}),
            "payload": {"$ref": f"#/components/schemas/{data_name(t)}"},
            "examples": [_example(t)],
        }
        for t, event in DEALER_EVENTS.items()
    }  # fmt: skip


def _example(wire_type: str) -> Json:
    whole = example(wire_type)
    headers = {f"ce-{name}": whole[name] for name in attributes()}
    return {"headers": headers, "payload": whole["data"]}


def _received() -> Json:
    headers = _headers(header_schemas())
    return {
        t: {
            "name": t,
            "title": message_name(t),
            "summary": TYPES.get(t, "A test."),
            "contentType": "application/cloudevents+json",
            "headers": headers,
            "payload": {"$ref": f"#/components/schemas/{message_name(t)}"},
            "examples": [{"payload": _webhook_example(t)}],
        }
        for t in (*TYPES, PING_TYPE)
    }


def _webhook_example(wire_type: str) -> Json:
    return {
        "specversion": "1.0",
        "id": "01a2041a-abc4-72a2-80ad-b73dda59c6cf",
        "source": "/madoguchi/returns",
        "type": wire_type,
        "time": "2025-07-15T01:00:00Z",
        "datacontenttype": "application/json",
        "data": {"message": "Madoguchi からのテスト送信です。"}
        if wire_type == PING_TYPE
        else STEP_EXAMPLE,
    }


def _headers(properties: Json) -> Json:
    return {"type": "object", "required": [*properties], "properties": properties}
