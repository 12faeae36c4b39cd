"""Operator API of every service: dead letters, refused messages and lag.

Below `/api/<service>/v1/operations`, for operators only. Dead letters are events whose processing
failed for good; each blocks its own stream. Refused messages could not be read as events. Both have
their cause and payload, and can be replayed, or skipped with a reason.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import orjson
import structlog
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from sqlalchemy import RowMapping, TextClause, text

from shared.auth import Principal, Role, require
from shared.db import EVERY_DEALER
from shared.errors import FieldError, FormErrors, Kind, Refusal
from shared.event_batch import read_message
from shared.http import NotFound, clock_of, database_of
from shared.inbox import Inbox, NoSuchDeadLetter
from shared.metrics import SAMPLE
from shared.pending_work import Work, WorkCount
from shared.refusals import refuses
from shared.service import OperatorsWork

log = structlog.get_logger()
router = APIRouter(prefix="/operations")
Operator = Annotated[Principal, require(Role.OPERATOR)]

MOST = 100
DEAD = text("""
    SELECT event_id AS id, type, stream, sequence, dealer_id, occurred_at, attempts, cause,
           settled_at, payload::text AS payload, (
             SELECT count(*) FROM inbox w WHERE w.stream = i.stream AND w.state = 'parked'
           ) AS blocked
    FROM inbox i
    WHERE state = 'dead' AND (CAST(:id AS uuid) IS NULL OR event_id = CAST(:id AS uuid))
    ORDER BY settled_at LIMIT :most
""")
REFUSED = text("""
    SELECT refused_id AS id, received_at, reason AS cause, routing_key AS type, headers,
           body, length(body) AS size
    FROM inbox_refused
    WHERE settled_at IS NULL AND (CAST(:id AS uuid) IS NULL OR refused_id = CAST(:id AS uuid))
    ORDER BY received_at LIMIT :most
""")
WORK = text("""
    SELECT (SELECT count(*) FROM inbox WHERE state = 'dead') AS dead,
           (SELECT count(*) FROM inbox_refused WHERE settled_at IS NULL) AS refused
""")
SETTLE = text("""
    UPDATE inbox_refused SET settled_at = clock_timestamp(), settled_as = :how
    WHERE refused_id = :id AND settled_at IS NULL RETURNING 1
""")
SAMPLES = text("""
    SELECT date_bin('10 seconds', taken_at, 'epoch') AS at, max(outbox_waiting) AS outbox_waiting,
           max(outbox_age_s) AS outbox_age_s, max(inbox_waiting) AS inbox_waiting,
           max(inbox_lag_s) AS inbox_lag_s
    FROM lag_sample WHERE taken_at > clock_timestamp() - interval '10 minutes'
    GROUP BY 1 ORDER BY 1
