"""Acceptance of a message from a dealer's system: who sent it, how old and large it may be. C4.

Only what the connection itself proves counts as the sender: the AMQP user, or the owner of the
HTTP key. Address and payload must name the same dealer. Everything refused has one `Reason`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from shared.errors import Refusal

LARGEST_BODY = 64 * 1024
LONGEST_ID = 200
LONGEST_TEXT = 1000
LONGEST_KEY = 200
LARGEST_NUMBER = 2**31 - 1
DEEPEST = 10
LONGEST_DETAIL = 300
CLOCK_AHEAD = timedelta(minutes=5)
OLDEST = timedelta(days=30)


class Reason(StrEnum):
    """Why a message is refused; a stable code for programs."""

    SENDER_UNKNOWN = "SENDER_UNKNOWN"
    ADDRESS_OF_ANOTHER = "ADDRESS_OF_ANOTHER"
    TOO_LARGE = "TOO_LARGE"
    NOT_A_CLOUD_EVENT = "NOT_A_CLOUD_EVENT"
    TYPE_NOT_ALLOWED = "TYPE_NOT_ALLOWED"
    TIME_MISSING = "TIME_MISSING"
    TIME_AHEAD = "TIME_AHEAD"
    TIME_TOO_OLD = "TIME_TOO_OLD"
    PAYLOAD_DOES_NOT_FIT = "PAYLOAD_DOES_NOT_FIT"
    TEXT_NOT_ALLOWED = "TEXT_NOT_ALLOWED"
    PAYLOAD_OF_ANOTHER = "PAYLOAD_OF_ANOTHER"
    MESSAGE_ID_REUSED = "MESSAGE_ID_REUSED"


MESSAGES: Mapping[Reason, str] = {
    Reason.SENDER_UNKNOWN: "送信元の販売店を確認できません。",
    Reason.ADDRESS_OF_ANOTHER: "宛先が送信元の販売店のものではありません。",
    Reason.TOO_LARGE: "メッセージが大きすぎます。",
    Reason.NOT_A_CLOUD_EVENT: "CloudEvents 1.0 として読み取れません。",
    Reason.TYPE_NOT_ALLOWED: "この種類のイベントは受け付けていません。",
    Reason.TIME_MISSING: "time（発生日時）がありません。",
    Reason.TIME_AHEAD: "time（発生日時）が未来です。時計を確認してください。",
    Reason.TIME_TOO_OLD: "time（発生日時）が古すぎます。",
    Reason.PAYLOAD_DOES_NOT_FIT: "data の項目が正しくありません。",
    Reason.TEXT_NOT_ALLOWED: "長すぎる文字列、または制御文字が含まれています。",
    Reason.PAYLOAD_OF_ANOTHER: "data の dealer_id が送信元の販売店ではありません。",
    Reason.MESSAGE_ID_REUSED: "同じ id が別の内容で使用済みです。",
}


class NotAccepted(Refusal):
    """The message is quarantined; `detail` names what is wrong, never a value of the payload."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        self.code = reason.value  # type: ignore[misc]  # the code of this reason
        self.reason, self.detail = reason, detail[:LONGEST_DETAIL]
        facts = {"detail": self.detail} if detail else {}
        super().__init__(MESSAGES[reason], **facts)


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """A message as received.

    `sender` is the dealer that the connection proved to be, `addressed` the one that the routing
    key or path (`address`) names; None where there is none. Names of `headers` are lower case.
    `again`: the broker has delivered it before, and cannot know whether it was settled.
    """

    channel: Literal["amqp", "https"]
    sender: str | None
    addressed: str | None
    address: str
    headers: Mapping[str, str]
    content_type: str | None
    body: bytes
    again: bool = False


def check_sender(arrival: InboundMessage) -> str:
    """The dealer who sent the message to their own address. Raises NotAccepted."""
    if arrival.sender is None:
        raise NotAccepted(Reason.SENDER_UNKNOWN)
    if arrival.addressed != arrival.sender:
        raise NotAccepted(Reason.ADDRESS_OF_ANOTHER)
    if len(arrival.body) > LARGEST_BODY:
        raise NotAccepted(Reason.TOO_LARGE, f"{len(arrival.body)} > {LARGEST_BODY} bytes")
    return arrival.sender


def check_message_id(message_id: str) -> None:
    """Refuse an id that is empty, too long or not printable."""
    if not 0 < len(message_id) <= LONGEST_ID or not message_id.isprintable():
        raise NotAccepted(Reason.NOT_A_CLOUD_EVENT, "id")


def check_time(occurred_at: datetime | None, now: datetime) -> None:
    """Refuse a message without an aware time, from the future, or older than `OLDEST`."""
    if occurred_at is None or occurred_at.tzinfo is None:
        raise NotAccepted(Reason.TIME_MISSING)
    if occurred_at > now + CLOCK_AHEAD:
        raise NotAccepted(Reason.TIME_AHEAD)
    if occurred_at < now - OLDEST:
        raise NotAccepted(Reason.TIME_TOO_OLD)


def check_values(payload: dict[str, object]) -> None:
    """Refuse what fits a type but no table: long or odd texts, huge numbers, deep nesting."""
    inside: list[tuple[str, object, int]] = [("data", payload, 0)]
    while inside:
        name, value, depth = inside.pop()
        if isinstance(value, str) and (len(value) > LONGEST_TEXT or not value.isprintable()):
            raise NotAccepted(Reason.TEXT_NOT_ALLOWED, name)
        if isinstance(value, int | float) and not abs(value) <= LARGEST_NUMBER:
            raise NotAccepted(Reason.PAYLOAD_DOES_NOT_FIT, name)
        if isinstance(value, dict | list) and depth == DEEPEST:
            raise NotAccepted(Reason.PAYLOAD_DOES_NOT_FIT, "data")
        if isinstance(value, dict):
            inside += [(f"{name}.{key}", within, depth + 1) for key, within in value.items()]
        elif isinstance(value, list):
            inside += [(f"{name}[{n}]", within, depth + 1) for n, within in enumerate(value)]
