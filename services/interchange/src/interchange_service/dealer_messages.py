"""Dealer messages: the CloudEvent in a message, read and checked by the acceptance rules. C4.

Reads the binary and the structured mode; the rules themselves are in rules/message_checks.py.
"""

from dataclasses import dataclass
from datetime import datetime

import orjson
from cloudevents.core.bindings.rabbitmq import RabbitMQMessage, from_rabbitmq
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from event_contracts import EVENTS, PayloadDoesNotFit, read
from event_contracts.dealer import DealerEvent
from interchange_service.rules.message_checks import (
    LONGEST_KEY,
    InboundMessage,
    NotAccepted,
    Reason,
    check_message_id,
    check_sender,
    check_time,
    check_values,
)


@dataclass(frozen=True, slots=True)
class CheckedMessage:
    """The content of an accepted message; `message_id` is unique within its dealer."""

    message_id: str
    event: DealerEvent


def judge(arrival: InboundMessage, *, now: datetime | None) -> CheckedMessage:
    """The content of a message, if it is acceptable. Raises NotAccepted.

    Without `now` its time is not checked: a person vouches for a message from quarantine.
    """
    sender = check_sender(arrival)
    opened = _opened(arrival)
    check_message_id(opened.get_id())
    if now is not None:
        check_time(opened.get_time(), now)
    event = _event(opened.get_type(), opened.get_data())
    if event.dealer_id != sender:
        raise NotAccepted(Reason.PAYLOAD_OF_ANOTHER)
    return CheckedMessage(opened.get_id(), event)


def _opened(arrival: InboundMessage) -> CloudEvent:
    """The event by the binary or the structured mode of CloudEvents."""
    message = RabbitMQMessage(dict(arrival.headers), arrival.content_type, arrival.body)
    try:
        event = from_rabbitmq(message, JSONFormat(), _as_it_came)
    except NotAccepted:
        raise
    except Exception as cause:  # untrusted bytes can raise anything
        raise NotAccepted(Reason.NOT_A_CLOUD_EVENT, type(cause).__name__) from cause
    assert isinstance(event, CloudEvent)
    return event


def _as_it_came(
    attributes: dict[str, object], data: dict[str, object] | str | bytes | None
) -> CloudEvent:
    """The event; its own factory would invent an id and a time where there are none."""
    for name in ("specversion", "id", "source", "type"):
        if not isinstance(attributes.get(name), str):
            raise NotAccepted(Reason.NOT_A_CLOUD_EVENT, name)
    if "time" not in attributes:
        raise NotAccepted(Reason.TIME_MISSING)
    return CloudEvent(attributes, data)


def _event(wire_type: str, payload: object) -> DealerEvent:
    model = EVENTS.get(wire_type)
    if model is None or not issubclass(model, DealerEvent):
        raise NotAccepted(Reason.TYPE_NOT_ALLOWED)
    if not isinstance(payload, dict):
        raise NotAccepted(Reason.PAYLOAD_DOES_NOT_FIT, "data")
    check_values(payload)
    try:
        event = read(wire_type, orjson.dumps(payload))
    except (PayloadDoesNotFit, TypeError) as cause:
        raise NotAccepted(Reason.PAYLOAD_DOES_NOT_FIT, str(cause)) from None
    assert isinstance(event, DealerEvent)
    if len(event.aggregate_id) > LONGEST_KEY:
        raise NotAccepted(Reason.TEXT_NOT_ALLOWED, f"data.{event.aggregate_key}")
    return event
