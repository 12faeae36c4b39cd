"""Transports between an outbox and the inboxes: one interface, two implementations.

`RabbitTransport` (rabbitmq.py) publishes to a broker; `EmbeddedTransport` writes straight into
the inboxes of the subscribing services. Handlers and guarantees are the same.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from shared.envelope import Envelope
from shared.inbox import Inbox


class TransportDown(ConnectionError):
    """Nothing can be delivered at the moment; retry the whole batch later."""


class Transport(Protocol):
    """Delivers events at least once.

    `publish` returns the ids of the events that are certainly stored for every subscriber.
    Events of one stream are delivered in the order given, and none after one that failed.
    Raises TransportDown.
    """

    async def publish(self, batch: Sequence[Envelope]) -> set[UUID]:
        """Deliver a batch; an event whose id is not returned must be retried."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...


class EmbeddedTransport:
    """Without a broker: the relay stores each event in the inbox of every subscribing service."""

    def __init__(
        self, inboxes: Mapping[str, Inbox], subscriptions: Mapping[str, Sequence[str]]
    ) -> None:
        self._inboxes = inboxes
        self._subscriptions = subscriptions

    async def publish(self, batch: Sequence[Envelope]) -> set[UUID]:
        """Store the batch in each inbox; one transaction per service."""
        try:
            for service, inbox in self._inboxes.items():
                subscribed = [e for e in batch if e.aggregate_type in self._subscriptions[service]]
                if subscribed:
                    await inbox.store(subscribed)
        except OSError as cause:
            raise TransportDown(str(cause)) from cause
        return {event.event_id for event in batch}

    async def close(self) -> None:
        """There is nothing to close."""