""")


class AlreadySettled(Refusal):
    """It was replayed or skipped in the meantime."""

    code = "ALREADY_SEEN_TO"
    kind = Kind.CONFLICT
    message = "この通知は、すでに再処理されたか読み飛ばされています。"


class StillUnreadable(Refusal):
    """The refused message still cannot be read as an event; `facts` has the reason."""

    code = "STILL_NO_EVENT"
    kind = Kind.CONFLICT
    message = "この通知は、まだ読み取れません。"


class SkipOrder(BaseModel):
    """The reason for skipping; it is stored with the message."""

    reason: str = ""


class CauseOrder(BaseModel):
    """Selects all dead letters whose cause contains this text."""

    cause: str = ""


class DeadLetter(BaseModel):
    """An event whose processing failed for good; `blocked` counts the events waiting behind it."""

    id: UUID
    type: str
    stream: str
    sequence: int
    dealer_id: str
    occurred_at: datetime
    attempts: int
    cause: str | None
    settled_at: datetime | None
    payload: str
    blocked: int


class DeadLetters(BaseModel):
    """The oldest hundred dead letters."""

    items: list[DeadLetter]


class RefusedMessage(BaseModel):
    """A message that could not be read as an event: its body as text, invalid bytes marked."""

    id: UUID
    received_at: datetime
    cause: str
    type: str
    headers: str
    size: int
    payload: str


class RefusedMessages(BaseModel):
    """The oldest hundred refused messages."""

    items: list[RefusedMessage]


class Replayed(BaseModel):
    """How many messages are retried."""

    replayed: int


class Skipped(BaseModel):
    """How many messages were skipped."""

    skipped: int


class Lag(BaseModel):
    """The present lag of outbox and inbox; ages in seconds."""

    outbox_waiting: float
    outbox_age: float
    inbox_lag: float
    inbox_waiting: float
    gap_age: float
    dead: float
    refused: float
    timer_lateness: float


class LagSample(BaseModel):
    """The worst values of ten seconds."""

    at: datetime
    outbox_waiting: int
    outbox_age_s: float
    inbox_waiting: int
    inbox_lag_s: float


class LagHistory(BaseModel):
    """The present lag, and the last ten minutes."""

    now: Lag
    samples: list[LagSample]


def _inbox(request: Request) -> Inbox:
    return Inbox(database_of(request), request.app.state.service_name)


TheInbox = Annotated[Inbox, Depends(_inbox)]


@router.get("/work")
async def operators_work(_who: Operator, request: Request) -> Work:
    """Work that waits for operators: dead letters, refused messages, and the service's own."""
    counted: OperatorsWork = request.app.state.operators_work
    async with database_of(request).transaction(EVERY_DEALER) as tx:
        found = (await tx.execute(WORK)).one()
        counts = [
            WorkCount(key="dead", label="処理できなかった通知", count=found.dead, waits=True),
            WorkCount(key="refused", label="受け取らなかった通知", count=found.refused, waits=True),
        ]
        return Work(counts=counts + await counted(tx))


@router.get("/dead-letters")
async def list_dead_letters(_who: Operator, inbox: TheInbox) -> DeadLetters:
    """The oldest hundred dead letters; `blocked` counts the events that wait behind each."""
    return DeadLetters(items=[DeadLetter(**row) for row in await _rows(inbox, DEAD)])


@router.get("/dead-letters/{letter_id}")
@refuses(NotFound)
async def read_dead_letter(letter_id: UUID, _who: Operator, inbox: TheInbox) -> DeadLetter:
    """One dead letter. Raises NotFound."""
    return DeadLetter(**await _one(inbox, DEAD, letter_id))


@router.post("/dead-letters/replay")
async def replay_dead_letters(order: CauseOrder, who: Operator, inbox: TheInbox) -> Replayed:
    """Retry all dead letters with one cause; returns how many."""
    if not order.cause.strip():
        raise FormErrors(FieldError("cause", "REQUIRED", "原因を入力してください。"))
    replayed = await inbox.replay(cause=order.cause.strip())
    log.info("dead_letters_replayed", count=replayed, by=who.person_id)
    return Replayed(replayed=replayed)


@router.post("/dead-letters/{letter_id}/replay")
@refuses(AlreadySettled)
async def replay_dead_letter(letter_id: UUID, who: Operator, inbox: TheInbox) -> Replayed:
    """Retry one dead letter. Raises AlreadySettled."""
    try:
        replayed = await inbox.replay(event_id=letter_id)
    except NoSuchDeadLetter as error:
        raise AlreadySettled from error
    log.info("dead_letter_replayed", event_id=str(letter_id), by=who.person_id)
    return Replayed(replayed=replayed)


@router.post("/dead-letters/{letter_id}/skip")
@refuses(AlreadySettled)
async def skip_dead_letter(
    letter_id: UUID, order: SkipOrder, who: Operator, inbox: TheInbox
) -> Skipped:
    """Skip one for good, so that its stream continues. Raises FormErrors, AlreadySettled."""
    try:
        await inbox.skip(letter_id, reason=_reason(order, who))
    except NoSuchDeadLetter as error:
        raise AlreadySettled from error
    return Skipped(skipped=1)


