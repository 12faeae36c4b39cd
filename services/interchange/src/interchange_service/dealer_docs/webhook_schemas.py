"""Webhooks as OpenAPI and AsyncAPI describe them: each message that an endpoint receives."""

from interchange_service.rules.webhooks import PING, STATUS_NAMES, EventFilter
from interchange_service.webhook_messages import SOURCE
from shared.openapi import Json

TEXT = {"type": "string"}
AN_ID = {"type": "string", "format": "uuid"}
AT = {"type": "string", "format": "date-time"}
SUMMARIES = {
    EventFilter.STATUS_CHANGED: "The status of an application has changed.",
    EventFilter.COMPLETED: "An application is complete.",
    EventFilter.REMANDED: "An application was sent back; status is the one after that.",
    EventFilter.WITHDRAWN: "An application was withdrawn.",
}
TYPES = {f"madoguchi.return.{kind}.v1": words for kind, words in SUMMARIES.items()}
PING_TYPE = f"madoguchi.{PING}.v1"
STEP_EXAMPLE = {
    "application_id": "A1",
    "contract_no": "12345678",
    "dealer_id": "D01",
    "status": "HQ_PENDING",
    "status_japanese": "本部承認者手続中",
    "version": 3,
    "occurred_at": "2025-07-15T01:00:00+00:00",
}


def message_name(wire_type: str) -> str:
    """The name of a message's schema: WebhookReturnCompleted."""
    words = wire_type.removeprefix("madoguchi.").rpartition(".")[0].replace(".", "_").split("_")
    return "Webhook" + "".join(word.capitalize() for word in words)


def header_schemas() -> dict[str, Json]:
    """The headers by which a message is verified (Standard Webhooks)."""
    return {
        "webhook-id": {**AN_ID, "description": "the same at every try: ignore what you have"},
        "webhook-timestamp": {"type": "string", "description": "seconds since 1970, at this try"},
        "webhook-signature": {"type": "string", "description": "v1,<base64>, two in a rotation"},
    }


def message_schemas() -> dict[str, Json]:
    """The schemas of all messages by name; unknown fields may be added."""
    step = {
        "title": "WebhookStep",
        "type": "object",
        "required": [*STEP_EXAMPLE],
        "properties": {
            **dict.fromkeys(("application_id", "contract_no", "dealer_id"), TEXT),
            "status": {"type": "string", "enum": [*STATUS_NAMES]},
            "status_japanese": TEXT,
            "version": {"type": "integer", "description": "grows with each step of an application"},
            "occurred_at": AT,
        },
    }
    ping = {
        "title": "WebhookPingData",
        "type": "object",
        "required": ["message"],
        "properties": {"message": TEXT},
    }
    found: dict[str, Json] = {"WebhookStep": step, "WebhookPingData": ping}
    for wire_type, words in TYPES.items():
        found[message_name(wire_type)] = _envelope(wire_type, words, "WebhookStep")
    found[message_name(PING_TYPE)] = _envelope(PING_TYPE, "A test.", "WebhookPingData")
    return found


def _envelope(wire_type: str, words: str, data: str) -> Json:
    return {
        "title": message_name(wire_type),
        "description": words,
        "type": "object",
        "required": ["specversion", "id", "source", "type", "time", "data"],
        "properties": {
            "specversion": {"type": "string", "enum": ["1.0"]},
            "id": AN_ID,
            "source": {"type": "string", "enum": [SOURCE]},
            "type": {"type": "string", "enum": [wire_type]},
            "subject": TEXT,
            "time": AT,
            "datacontenttype": TEXT,
            "data": {"$ref": f"#/components/schemas/{data}"},
        },
    }
