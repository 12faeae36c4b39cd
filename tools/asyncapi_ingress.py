"""Where do dealers' systems send? Their channels in the AsyncAPI document, by AMQP and by HTTPS."""

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
    """The two ways in."""
    messages = {t: {"$ref": f"#/components/messages/ingress.{t}"} for t in TYPES}
    return {
        "dealerIngress": {
            "address": "dealer.{dealer}.{event}",
            "description": "Each dealer publishes to an exchange of its own, with its user's name"
            " as user_id; the broker refuses every other exchange, routing key and name.",
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
            "description": "The HTTP binding of CloudEvents; answered 202 when the event is kept.",
            "parameters": {"dealer": DEALER},
            "messages": messages,
        },
    }


def operations() -> dict[str, Any]:
    """Who receives there, and what the sender must prove."""
    return {
        "interchange.receives.amqp": {
            "action": "receive",
            "channel": {"$ref": "#/channels/dealerIngress"},
            "summary": "The service interchange judges what dealers' systems tell by AMQP.",
            "security": [{"$ref": "#/components/securitySchemes/dealerUser"}],
        },
        "interchange.receives.https": {
            "action": "receive",
            "channel": {"$ref": "#/channels/dealerIngressHttps"},
            "summary": "The service interchange judges what dealers' systems tell by HTTPS.",
            "security": [{"$ref": "#/components/securitySchemes/dealerKey"}],
            "bindings": {"http": {"method": "POST", "bindingVersion": "0.3.0"}},
        },
    }


def security_schemes() -> dict[str, Any]:
    """A user of the broker, or a key."""
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
    """What a dealer's system must say: fewer headers than ours, which we add ourselves."""
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
