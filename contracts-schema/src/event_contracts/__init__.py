"""The wire: every event that crosses a service boundary."""

from event_contracts.event import Event, Part
from event_contracts.registry import (
    EVENTS,
    SUBSCRIPTIONS,
    PayloadDoesNotFit,
    UnknownEventType,
    read,
)

__all__ = [
    "EVENTS",
    "SUBSCRIPTIONS",
    "Event",
    "Part",
    "PayloadDoesNotFit",
    "UnknownEventType",
    "read",
]
