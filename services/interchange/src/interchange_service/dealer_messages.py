"""Dealer messages: the event in a message, read and checked by the acceptance rules. C4.

How a CloudEvent is read is in rules/cloud_event.py, who may send what in rules/message_checks.py,
and the data is checked against its JSON Schema (payload_checks.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import orjson

from event_contracts import PayloadDoesNotFit, read
from event_contracts.dealer import DealerEvent
from event_contracts.sender_schema import DEALER_EVENTS
from interchange_service.payload_checks import check_payload, past_days
from interchange_service.rules.cloud_event import is_batch, read_cloud_event, split_batch
from interchange_service.rules.message_checks import (
    CLOCK_AHEAD,
    InboundMessage,
    NotAccepted,
    Reason,
    check_days,
    check_message_id,
    check_sender,
    check_time,
    fault,
)
from shared.clock import jst_day

LARGEST_BATCH = 512 * 1024


@dataclass(frozen=True, slots=True)
class CheckedMessage:
    """The content of an accepted message; `message_id` is unique within its dealer.

    `ignored` are the fields of its data that nobody knows, perhaps misspelt.
    """

    message_id: str
    event: DealerEvent
    ignored: tuple[str, ...] = ()


def parts_of(arrival: InboundMessage) -> Sequence[InboundMessage]:
    """The messages of a batch, or the message itself. Raises NotAccepted for a bad batch."""
    if not is_batch(arrival):
        return (arrival,)
    check_sender(replace(arrival, body=b""))
    if len(arrival.body) > LARGEST_BATCH:
        size = LARGEST_BATCH // 1024
        raise NotAccepted(Reason.TOO_LARGE, fault("body", f"{size}KiB以内", f"at most {size} KiB"))
    return split_batch(arrival)


def judge(arrival: InboundMessage, *, now: datetime | None) -> CheckedMessage:
    """The content of a message, if it is acceptable. Raises NotAccepted.

    Without `now` its time is not checked: a person vouches for a message from quarantine.
    """
    sender = check_sender(arrival)
    opened = read_cloud_event(arrival)
    check_message_id(opened.id)
    if now is not None:
        check_time(opened.occurred_at, now)
    if opened.type not in DEALER_EVENTS:
        listed = ", ".join(DEALER_EVENTS)
        raise NotAccepted(Reason.TYPE_NOT_ALLOWED, fault("type", listed, f"one of {listed}"))
    ignored = check_payload(opened.type, opened.data)
    event = _event(opened.type, opened.data)
    if event.dealer_id != sender:
        raise NotAccepted(
            Reason.PAYLOAD_OF_ANOTHER, fault("data.dealer_id", "自社のコード", "your own code")
        )
    if now is not None and isinstance(opened.data, dict):
        check_days(opened.data, past_days(opened.type), jst_day(now + CLOCK_AHEAD))
    return CheckedMessage(opened.id, event, ignored)


def _event(wire_type: str, payload: object) -> DealerEvent:
    try:
        event = read(wire_type, orjson.dumps(payload))
    except (PayloadDoesNotFit, TypeError):
        words = fault("data", "JSON Schema のとおり", "as the JSON Schema says")
        raise NotAccepted(Reason.PAYLOAD_DOES_NOT_FIT, words) from None
    assert isinstance(event, DealerEvent)
    return event
