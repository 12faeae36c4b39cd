"""Acceptance of a message from a dealer's system: who sent it, how old and large it may be. C4.

Only what the connection itself proves counts as the sender: the AMQP user, or the owner of the
HTTP key. Address and payload must name the same dealer. Everything refused has one `Reason`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Literal
from unicodedata import category

from shared.errors import Refusal

LARGEST_BODY = 64 * 1024
LONGEST_ID = 200
LONGEST_TEXT = 1000
LARGEST_NUMBER = 2**31 - 1
DEEPEST = 10
LONGEST_DETAIL = 500
CLOCK_AHEAD = timedelta(minutes=5)
OLDEST = timedelta(days=30)
NOT_PLAIN = frozenset({"Cc", "Cs"})
"""Control characters, and halves of characters."""
DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They make a text look like another one."""


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
    Reason.TIME_MISSING: "time（発生日時）または時差がありません。",
    Reason.TIME_AHEAD: "time（発生日時）が未来です。時計を確認してください。",
    Reason.TIME_TOO_OLD: "time（発生日時）が古すぎます。",
    Reason.PAYLOAD_DOES_NOT_FIT: "data の項目が正しくありません。",
    Reason.TEXT_NOT_ALLOWED: "長すぎる文字列、または制御文字が含まれています。",
    Reason.PAYLOAD_OF_ANOTHER: "data の dealer_id が送信元の販売店ではありません。",
    Reason.MESSAGE_ID_REUSED: "同じ id が別の内容で使用済みです。",
}
ENGLISH: Mapping[Reason, str] = {
    Reason.SENDER_UNKNOWN: "The dealer may not send (any more).",
    Reason.ADDRESS_OF_ANOTHER: "The path or routing key names another dealer than the credentials.",
    Reason.TOO_LARGE: "The message is too large.",
    Reason.NOT_A_CLOUD_EVENT: "The message cannot be read as CloudEvents 1.0.",
    Reason.TYPE_NOT_ALLOWED: "Events of this type are not accepted.",
    Reason.TIME_MISSING: "There is no time, or it has no offset.",
    Reason.TIME_AHEAD: "The time is in the future: check your clock.",
    Reason.TIME_TOO_OLD: "The time is too long ago.",
    Reason.PAYLOAD_DOES_NOT_FIT: "A field of the data is missing or has a wrong value.",
    Reason.TEXT_NOT_ALLOWED: "A text is too long or has control characters.",
    Reason.PAYLOAD_OF_ANOTHER: "The dealer_id in the data is not the sender's.",
    Reason.MESSAGE_ID_REUSED: "The same id was used for another content.",
}


