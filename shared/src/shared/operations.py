"""What does an operator see and do over HTTP, in every service alike?

Below `/api/<service>/v1/operations`, for operators only: dead letters (events that could not be
processed; each blocks its own stream), refused messages (no events of ours), each with its cause
and payload, to be replayed or passed over with a reason; and how far outbox and inbox lag behind.
"""

from typing import Annotated, Any
from uuid import UUID

import orjson
import structlog
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from sqlalchemy import text

from shared.auth import Principal, Role, require
from shared.db import EVERY_DEALER
from shared.envelope import NotAnEvent, from_headers
from shared.errors import FieldError, FormErrors, Kind, Refusal
from shared.http import NotFound, clock_of, database_of
from shared.inbox import Inbox, NoSuchDeadLetter
from shared.metrics import SAMPLE
from shared.service import OperatorsWork
from shared.work import Work, WorkCount

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


class AlreadySeenTo(Refusal):
    """Somebody else replayed it or passed over it meanwhile."""

    code = "ALREADY_SEEN_TO"
    kind = Kind.CONFLICT
    message = "この通知は、すでに再処理されたか読み飛ばされています。"


class StillNoEvent(Refusal):
    """A refused message cannot be read any better than before; `facts` has the reason."""

    code = "STILL_NO_EVENT"
    kind = Kind.CONFLICT
    message = "この通知は、まだ読み取れません。"


class SkipOrder(BaseModel):
    """Why something is passed over; it is kept with it."""

    reason: str = ""


class CauseOrder(BaseModel):
    """All dead letters whose cause contains this."""

    cause: str = ""


def _inbox(request: Request) -> Inbox:
    return Inbox(database_of(request), request.app.state.service_name)


TheInbox = Annotated[Inbox, Depends(_inbox)]


@router.get("/work")
async def operators_work(_who: Operator, request: Request) -> Work:
    """What waits for operators here: dead letters, refused messages, and the service's own."""
    counted: OperatorsWork = request.app.state.operators_work
    async with database_of(request).transaction(EVERY_DEALER) as tx:
        found = (await tx.execute(WORK)).one()
        counts = [
            WorkCount(key="dead", label="処理できなかった通知", count=found.dead, waits=True),
            WorkCount(key="refused", label="受け取らなかった通知", count=found.refused, waits=True),
        ]
        return Work(counts=counts + await counted(tx))


@router.get("/dead-letters")
async def dead_letters(_who: Operator, inbox: TheInbox) -> dict[str, Any]:
    """The oldest hundred; `blocked` counts the events of the stream that wait behind."""
    return {"items": await _rows(inbox, DEAD)}


@router.get("/dead-letters/{letter_id}")
async def dead_letter(letter_id: UUID, _who: Operator, inbox: TheInbox) -> dict[str, Any]:
    """One of them. Raises NotFound."""
    return await _one(inbox, DEAD, letter_id)


@router.post("/dead-letters/replay")
async def replay_cause(order: CauseOrder, who: Operator, inbox: TheInbox) -> dict[str, int]:
    """Try all of one cause again; answers how many."""
    if not order.cause.strip():
        raise FormErrors(FieldError("cause", "REQUIRED", "原因を入力してください。"))
    replayed = await inbox.replay(cause=order.cause.strip())
    log.info("dead_letters_replayed", count=replayed, by=who.person_id)
    return {"replayed": replayed}


@router.post("/dead-letters/{letter_id}/replay")
async def replay_dead(letter_id: UUID, who: Operator, inbox: TheInbox) -> dict[str, int]:
    """Try one again. Raises AlreadySeenTo."""
    try:
        replayed = await inbox.replay(event_id=letter_id)
    except NoSuchDeadLetter as gone:
        raise AlreadySeenTo from gone
    log.info("dead_letter_replayed", event_id=str(letter_id), by=who.person_id)
    return {"replayed": replayed}


