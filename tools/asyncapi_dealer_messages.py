"""AsyncAPI channels of dealer messages: how dealers' systems send events over AMQP and HTTPS."""

from typing import Any

from event_contracts import EVENTS
from event_contracts.dealer import DealerEvent

TYPES = {name: event for name, event in EVENTS.items() if issubclass(event, DealerEvent)}
DEALER = {"description": "The dealer's own code, the same as `dealer_id` in the payload."}
HEADERS = ("ce-specversion", "ce-id", "ce-source", "ce-type", "ce-time")


def topic(wire_type: str) -> str:
    """The last part of a routing key: the type without its first word and version."""
    return wire_type.removeprefix("dealer.").rpartition(".")[0]


def channels() -> dict[str, Any]:
    """The channels over AMQP and over HTTPS."""
    messages = {t: {"$ref": f"#/components/messages/ingress.{t}"} for t in TYPES}
    return {
        "dealerIngress": {
            "address": "dealer.{dealer}.{event}",
            "description": "Each dealer publishes to its own exchange, with its user's name as"
            " user_id; the broker refuses any other exchange, routing key and name.",
            "parameters": {
                "dealer": DEALER,
                "event": {"enum": sorted(topic(t) for t in TYPES)},
            },
            "messages": messages,
            "bindings": {
                "amqp": {
                    "is": "routingKey",
                    "exchange": {"name": "ingress.{dealer}", "type": "topic", "durable": True},
                    "bindingVersion": "0.3.0",
                }
            },
        },
        "dealerIngressHttps": {
            "address": "/api/interchange/v1/dealers/{dealer}/events",
            "description": "The HTTP binding of CloudEvents; 202 means that the event is stored.",
            "parameters": {"dealer": DEALER},
            "messages": messages,
        },
    }


def operations() -> dict[str, Any]:
    """The receiving operations, and the sender's authentication."""
    return {
        "interchange.receives.amqp": {
            "action": "receive",
            "channel": {"$ref": "#/channels/dealerIngress"},
            "summary": "The interchange service validates messages of dealers' systems over AMQP.",
            "security": [{"$ref": "#/components/securitySchemes/dealerUser"}],
        },
        "interchange.receives.https": {
            "action": "receive",
            "channel": {"$ref": "#/channels/dealerIngressHttps"},
            "summary": "The interchange service validates messages of dealers' systems over HTTPS.",
            "security": [{"$ref": "#/components/securitySchemes/dealerKey"}],
            "bindings": {"http": {"method": "POST", "bindingVersion": "0.3.0"}},
        },
    }


def security_schemes() -> dict[str, Any]:
    """A broker user, or an API key."""
    return {
        "dealerUser": {
            "type": "userPassword",
            "description": "The user dealer-<code>; user_id of every message is this name.",
        },
        "dealerKey": {
            "type": "http",
            "scheme": "bearer",
            "description": "Authorization: Bearer mdk_<key id>_<secret>",
        },
    }


def messages() -> dict[str, Any]:
    """The messages of dealers' systems; with fewer headers, as the rest is added on receipt."""
    return {f"ingress.{t}": _message(event) for t, event in TYPES.items()}


def _message(event: type[DealerEvent]) -> dict[str, Any]:
    return {
        "name": event.wire_type,
        "title": f"{event.__name__} of a dealer's system",
        "summary": (event.__doc__ or "").strip().splitlines()[0],
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "required": list(HEADERS),
            "properties": {
                "ce-specversion": {"const": "1.0"},
                "ce-id": {"type": "string", "minLength": 1, "maxLength": 200},
                "ce-source": {"type": "string"},
                "ce-type": {"const": event.wire_type},
                "ce-time": {"type": "string", "format": "date-time"},
            },
        },
        "payload": {"$ref": f"./schemas/{event.wire_type}.json"},
    }
