"""How do events get from an outbox to the inboxes? Over one small interface, two ways.

`RabbitTransport` (rabbitmq.py) publishes to a broker; `EmbeddedTransport` writes straight into
the inboxes of the subscribing services. Handlers and promises are the same.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from shared.envelope import Envelope
from shared.inbox import Inbox


class TransportDown(ConnectionError):
    """Nothing can be delivered at the moment; try the whole batch again later."""


class Transport(Protocol):
    """Delivers events at least once.

    `publish` returns the ids of the events that were certainly stored for every subscriber.
    Events of one stream are delivered in the order given, and none after one that failed.
    Raises TransportDown.
    """

    async def publish(self, batch: Sequence[Envelope]) -> set[UUID]:
        """Deliver a batch; an event that is not in the answer must be tried again."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class EmbeddedTransport:
    """No broker: the relay stores each event in the inbox of every service that listens."""

    def __init__(
        self, inboxes: Mapping[str, Inbox], subscriptions: Mapping[str, Sequence[str]]
    ) -> None:
        self._inboxes = inboxes
        self._subscriptions = subscriptions

    async def publish(self, batch: Sequence[Envelope]) -> set[UUID]:
        """Store the batch in each inbox; one transaction per service."""
        try:
            for service, inbox in self._inboxes.items():
                wanted = [e for e in batch if e.aggregate_type in self._subscriptions[service]]
                if wanted:
                    await inbox.store(wanted)
        except OSError as cause:
            raise TransportDown(str(cause)) from cause
        return {event.event_id for event in batch}

    async def close(self) -> None:
        """Nothing is held open."""
