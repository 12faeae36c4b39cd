"""HTTP API of operations, generated from its OpenAPI document by tools.api_client."""

from __future__ import annotations

from typing import NotRequired, TypedDict
from portal_service.api_client import ServiceClient, ServiceResponse


class CauseOrder(TypedDict):
    """Selects all dead letters whose cause contains this text."""

    cause: NotRequired[str]


class DeadLetter(TypedDict):
    """An event whose processing failed for good; `blocked` counts the events waiting behind …"""

    id: str
    type: str
    stream: str
    sequence: int
    dealer_id: str
    occurred_at: str
    attempts: int
    cause: str | None
    settled_at: str | None
    payload: str
    blocked: int


class DeadLetters(TypedDict):
    """The oldest hundred dead letters."""

    items: list[DeadLetter]


class Lag(TypedDict):
    """The present lag of outbox and inbox; ages in seconds."""

    outbox_waiting: float
    outbox_age: float
    inbox_lag: float
    inbox_waiting: float
    gap_age: float
    dead: float
    refused: float
    timer_lateness: float


class LagHistory(TypedDict):
    """The present lag, and the last ten minutes."""

    now: Lag
    samples: list[LagSample]


class LagSample(TypedDict):
    """The worst values of ten seconds."""

    at: str
    outbox_waiting: int
    outbox_age_s: float
    inbox_waiting: int
    inbox_lag_s: float


class RefusedMessage(TypedDict):
    """A message that could not be read as an event: its body as text, invalid bytes marked."""

    id: str
    received_at: str
    cause: str
    type: str
    headers: str
    size: int
    payload: str


class RefusedMessages(TypedDict):
    """The oldest hundred refused messages."""

    items: list[RefusedMessage]


class RemandedWork(TypedDict):
    """Something returned to the person; `comment` says why, or is None."""

    subject_id: str
    title: str
    note: str
    comment: str | None
    by: str | None
    at: str | None


class Replayed(TypedDict):
    """How many messages are retried."""

    replayed: int


class SkipOrder(TypedDict):
    """The reason for skipping; it is stored with the message."""

    reason: NotRequired[str]


class Skipped(TypedDict):
    """How many messages were skipped."""

    skipped: int


class Work(TypedDict):
    """All the work of one person in one service; of remands, the newest few."""

    counts: list[WorkCount]
    remanded: list[RemandedWork]


class WorkCount(TypedDict):
    """One kind of work; `waits`: the person must act, so it counts for the number in the bar."""

    key: str
    label: str
    count: int
    waits: bool
    filter: dict[str, str | list[str]]


async def operators_work(services: ServiceClient, service: str) -> ServiceResponse[Work]:
    """Work that waits for operators: dead letters, refused messages, and the service's own."""
    return await services.get(service, "/operations/work")


async def list_dead_letters(services: ServiceClient, service: str) -> ServiceResponse[DeadLetters]:
    """The oldest hundred dead letters; `blocked` counts the events that wait behind each."""
    return await services.get(service, "/operations/dead-letters")


async def read_dead_letter(
    services: ServiceClient, service: str, letter_id: str
) -> ServiceResponse[DeadLetter]:
    """One dead letter. Raises NotFound."""
    return await services.get(service, f"/operations/dead-letters/{letter_id}")


async def replay_dead_letters(
    services: ServiceClient, service: str, body: CauseOrder
) -> ServiceResponse[Replayed]:
    """Retry all dead letters with one cause; returns how many."""
    return await services.send(service, "POST", "/operations/dead-letters/replay", body)


async def replay_dead_letter(
    services: ServiceClient, service: str, letter_id: str
) -> ServiceResponse[Replayed]:
    """Retry one dead letter. Raises AlreadySettled."""
    return await services.send(service, "POST", f"/operations/dead-letters/{letter_id}/replay")


async def skip_dead_letter(
    services: ServiceClient, service: str, letter_id: str, body: SkipOrder
) -> ServiceResponse[Skipped]:
    """Skip one for good, so that its stream continues. Raises FormErrors, AlreadySettled."""
    return await services.send(service, "POST", f"/operations/dead-letters/{letter_id}/skip", body)


async def list_refused_messages(
    services: ServiceClient, service: str
) -> ServiceResponse[RefusedMessages]:
    """The oldest hundred messages that could not be read as events."""
    return await services.get(service, "/operations/refused")


async def read_refused_message(
    services: ServiceClient, service: str, letter_id: str
) -> ServiceResponse[RefusedMessage]:
    """One refused message. Raises NotFound."""
    return await services.get(service, f"/operations/refused/{letter_id}")


async def replay_refused_message(
    services: ServiceClient, service: str, letter_id: str
) -> ServiceResponse[Replayed]:
    """Read it again, after the reader was fixed. Raises StillUnreadable, AlreadySettled."""
    return await services.send(service, "POST", f"/operations/refused/{letter_id}/replay")


async def skip_refused_message(
    services: ServiceClient, service: str, letter_id: str, body: SkipOrder
) -> ServiceResponse[Skipped]:
    """Skip one; it is kept with the reason. Raises FormErrors, AlreadySettled."""
    return await services.send(service, "POST", f"/operations/refused/{letter_id}/skip", body)


async def read_lag(services: ServiceClient, service: str) -> ServiceResponse[LagHistory]:
    """The present lag, and the worst of every ten seconds in the last ten minutes."""
    return await services.get(service, "/operations/lag")
