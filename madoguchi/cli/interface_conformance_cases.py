"""Cases of the interface conformance: every event, and every documented refusal that can be tried.

Refusals that need an operator, or a flood, are listed in `NOT_TRIED` with the reason.
"""

import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from event_contracts import EXAMPLES
from event_contracts.examples_of import newest_example
from event_contracts.sender_schema import DEALER_EVENTS as TYPES
from interchange_service.rules.message_checks import CLOCK_AHEAD, LARGEST_BODY, OLDEST

RETURNED = "dealer.vehicle_returned.v1"
NO_KEY = "-"
NOT_TRIED: Mapping[str, str] = {
    "SENDER_UNKNOWN": "an operator must deactivate the dealer first",
    "KEY_REVOKED": "an operator must revoke a key first",
    "KEY_EXPIRED": "a key must expire first",
    "TOO_MANY_MESSAGES": "it takes a flood, which would delay the dealer's other systems",
}


@dataclass(frozen=True, slots=True)
class Message:
    """A message to send: its CloudEvents attributes and data."""

    attributes: Mapping[str, str]
    data: Mapping[str, object]

    def having(
        self, attributes: Mapping[str, str | None] | None = None, **data: object
    ) -> "Message":
        """A copy with other attributes or fields; None removes one."""
        return Message(
            {k: v for k, v in {**self.attributes, **(attributes or {})}.items() if v is not None},
            {k: v for k, v in {**self.data, **data}.items() if v is not None},
        )

    def structured(self) -> bytes:
        """The message in structured mode, as JSON."""
        whole = {**self.attributes, "datacontenttype": "application/json", "data": self.data}
        return json.dumps(whole, ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class Case:
    """One message with its documented response."""

    name: str
    english: str
    message: Message
    expected: str
    dealer: str = ""
    key: str = ""
    structured: bool = False


def fresh(wire_type: str, dealer: str, now: datetime) -> Message:
    """The committed example of a type, with unused ids."""
    model, unique = TYPES[wire_type], f"TEST-{secrets.token_hex(6)}"
    data = newest_example(EXAMPLES, wire_type)
    data = data | {"dealer_id": dealer, model.aggregate_key: unique}
    attributes = {
        "specversion": "1.0",
        "id": unique,
        "source": f"/dealers/{dealer}/conformance",
        "type": wire_type,
        "time": now.isoformat(),
    }
    return Message(attributes, data)


def cases(dealer: str, now: datetime) -> Iterator[Case]:
    """Every case; a repeated message follows its original."""
    for wire_type, model in TYPES.items():
        good = fresh(wire_type, dealer, now)
        yield Case(f"{wire_type} 正しい", f"{wire_type} valid", good, "202 repeated=false")
        yield Case("　同じものを再送", "  sent again", good, "202 repeated=true")
        other = fresh(wire_type, dealer, now).having(dealer_id=f"{dealer}X")
        yield Case("　data が別の販売店", "  data of another dealer", other,
                   "422 PAYLOAD_OF_ANOTHER")  # fmt: skip
        lacking = fresh(wire_type, dealer, now).having(**{model.aggregate_key: None})
        yield Case("　必須項目がない", "  a required field is missing", lacking,
                   "422 PAYLOAD_DOES_NOT_FIT")  # fmt: skip
    yield from _mistakes(dealer, now)


def _mistakes(dealer: str, now: datetime) -> Iterator[Case]:
    def new(attributes: Mapping[str, str | None] | None = None, **data: object) -> Message:
        return fresh(RETURNED, dealer, now).having(attributes, **data)

    ahead = (now + CLOCK_AHEAD + timedelta(minutes=1)).isoformat()
    old = (now - OLDEST - timedelta(minutes=1)).isoformat()
    naive = now.replace(tzinfo=None).isoformat()
    used = new()
    yield Case("構造化モード", "structured mode", used, "202 repeated=false", structured=True)
    yield Case("同じ id で別の内容", "the same id, another content", used.having(place="X"),
               "409 MESSAGE_ID_REUSED")  # fmt: skip
    yield Case("知らない type", "unknown type", new({"type": "dealer.nothing.v1"}),
               "422 TYPE_NOT_ALLOWED")  # fmt: skip
    yield Case("こちらの type", "a type that dealers may not send",
               new({"type": "return.completed.v1"}), "422 TYPE_NOT_ALLOWED")  # fmt: skip
    yield Case("time がない", "no time", new({"time": None}), "422 TIME_MISSING")
    yield Case("time が未来", "time in the future", new({"time": ahead}), "422 TIME_AHEAD")
    yield Case("time が古い", "time too old", new({"time": old}), "422 TIME_TOO_OLD")
    yield Case("time に時差がない", "a time without offset", new({"time": naive}),
               "422 TIME_MISSING")  # fmt: skip
    yield Case("id がない", "no id", new({"id": None}), "422 NOT_A_CLOUD_EVENT")
    yield Case("制御文字", "a control character", new(place="a\tb"), "422 TEXT_NOT_ALLOWED")
    yield Case("大きすぎる", "too large", new(place="x" * LARGEST_BODY), "413 TOO_LARGE")
    yield Case("別の販売店の宛先", "the path of another dealer", new(), "403 ADDRESS_OF_ANOTHER",
               dealer=f"{dealer}X")  # fmt: skip
    yield Case("全角の空白", "an ideographic space", new(place="東京　千代田"),
               "202 repeated=false")  # fmt: skip
    yield Case("負の走行距離", "a negative odometer", new(odometer_km=-5),
               "422 PAYLOAD_DOES_NOT_FIT")  # fmt: skip
    yield Case("空白だけの名称", "a name of blanks only",
               fresh("dealer.store_master_updated.v1", dealer, now).having(name="　"),
               "422 PAYLOAD_DOES_NOT_FIT")  # fmt: skip
    yield Case("キーがない", "no key", new(), "401 TOKEN_MISSING", key=NO_KEY)
    yield Case("知らないキー", "an unknown key", new(), "401 KEY_NOT_TRUSTED",
               key="mdk_0000000000000000_x")  # fmt: skip
