"""Event registry: all event types, each service's subscriptions, and reading a payload."""

from collections.abc import Mapping

from pydantic import ValidationError

from event_contracts import (
    commuter,
    contract,
    customer_erasure,
    dealer,
    mail,
    masters,
    returns,
    tfc,
    tfc_returns,
)
from event_contracts.event import ERASED, Event


class UnknownEventType(LookupError):
    """No model has this wire type: it is foreign, or newer than this reader."""


class PayloadDoesNotFit(ValueError):
    """The payload does not match its type; the message names the fields, not their values."""


def _events(parent: type[Event]) -> list[type[Event]]:
    found = [parent] if "wire_type" in vars(parent) else []
    for child in parent.__subclasses__():
        found += _events(child)
    return found


STREAMS = (commuter, contract, customer_erasure, dealer, mail, masters, returns, tfc, tfc_returns)

EVENTS: dict[str, type[Event]] = {
    event.wire_type: event
    for event in sorted(_events(Event), key=lambda event: event.wire_type)
    if event.__module__ in {module.__name__ for module in STREAMS}
}

# A service subscribes to whole streams, so that it detects gaps in an aggregate's numbers.
SUBSCRIPTIONS: dict[str, tuple[str, ...]] = {
    "contracts": ("return", "tfc", "dealer"),
    "returns": (
        *("contract", "store", "staff", "mail", "tfc_return", "tfc_change_application"),
        *("dealer", "customer_erasure"),
    ),
    "commuter": ("staff", "customer_erasure"),
    "notifier": (
        "return",
        "commuter_pass",
        "slip",
        "expense_month",
        "staff_access",
        "customer_erasure",
    ),
    "interchange": ("return", "staff_access", "customer_erasure"),
}


def read(wire_type: str, payload: bytes | str) -> Event:
    """Parse a payload into its event; unknown fields are ignored.

    Raises UnknownEventType or PayloadDoesNotFit.
    """
    try:
        model = EVENTS[wire_type]
    except KeyError:
        raise UnknownEventType(f"Unknown event type {wire_type!r}.") from None
    try:
        return model.model_validate_json(payload, extra="ignore")
    except ValidationError as wrong:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in wrong.errors())
        raise PayloadDoesNotFit(f"{wire_type}: {faults}") from None


def without_personal(wire_type: str, payload: Mapping[str, object]) -> dict[str, object]:
    """The payload of an event without the fields that may identify the customer.

    It remains readable. Of an event of an unknown type only the numbers are kept.
    """
    model = EVENTS.get(wire_type)
    fields = model.personal if model else tuple(payload)
    return {name: _blank(value) if name in fields else value for name, value in payload.items()}


def _blank(value: object) -> object:
    match value:
        case str():
            return ERASED
        case dict():
            return {name: _blank(part) for name, part in value.items()}
        case list():
            return [_blank(part) for part in value]
        case _:
            return value
