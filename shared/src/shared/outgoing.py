"""Outgoing messages: a batch of events, packed into as few messages as order and size allow.

An event that is alone is a binary message, as ever. Several of one aggregate type, which the same
services receive, share a message. All events of an aggregate are in one chain of messages, and a
chain is published one message after the other; chains are pipelined.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from pamqp.commands import Basic

from shared.amqp_properties import EventProperties
from shared.envelope import Envelope
from shared.event_batch import BATCH, BATCH_HEADERS, to_batch

EVENTS_PER_MESSAGE = 100
BYTES_PER_MESSAGE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message; `events` are the ids of those in it."""

    events: tuple[UUID, ...]
    routing_key: str
    properties: Basic.Properties
    body: bytes

    @property
    def names(self) -> list[str]:
        """The first ids, for the log."""
        return [str(event_id) for event_id in self.events[:10]]


Group = list[Envelope]
Chain = list[Group]


def chains_of(batch: Sequence[Envelope], events_per_message: int) -> list[Chain]:
    """The batch as chains of groups that share a message each, in the order given."""
    chains: list[Chain] = []
    shared: dict[str, tuple[Group, int]] = {}
    for stream in _streams(batch):
        size, of_type = _size(stream), stream[0].aggregate_type
        group, used = shared.get(of_type, (stream, 0))
        if len(stream) > events_per_message or size > BYTES_PER_MESSAGE:
            chains.append(list(_split(stream, events_per_message)))
        elif (
            group is stream
            or len(group) + len(stream) > events_per_message
            or used + size > BYTES_PER_MESSAGE
        ):
            chains.append([stream])
            shared[of_type] = (stream, size)
        else:
            group += stream
            shared[of_type] = (group, used + size)
    return chains


def message_of(group: Group) -> Outgoing:
    """The message with these events: a batch, or a binary one for a single event."""
    first = group[0]
    if len(group) == 1:
        return Outgoing((first.event_id,), first.type, EventProperties(first), first.payload)
    properties = Basic.Properties(
        content_type=BATCH,
        headers=dict(BATCH_HEADERS),
        delivery_mode=2,
        message_id=str(first.event_id),
    )
    ids = tuple(event.event_id for event in group)
    return Outgoing(ids, f"{first.aggregate_type}.batch", properties, to_batch(group))


def _streams(batch: Sequence[Envelope]) -> list[Group]:
    streams: dict[str, Group] = {}
    for event in batch:
        streams.setdefault(event.stream, []).append(event)
    return list(streams.values())


def _size(events: Group) -> int:
    return sum(len(event.payload) for event in events)


def _split(stream: Group, events_per_message: int) -> Iterator[Group]:
    """A long stream as groups that fit; an event that is too large for any is alone."""
    group: Group = []
    size = 0
    for event in stream:
        size += len(event.payload)
        if group and (len(group) == events_per_message or size > BYTES_PER_MESSAGE):
            yield group
            group, size = [], len(event.payload)
        group.append(event)
    yield group
