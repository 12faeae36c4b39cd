"""HTTP API of operations, generated from its OpenAPI document by tools.api_client."""

from __future__ import annotations

from typing import NotRequired, TypedDict
from portal_service.api_client import ServiceClient, ServiceResponse


class CauseOrder(TypedDict):
    """All dead letters whose cause contains this."""

    cause: NotRequired[str]


class DeadLetter(TypedDict):
    """An event that could not be processed; `blocked` counts those of its stream behind it."""

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
    """The oldest hundred."""

    items: list[DeadLetter]


class Lag(TypedDict):
    """How far outbox and inbox lag behind at this moment; ages in seconds."""

    outbox_waiting: float
    outbox_age: float
    inbox_lag: float
    inbox_waiting: float
    gap_age: float
    dead: float
    refused: float
    timer_lateness: float


class LagHistory(TypedDict):
    """The present, and the last ten minutes."""

    now: Lag
    samples: list[LagSample]


class LagSample(TypedDict):
    """The worst of ten seconds."""

    at: str
    outbox_waiting: int
    outbox_age_s: float
    inbox_waiting: int
    inbox_lag_s: float


class RefusedMessage(TypedDict):
    """A message that was no event of ours: its body as text, broken bytes marked."""

    id: str
    received_at: str
    cause: str
    type: str
    headers: str
    size: int
    payload: str


class RefusedMessages(TypedDict):
    """The oldest hundred."""

    items: list[RefusedMessage]


class RemandedWork(TypedDict):
    """Something that came back to the person, with the reason; `said` is None where none is."""

    subject_id: str
    title: str
    note: str
    said: str | None
    by: str | None
    at: str | None


class Replayed(TypedDict):
    """How many are tried again."""

    replayed: int


class SkipOrder(TypedDict):
    """Why something is passed over; it is kept with it."""

    reason: NotRequired[str]


class Skipped(TypedDict):
    """How many were passed over."""

    skipped: int


class Work(TypedDict):
    """All the work of one person in one service; of what was remanded, the newest few."""

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
    """What waits for operators here: dead letters, refused messages, and the service's own."""
    return await services.get(service, "/operations/work")


async def list_dead_letters(services: ServiceClient, service: str) -> ServiceResponse[DeadLetters]:
    """The oldest hundred; `blocked` counts the events of the stream that wait behind."""
    return await services.get(service, "/operations/dead-letters")


async def read_dead_letter(
    services: ServiceClient, service: str, letter_id: str
) -> ServiceResponse[DeadLetter]:
    """One of them. Raises NotFound."""
    return await services.get(service, f"/operations/dead-letters/{letter_id}")


async def replay_dead_letters(
    services: ServiceClient, service: str, body: CauseOrder
) -> ServiceResponse[Replayed]:
    """Try all of one cause again; answers how many."""
    return await services.send(service, "POST", "/operations/dead-letters/replay", body)


async def replay_dead_letter(
    services: ServiceClient, service: str, letter_id: str
) -> ServiceResponse[Replayed]:
    """Try one again. Raises AlreadySettled."""
    return await services.send(service, "POST", f"/operations/dead-letters/{letter_id}/replay")


async def skip_dead_letter(
    services: ServiceClient, service: str, letter_id: str, body: SkipOrder
) -> ServiceResponse[Skipped]:
    """Pass over one for good, so that its stream goes on. Raises FormErrors, AlreadySettled."""
    return await services.send(service, "POST", f"/operations/dead-letters/{letter_id}/skip", body)


async def list_refused_messages(
    services: ServiceClient, service: str
) -> ServiceResponse[RefusedMessages]:
    """The oldest hundred messages that were no events of ours."""
    return await services.get(service, "/operations/refused")


async def read_refused_message(
    services: ServiceClient, service: str, letter_id: str
) -> ServiceResponse[RefusedMessage]:
    """One of them. Raises NotFound."""
    return await services.get(service, f"/operations/refused/{letter_id}")


async def replay_refused_message(
    services: ServiceClient, service: str, letter_id: str
) -> ServiceResponse[Replayed]:
    """Read it once more, after the reader was mended. Raises StillUnreadable, AlreadySettled."""
    return await services.send(service, "POST", f"/operations/refused/{letter_id}/replay")


async def skip_refused_message(
    services: ServiceClient, service: str, letter_id: str, body: SkipOrder
) -> ServiceResponse[Skipped]:
    """Put one away; it is kept with the reason. Raises FormErrors, AlreadySettled."""
    return await services.send(service, "POST", f"/operations/refused/{letter_id}/skip", body)


async def read_lag(services: ServiceClient, service: str) -> ServiceResponse[LagHistory]:
    """How it stands now, and the worst of every ten seconds in the last ten minutes."""
    return await services.get(service, "/operations/lag")
