"""Webhook messages: the body and the signed headers that a dealer's system receives.

Signed by Standard Webhooks, so that receivers can use any of its libraries; the message itself is
a CloudEvent with ids and codes, and nothing about people.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from standardwebhooks import Webhook

from interchange_service.rules.webhooks import PING, STATUS_NAMES, Step

SOURCE = "/madoguchi/returns"
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"


def message_of(step: Step) -> str:
    """The body of a step: a structured CloudEvent."""
    data = {
        "application_id": step.application_id,
        "contract_no": step.contract_no,
        "dealer_id": step.dealer_id,
        "status": step.status,
        "status_japanese": STATUS_NAMES[step.status],
        "version": step.version,
        "occurred_at": step.occurred_at.isoformat(),
    }
    return _cloud_event(
        step.event_id, f"return.{step.kind}", step.occurred_at, data, subject=step.application_id
    )


def ping_message(event_id: UUID, *, now: datetime) -> str:
    """The body of a test message."""
    return _cloud_event(event_id, PING, now, {"message": "Madoguchi からのテスト送信です。"})


def _cloud_event(
    event_id: UUID, name: str, at: datetime, data: dict[str, object], **more: str
) -> str:
    attributes = {
        "specversion": "1.0",
        "id": str(event_id),
        "source": SOURCE,
        "type": f"madoguchi.{name}.v1",
        "time": at,
        "datacontenttype": "application/json",
        **more,
    }
    return JSONFormat().write(CloudEvent(attributes, data)).decode()


def headers_of(
    message_id: UUID, body: str, secrets: Sequence[str], *, seconds: int
) -> dict[str, str]:
    """The headers of one attempt, signed once per secret at `seconds` since 1970."""
    signed_at = datetime.fromtimestamp(seconds, UTC)
    return {
        "content-type": CONTENT_TYPE,
        "user-agent": "Madoguchi-Webhook/1",
        "webhook-id": str(message_id),
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(
            Webhook(secret).sign(str(message_id), signed_at, body) for secret in secrets
        ),
    }
