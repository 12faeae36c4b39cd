"""Event contracts: every event that crosses a service boundary."""

from pathlib import Path

from event_contracts.event import Event, Part
from event_contracts.registry import (
    EVENTS,
    SUBSCRIPTIONS,
    PayloadDoesNotFit,
    UnknownEventType,
    read,
)

EXAMPLES = Path(__file__).parent / "examples"
"""Payloads as published, `<type>.<number>.json`: every one must remain readable."""

__all__ = [
    "EVENTS",
    "EXAMPLES",
    "SUBSCRIPTIONS",
    "Event",
    "Part",
    "PayloadDoesNotFit",
    "UnknownEventType",
    "read",
]
