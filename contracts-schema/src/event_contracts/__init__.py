"""The wire: every event that crosses a service boundary."""

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
"""Payloads as they were published, `<type>.<number>.json`: every one stays readable for ever."""

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