@dataclass(frozen=True, slots=True)
class Expected:
    """What was expected at the place of a fault, in both languages."""

    japanese: str
    english: str

    def in_language(self, *, english: bool) -> str:
        """The words for one reader."""
        return self.english if english else self.japanese


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a message: the attribute, and what was expected there; never its value."""

    attribute: str
    expected: Expected

    def in_language(self, *, english: bool) -> str:
        """One line for a log, a page or a developer."""
        return f"{self.attribute}: {self.expected.in_language(english=english)}"


def fault(attribute: str, japanese: str, english: str) -> Fault:
    """A fault, in short."""
    return Fault(attribute, Expected(japanese, english))


class NotAccepted(Refusal):
    """The message is quarantined; `faults` name what is wrong, never a value of the payload."""

    def __init__(self, reason: Reason, *faults: Fault) -> None:
        self.code = reason.value  # type: ignore[misc]  # the code of this reason
        self.reason, self.faults = reason, faults
        facts = {"detail": self.detail} if faults else {}
        super().__init__(MESSAGES[reason], **facts)
        self.english = ENGLISH[reason]

    @property
    def detail(self) -> str:
        """What is wrong, as an operator reads it."""
        return self.described(english=False)

    def described(self, *, english: bool) -> str:
        """Every fault in one line."""
        return "; ".join(f.in_language(english=english) for f in self.faults)[:LONGEST_DETAIL]


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


TOO_MANY_BYTES = fault(
    "data", f"{LARGEST_BODY // 1024}KiB以内", f"at most {LARGEST_BODY // 1024} KiB with everything"
)
ID_FORM = fault("id", f"印字できる1～{LONGEST_ID}文字", f"1 to {LONGEST_ID} printable characters")
ID_USED = fault("id", "まだ使っていない id", "an id that you have not used for another content")
TIME_FORM = fault(
    "time",
    "時差つきの RFC 3339。例：2025-07-14T16:20:00+09:00",
    "RFC 3339 with an offset, such as 2025-07-14T16:20:00+09:00",
)
TIME_RANGE = fault(
    "time",
    f"{OLDEST.days}日前から{CLOCK_AHEAD.seconds // 60}分先まで",
    f"at most {OLDEST.days} days ago and {CLOCK_AHEAD.seconds // 60} minutes ahead",
)
TEXT_FORM = Expected(
    f"{LONGEST_TEXT}文字以内。制御文字は不可",
    f"at most {LONGEST_TEXT} characters, no control characters",
)
NUMBER_FORM = Expected(
    f"±{LARGEST_NUMBER}以内の数", f"a number between -{LARGEST_NUMBER} and {LARGEST_NUMBER}"
)
NESTING = Expected(f"入れ子は{DEEPEST}段まで", f"at most {DEEPEST} levels of nesting")


def check_sender(arrival: InboundMessage) -> str:
    """The dealer who sent the message to their own address. Raises NotAccepted."""
    if arrival.sender is None:
        raise NotAccepted(Reason.SENDER_UNKNOWN)
    if arrival.addressed != arrival.sender:
        raise NotAccepted(Reason.ADDRESS_OF_ANOTHER)
    if len(arrival.body) > LARGEST_BODY:
        raise NotAccepted(Reason.TOO_LARGE, TOO_MANY_BYTES)
    return arrival.sender


def check_message_id(message_id: str) -> None:
    """Refuse an id that is empty, too long or not printable."""
    if not 0 < len(message_id) <= LONGEST_ID or not message_id.isprintable():
        raise NotAccepted(Reason.NOT_A_CLOUD_EVENT, ID_FORM)


def check_time(occurred_at: datetime | None, now: datetime) -> None:
    """Refuse a message without an aware time, from the future, or older than `OLDEST`."""
    if occurred_at is None or occurred_at.tzinfo is None:
        raise NotAccepted(Reason.TIME_MISSING, TIME_FORM)
    if occurred_at > now + CLOCK_AHEAD:
        raise NotAccepted(Reason.TIME_AHEAD, TIME_RANGE)
    if occurred_at < now - OLDEST:
        raise NotAccepted(Reason.TIME_TOO_OLD, TIME_RANGE)


def check_days(payload: Mapping[str, object], names: Iterable[str], today: date) -> None:
    """Refuse a day on which something is said to have happened and which is still to come."""
    ahead = [
        fault(f"data.{name}", "今日以前の日付（日本時間）", "a date not after today, in Japan")
        for name in names
        if str(payload.get(name, "")) > today.isoformat()
    ]
    if ahead:
        raise NotAccepted(Reason.PAYLOAD_DOES_NOT_FIT, *ahead)


def check_texts(payload: object) -> None:
    """Refuse long or odd texts anywhere in the data, and deep nesting."""
    for name, value in _values(payload):
        if isinstance(value, str) and (len(value) > LONGEST_TEXT or not is_plain(value)):
            raise NotAccepted(Reason.TEXT_NOT_ALLOWED, Fault(name, TEXT_FORM))


def check_numbers(payload: object) -> None:
    """Refuse huge numbers; the schema comes first, as it knows what a field should be."""
    for name, value in _values(payload):
        if isinstance(value, int | float) and not abs(value) <= LARGEST_NUMBER:
            raise NotAccepted(Reason.PAYLOAD_DOES_NOT_FIT, Fault(name, NUMBER_FORM))


def _values(payload: object) -> Iterator[tuple[str, object]]:
    """Every value of the data with its place. Raises NotAccepted for deep nesting."""
    inside: list[tuple[str, object, int]] = [("data", payload, 0)]
    while inside:
        name, value, depth = inside.pop()
        if isinstance(value, dict | list) and depth == DEEPEST:
            raise NotAccepted(Reason.PAYLOAD_DOES_NOT_FIT, Fault("data", NESTING))
        yield name, value
        if isinstance(value, dict):
            inside += [(f"{name}.{key}", within, depth + 1) for key, within in value.items()]
        elif isinstance(value, list):
            inside += [(f"{name}[{n}]", within, depth + 1) for n, within in enumerate(value)]


def is_plain(text: str) -> bool:
    """Whether a text has no control characters; blanks of every width are ordinary."""
    return text.isprintable() or not any(
        category(sign) in NOT_PLAIN or sign in DIRECTIONS for sign in text
    )
