"""Quarantine API, for operators: refused messages of dealers' systems, release and discard."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from interchange_service.actions.accept_message import AlreadySettled, discard, release
from interchange_service.api.dependencies import Operator, TheClock, Tx
from interchange_service.models import Quarantined
from interchange_service.queries import open_quarantine, quarantined_message
from interchange_service.rules.message_checks import MESSAGES, Reason
from shared.http import NotFound
from shared.refusals import Declared, refuses

router = APIRouter(prefix="/quarantine")


class QuarantineLine(BaseModel):
    """A refused message as the list shows it; `size` in bytes."""

    quarantined_id: UUID
    dealer_id: str | None
    channel: str
    reason: str
    reason_japanese: str
    detail: str
    address: str
    size: int
    received_at: datetime


class QuarantinePage(BaseModel):
    """Some of them, the newest first; `next` goes into `after` for the following ones."""

    messages: list[QuarantineLine]
    next: UUID | None


class QuarantinedMessage(QuarantineLine):
    """One message with all that came, broken bytes marked, and what became of it."""

    headers: dict[str, str]
    content_type: str | None
    body: str
    settled_at: datetime | None
    settled_as: str | None
    settled_by: str | None
    note: str | None


class Released(BaseModel):
    """The message is accepted; `repeated` where it had been before."""

    message_id: str
    repeated: bool


class DiscardOrder(BaseModel):
    """Why a message is put away."""

    note: str = Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")


@router.get("")
async def list_quarantine(
    _who: Operator,
    tx: Tx,
    after: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> QuarantinePage:
    """The messages that nobody has seen to."""
    found = await open_quarantine(tx, after=after, limit=limit)
    more = len(found) == limit
    return QuarantinePage(
        messages=[QuarantineLine(**_line(kept)) for kept in found],
        next=found[-1].quarantined_id if more else None,
    )


@router.get("/{quarantined_id}")
@refuses(NotFound)
async def read_quarantined(quarantined_id: UUID, _who: Operator, tx: Tx) -> QuarantinedMessage:
    """One message, settled or not. Raises NotFound."""
    kept = await _found(tx, quarantined_id)
    return QuarantinedMessage(
        **_line(kept),
        headers=kept.headers,
        content_type=kept.content_type,
        body=kept.body.decode("utf-8", "replace"),
        settled_at=kept.settled_at,
        settled_as=kept.settled_as,
        settled_by=kept.settled_by,
        note=kept.note,
    )


@router.post("/{quarantined_id}/release")
@refuses(NotFound, AlreadySettled)
@refuses(*(Declared(reason.value, 422, words) for reason, words in MESSAGES.items()))
async def release_quarantined(
    quarantined_id: UUID, who: Operator, tx: Tx, clock: TheClock
) -> Released:
    """Accept it after all. Raises NotFound, AlreadySettled, NotAccepted."""
    kept = await _found(tx, quarantined_id)
    receipt = await release(tx, kept, by=who.person_id, now=clock.now())
    return Released(message_id=receipt.message_id, repeated=receipt.repeated)


@router.post("/{quarantined_id}/discard", status_code=204)
@refuses(NotFound, AlreadySettled)
async def discard_quarantined(
    quarantined_id: UUID, order: DiscardOrder, who: Operator, tx: Tx, clock: TheClock
) -> None:
    """Put it away for good. Raises NotFound, AlreadySettled."""
    await _found(tx, quarantined_id)
    await discard(tx, quarantined_id, by=who.person_id, note=order.note, now=clock.now())


async def _found(tx: AsyncSession, quarantined_id: UUID) -> Quarantined:
    kept = await quarantined_message(tx, quarantined_id)
    if kept is None:
        raise NotFound
    return kept


def _line(kept: Quarantined) -> dict[str, object]:
    return {
        "quarantined_id": kept.quarantined_id,
        "dealer_id": kept.dealer_id or None,
        "channel": kept.channel,
        "reason": kept.reason,
        "reason_japanese": MESSAGES[Reason(kept.reason)],
        "detail": kept.detail,
        "address": kept.address,
        "size": kept.size,
        "received_at": kept.received_at,
    }