@router.get("/refused")
async def list_refused_messages(_who: Operator, inbox: TheInbox) -> RefusedMessages:
    """The oldest hundred messages that could not be read as events."""
    return RefusedMessages(items=[_readable(row) for row in await _rows(inbox, REFUSED)])


@router.get("/refused/{letter_id}")
@refuses(NotFound)
async def read_refused_message(letter_id: UUID, _who: Operator, inbox: TheInbox) -> RefusedMessage:
    """One refused message. Raises NotFound."""
    return _readable(await _one(inbox, REFUSED, letter_id))


@router.post("/refused/{letter_id}/replay")
@refuses(NotFound, StillUnreadable, AlreadySettled)
async def replay_refused_message(letter_id: UUID, who: Operator, inbox: TheInbox) -> Replayed:
    """Read it again, after the reader was fixed. Raises StillUnreadable, AlreadySettled."""
    kept = await _one(inbox, REFUSED, letter_id)
    events, unreadable = read_message(kept["headers"], kept["body"])
    if unreadable:
        raise StillUnreadable(cause=unreadable[0].reason)
    await inbox.store(events)  # idempotent
    await _settle(inbox, letter_id, f"replayed ({who.person_id})")
    return Replayed(replayed=len(events))


@router.post("/refused/{letter_id}/skip")
@refuses(AlreadySettled)
async def skip_refused_message(
    letter_id: UUID, order: SkipOrder, who: Operator, inbox: TheInbox
) -> Skipped:
    """Skip one; it is kept with the reason. Raises FormErrors, AlreadySettled."""
    await _settle(inbox, letter_id, f"skipped: {_reason(order, who)}")
    return Skipped(skipped=1)


@router.get("/lag")
async def read_lag(_who: Operator, request: Request) -> LagHistory:
    """The present lag, and the worst of every ten seconds in the last ten minutes.

    Ages and lags in seconds. The samples come from the workers; `now` is measured by this request,
    so that a service whose workers are stuck shows it.
    """
    async with database_of(request).transaction(EVERY_DEALER) as tx:
        now = (await tx.execute(SAMPLE, {"now": clock_of(request).now()})).mappings().one()
        samples = (await tx.execute(SAMPLES)).mappings().all()
    measured = Lag(**{name: float(value or 0) for name, value in now.items()})
    return LagHistory(now=measured, samples=[LagSample(**row) for row in samples])


async def _rows(inbox: Inbox, query: TextClause, id_: UUID | None = None) -> Sequence[RowMapping]:
    async with inbox.database.transaction(EVERY_DEALER) as tx:
        rows = await tx.execute(query, {"id": id_, "most": MOST})
        return rows.mappings().all()


async def _one(inbox: Inbox, query: TextClause, id_: UUID) -> RowMapping:
    for row in await _rows(inbox, query, id_):
        return row
    raise NotFound


def _readable(row: RowMapping) -> RefusedMessage:
    """A refused message for the screen: the body as text, invalid bytes marked."""
    shown = dict(row)
    body = shown.pop("body").decode("utf-8", "replace")
    headers = orjson.dumps(shown.pop("headers")).decode()
    return RefusedMessage(**shown, headers=headers, payload=body)


async def _settle(inbox: Inbox, letter_id: UUID, how: str) -> None:
    async with inbox.database.transaction(EVERY_DEALER) as tx:
        if (await tx.execute(SETTLE, {"id": letter_id, "how": how})).first() is None:
            raise AlreadySettled


def _reason(order: SkipOrder, who: Principal) -> str:
    reason = order.reason.strip()
    if not reason or len(reason) > 500:  # noqa: PLR2004
        raise FormErrors(FieldError("reason", "REQUIRED", "理由を500文字以内で入力してください。"))
    return f"{reason} ({who.person_id})"
