"""CloudEvents 1.0 as they come: binary, structured and batched mode, over HTTP and AMQP. C4.

Reads what libraries really send: attributes that are null count as unset, media types ignore case
and carry a charset, JSON may come as `data_base64` or behind a byte order mark. Every refusal names
the attribute and what was expected there.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from interchange_service.rules.message_checks import (
    TIME_FORM,
    Fault,
    InboundMessage,
    NotAccepted,
    Reason,
    fault,
)

STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch+json"
ENVELOPE = "application/cloudevents"
HEADER_PREFIXES = ("ce-", "cloudevents:", "cloudevents_")
"""The HTTP and AMQP 0-9-1 bindings; the AMQP 1.0 binding has the other two."""
JSON_TYPE = re.compile(r"(application|text)/([a-z0-9.-]+\+)?json")
CHARSETS = frozenset({"", "utf-8", "utf8", "us-ascii"})
REQUIRED = ("specversion", "id", "source", "type")
HEADER_OF = {name: f"ce-{name}" for name in (*REQUIRED, "time")} | {
    "datacontenttype": "Content-Type"
}
LONGEST_SOURCE = 500
MOST_IN_BATCH = 100

TEXT_EXPECTED = ("文字列（必須）", "text (required)")
NOT_JSON = fault("data", "UTF-8 の JSON のオブジェクト", "a JSON object in UTF-8")
BODY_NOT_JSON = fault("body", "UTF-8 の JSON のオブジェクト", "a JSON object in UTF-8")
NOT_A_BATCH = fault(
    "body",
    f"{MOST_IN_BATCH}件までのイベントの JSON 配列",
    f"a JSON array of at most {MOST_IN_BATCH} events",
)
DATA_TYPE = fault("datacontenttype", "application/json", "application/json")


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """The attributes of an event that count here, and its data as parsed JSON."""

    id: str
    type: str
    occurred_at: datetime | None
    data: object


def media_type(content_type: str | None) -> tuple[str, str]:
    """Media type and charset of a Content-Type, both in lower case; empty where there is none."""
    kind, _, parameters = (content_type or "").partition(";")
    charset = re.search(r"charset\s*=\s*\"?([^\s\";]+)", parameters, re.IGNORECASE)
    return kind.strip().lower(), charset[1].lower() if charset else ""


def is_batch(arrival: InboundMessage) -> bool:
    """Whether a message is in batched mode."""
    return media_type(arrival.content_type)[0] == BATCHED


def in_words_of_the_sender(refusal: NotAccepted, arrival: InboundMessage) -> NotAccepted:
    """The refusal with attributes named as they were sent: `ce-id` in binary mode."""
    if media_type(arrival.content_type)[0].startswith(ENVELOPE):
        return refusal
    faults = (
        replace(one, attribute=HEADER_OF.get(one.attribute, one.attribute))
        for one in refusal.faults
    )
    return NotAccepted(refusal.reason, *faults)


def split_batch(arrival: InboundMessage) -> list[InboundMessage]:
    """The events of a batch, each as a message in structured mode. Raises NotAccepted."""
    found = _parsed(arrival.body, arrival.content_type, Reason.NOT_A_CLOUD_EVENT, NOT_A_BATCH)
    if not isinstance(found, list):
        raise NotAccepted(Reason.NOT_A_CLOUD_EVENT, NOT_A_BATCH)
    if len(found) > MOST_IN_BATCH:
        raise NotAccepted(Reason.TOO_LARGE, NOT_A_BATCH)
    return [
        replace(arrival, content_type=STRUCTURED, body=json.dumps(one).encode()) for one in found
    ]


def read_cloud_event(arrival: InboundMessage) -> CloudEvent:
    """The event in a message of binary or structured mode. Raises NotAccepted."""
    kind, _ = media_type(arrival.content_type)
    if kind.startswith(ENVELOPE):
        return _structured(arrival, kind)
    attributes = _attributes(arrival.headers)
    _check_attributes(attributes)
    content_type = attributes.get("datacontenttype") or arrival.content_type
    if not isinstance(content_type, str | None) or not _is_json(content_type):
        raise NotAccepted(Reason.PAYLOAD_DOES_NOT_FIT, DATA_TYPE)
    data = _parsed(arrival.body, content_type, Reason.PAYLOAD_DOES_NOT_FIT, NOT_JSON)
    return _event(attributes, data)


def _structured(arrival: InboundMessage, kind: str) -> CloudEvent:
    if kind not in {STRUCTURED, ENVELOPE}:
        expected = fault("Content-Type", STRUCTURED, STRUCTURED)
        raise NotAccepted(Reason.NOT_A_CLOUD_EVENT, expected)
    found = _parsed(arrival.body, arrival.content_type, Reason.NOT_A_CLOUD_EVENT, BODY_NOT_JSON)
    if not isinstance(found, dict):
        raise NotAccepted(Reason.NOT_A_CLOUD_EVENT, BODY_NOT_JSON)
    attributes = dict(found)  # one that is null is unset, and read as such
    data, encoded = attributes.pop("data", None), attributes.pop("data_base64", None)
    _check_attributes(attributes)
    if encoded is not None:
        data = _decoded(encoded, data, attributes.get("datacontenttype"))
    return _event(attributes, data)


def _decoded(encoded: object, data: object, content_type: object) -> object:
    """The JSON in data_base64."""
    if data is not None or not isinstance(encoded, str):
        words = fault("data_base64", "data と data_base64 の一方", "one of data and data_base64")
        raise NotAccepted(Reason.NOT_A_CLOUD_EVENT, words)
    if not isinstance(content_type, str | None) or not _is_json(content_type):
        raise NotAccepted(Reason.PAYLOAD_DOES_NOT_FIT, DATA_TYPE)
    try:
        body = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        words = fault("data_base64", "Base64（RFC 4648）", "Base64 (RFC 4648)")
        raise NotAccepted(Reason.NOT_A_CLOUD_EVENT, words) from None
    return _parsed(body, content_type, Reason.PAYLOAD_DOES_NOT_FIT, NOT_JSON)


def _attributes(headers: Mapping[str, str]) -> dict[str, object]:
    """The attributes in headers whose names are in lower case."""
    found: dict[str, object] = {}
    for name, value in headers.items():
        for prefix in HEADER_PREFIXES:
            if name.startswith(prefix):
                found.setdefault(name.removeprefix(prefix), value)
    return found


def _check_attributes(attributes: Mapping[str, object]) -> None:
    """Refuse an event without a required attribute, with every fault at once."""
    faults = [fault(name, *TEXT_EXPECTED) for name in REQUIRED if not _text(attributes, name)]
    if faults and not attributes.get("time"):  # alone it has a code of its own
        faults.append(TIME_FORM)
    if _text(attributes, "specversion") not in {"", "1.0"}:
        faults.append(fault("specversion", "1.0", "1.0"))
    if len(_text(attributes, "source")) > LONGEST_SOURCE:
        words = (f"{LONGEST_SOURCE}文字以内", f"at most {LONGEST_SOURCE} characters")
        faults.append(fault("source", *words))
    if faults:
        raise NotAccepted(Reason.NOT_A_CLOUD_EVENT, *faults)


def _text(attributes: Mapping[str, object], name: str) -> str:
    """The value of an attribute, empty where it is not text."""
    value = attributes.get(name)
    return value if isinstance(value, str) else ""


def _event(attributes: Mapping[str, object], data: object) -> CloudEvent:
    return CloudEvent(
        id=str(attributes["id"]),
        type=str(attributes["type"]),
        occurred_at=_time(attributes.get("time")),
        data=data,
    )


def _time(written: object) -> datetime | None:
    """The time, which may lack its offset; None where there is none. Raises NotAccepted."""
    if written is None or written == "":
        return None
    try:
        return datetime.fromisoformat(str(written).strip().upper())
    except ValueError:
        raise NotAccepted(Reason.NOT_A_CLOUD_EVENT, TIME_FORM) from None


def _is_json(content_type: str | None) -> bool:
    kind, _ = media_type(content_type)
    return not kind or JSON_TYPE.fullmatch(kind) is not None


def _parsed(body: bytes, content_type: str | None, reason: Reason, expected: Fault) -> object:
    """The JSON in a body; a byte order mark is passed over. Raises NotAccepted."""
    _, charset = media_type(content_type)
    if charset not in CHARSETS:
        raise NotAccepted(reason, fault("Content-Type", "charset=utf-8", "charset=utf-8"))
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_not_a_number)
    except (ValueError, RecursionError):
        raise NotAccepted(reason, expected) from None


def _not_a_number(_: str) -> object:
    raise ValueError