@router.post("/dead-letters/{letter_id}/skip")
async def skip_dead(
    letter_id: UUID, order: SkipOrder, who: Operator, inbox: TheInbox
) -> dict[str, int]:
    """Pass over one for good, so that its stream goes on. Raises FormErrors, AlreadySeenTo."""
    try:
        await inbox.skip(letter_id, reason=_reason(order, who))
    except NoSuchDeadLetter as gone:
        raise AlreadySeenTo from gone
    return {"skipped": 1}


@router.get("/refused")
async def refused(_who: Operator, inbox: TheInbox) -> dict[str, Any]:
    """The oldest hundred messages that were no events of ours."""
    return {"items": [_readable(row) for row in await _rows(inbox, REFUSED)]}


@router.get("/refused/{letter_id}")
async def refused_message(letter_id: UUID, _who: Operator, inbox: TheInbox) -> dict[str, Any]:
    """One of them. Raises NotFound."""
    return _readable(await _one(inbox, REFUSED, letter_id))


@router.post("/refused/{letter_id}/replay")
async def replay_refused(letter_id: UUID, who: Operator, inbox: TheInbox) -> dict[str, int]:
    """Read it once more, after the reader was mended. Raises StillNoEvent, AlreadySeenTo."""
    kept = await _one(inbox, REFUSED, letter_id)
    try:
        event = from_headers(kept["headers"], kept["body"])
    except NotAnEvent as reason:
        raise StillNoEvent(cause=str(reason)) from reason
    await inbox.store([event])  # stored twice is stored once
    await _settle(inbox, letter_id, f"replayed ({who.person_id})")
    return {"replayed": 1}


@router.post("/refused/{letter_id}/skip")
async def skip_refused(
    letter_id: UUID, order: SkipOrder, who: Operator, inbox: TheInbox
) -> dict[str, int]:
    """Put one away; it is kept with the reason. Raises FormErrors, AlreadySeenTo."""
    await _settle(inbox, letter_id, f"skipped: {_reason(order, who)}")
    return {"skipped": 1}


@router.get("/lag")
async def lag(_who: Operator, request: Request) -> dict[str, Any]:
    """How it stands now, and the worst of every ten seconds in the last ten minutes.

    Ages and lags in seconds; the samples come from the workers, `now` is measured here, so that a
    service whose workers stand still shows it.
    """
    async with database_of(request).transaction() as tx:
        now = (await tx.execute(SAMPLE, {"now": clock_of(request).now()})).mappings().one()
        samples = (await tx.execute(SAMPLES)).mappings().all()
    measured = {name: float(value or 0) for name, value in now.items()}
    return {"now": measured, "samples": [dict(row) for row in samples]}


async def _rows(inbox: Inbox, query: Any, wanted: UUID | None = None) -> list[dict[str, Any]]:
    async with inbox.database.transaction() as tx:
        rows = await tx.execute(query, {"id": wanted, "most": MOST})
        return [dict(row) for row in rows.mappings()]


async def _one(inbox: Inbox, query: Any, wanted: UUID) -> dict[str, Any]:
    for row in await _rows(inbox, query, wanted):
        return row
    raise NotFound


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    """A refused message for the screen: the body as text, broken bytes marked."""
    body = row.pop("body").decode("utf-8", "replace")
    return {**row, "headers": orjson.dumps(row["headers"]).decode(), "payload": body}


async def _settle(inbox: Inbox, letter_id: UUID, how: str) -> None:
    async with inbox.database.transaction() as tx:
        if (await tx.execute(SETTLE, {"id": letter_id, "how": how})).first() is None:
            raise AlreadySeenTo


def _reason(order: SkipOrder, who: Principal) -> str:
    reason = order.reason.strip()
    if not reason or len(reason) > 500:  # noqa: PLR2004
        raise FormErrors(FieldError("reason", "REQUIRED", "理由を500文字以内で入力してください。"))
    return f"{reason} ({who.person_id})"
