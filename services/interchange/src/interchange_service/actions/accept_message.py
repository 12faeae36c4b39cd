"""Acceptance of dealer messages: each becomes an event once, or is quarantined. C4.

`accept` checks a message, numbers it after what the dealer sent before, and emits it; a message
sent again has no second effect. `quarantine_message` keeps what was refused, but no more than
`MOST_IN_QUARANTINE` of one dealer, so that a flood of bad messages cannot fill the disk.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.ext.asyncio import AsyncSession

from interchange_service.dealer_messages import CheckedMessage, judge, parts_of
from interchange_service.metrics import ACCEPTED, OVERFLOW, QUARANTINED, count_once_committed
from interchange_service.models import AcceptedMessage, DealerAccount, Quarantined
from interchange_service.rules.cloud_event import in_words_of_the_sender
from interchange_service.rules.message_checks import (
    ID_USED,
    LARGEST_BODY,
    TOO_MANY_BYTES,
    InboundMessage,
    NotAccepted,
    Reason,
)
from shared import outbox
from shared.errors import Kind, Refusal
from shared.trace_context import new_id

MOST_IN_QUARANTINE = 1000


class AlreadySettled(Refusal):
    """Another person released or discarded the message meanwhile."""

    code = "ALREADY_SETTLED"
    kind = Kind.CONFLICT
    message = "このメッセージは、すでに処理されています。"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The result of a message; `repeated` where it had been accepted before.

    `ignored` are the fields of its data that are unknown here.
    """

    message_id: str
    repeated: bool
    ignored: tuple[str, ...] = ()


async def accept(tx: AsyncSession, arrival: InboundMessage, *, now: datetime) -> Receipt:
    """Emit the event of an acceptable message. Raises NotAccepted; then quarantine it.

    Where it raises, it has written nothing.
    """
    try:
        return await _emit(tx, judge(arrival, now=now), arrival.channel, now)
    except NotAccepted as refusal:
        raise in_words_of_the_sender(refusal, arrival) from None


async def ingest(tx: AsyncSession, arrival: InboundMessage, *, now: datetime) -> None:
    """Accept or quarantine a message, or each event of a batch, in the same transaction."""
    try:
        parts = parts_of(arrival)
    except NotAccepted as refusal:
        await quarantine_message(tx, arrival, refusal, now=now)
        return
    for part in parts:
        try:
            await accept(tx, part, now=now)
        except NotAccepted as refusal:
            await quarantine_message(tx, part, refusal, now=now)


async def _emit(tx: AsyncSession, message: CheckedMessage, channel: str, now: datetime) -> Receipt:
    dealer_id = message.event.dealer_id
    sender = select(DealerAccount.dealer_id).where(
        DealerAccount.dealer_id == dealer_id, DealerAccount.active
    )
    if await tx.scalar(sender) is None:
        raise NotAccepted(Reason.SENDER_UNKNOWN)
    content = message.event.wire_type.encode() + b"\0" + message.event.model_dump_json().encode()
    digest = sha256(content).digest()
    row = {
        "dealer_id": dealer_id,
        "message_id": message.message_id,
        "digest": digest,
        "accepted_at": now,
    }
    key = (AcceptedMessage.dealer_id == dealer_id, AcceptedMessage.message_id == message.message_id)
    new = insert_or(AcceptedMessage).values(row).on_conflict_do_nothing()
    if await tx.scalar(new.returning(AcceptedMessage.message_id)) is None:
        if await tx.scalar(select(AcceptedMessage.digest).where(*key)) != digest:
            raise NotAccepted(Reason.MESSAGE_ID_REUSED, ID_USED)
        return Receipt(message.message_id, repeated=True, ignored=message.ignored)
    await outbox.add(tx, message.event, now=now)
    count_once_committed(tx, ACCEPTED, dealer_id, channel)
    return Receipt(message.message_id, repeated=False, ignored=message.ignored)


async def quarantine_message(
    tx: AsyncSession, arrival: InboundMessage, refusal: NotAccepted, *, now: datetime
) -> UUID | None:
    """Keep a refused message; None where its sender has too many in quarantine already.

    None, too, where it was delivered before and is there: its acknowledgement was lost.
    """
    dealer_id = arrival.sender or ""
    if arrival.again and await _already_quarantined(tx, dealer_id, arrival):
        return None
    kept = select(func.count()).where(
        Quarantined.dealer_id == dealer_id, Quarantined.settled_at.is_(None)
    )
    if arrival.sender is None:  # without a sender: limited per channel they came by
        kept = kept.where(Quarantined.addressed == arrival.addressed)
    if (await tx.scalar(kept) or 0) >= MOST_IN_QUARANTINE:
        count_once_committed(tx, OVERFLOW, dealer_id)
        return None
    count_once_committed(tx, QUARANTINED, dealer_id, refusal.reason.value)
    quarantined_id = new_id()
    await tx.execute(
        insert(Quarantined).values(
            quarantined_id=quarantined_id,
            dealer_id=dealer_id,
            channel=arrival.channel,
            reason=refusal.reason.value,
            detail=_storable(refusal.detail)[:500],
            address=_storable(arrival.address)[:500],
            addressed=_cut(arrival.addressed),
            headers=_headers(arrival),
            content_type=_cut(arrival.content_type),
            body=arrival.body[:LARGEST_BODY],
            size=len(arrival.body),
            received_at=now,
        )
    )
    return quarantined_id


async def _already_quarantined(tx: AsyncSession, dealer_id: str, arrival: InboundMessage) -> bool:
    same = select(Quarantined.quarantined_id).where(
        Quarantined.dealer_id == dealer_id,
        Quarantined.settled_at.is_(None),
        Quarantined.address == _storable(arrival.address)[:500],
        Quarantined.headers == _headers(arrival),
        Quarantined.body == arrival.body[:LARGEST_BODY],
    )
    return await tx.scalar(same.limit(1)) is not None


async def release(tx: AsyncSession, kept: Quarantined, *, by: str, now: datetime) -> Receipt:
    """Accept a message from quarantine after all. Raises AlreadySettled, NotAccepted.

    A person vouches for its time; everything else is judged again.
    """
    await _settle(tx, kept.quarantined_id, "released", by, None, now)
    if kept.size > len(kept.body):
        raise NotAccepted(Reason.TOO_LARGE, TOO_MANY_BYTES)
    return await _emit(tx, judge(message_of(kept), now=None), kept.channel, now)


async def discard(
    tx: AsyncSession, quarantined_id: UUID, *, by: str, note: str, now: datetime
) -> None:
    """Discard a message for good; it is kept with the note. Raises AlreadySettled."""
    await _settle(tx, quarantined_id, "discarded", by, note, now)


def message_of(kept: Quarantined) -> InboundMessage:
    """The message as received."""
    return InboundMessage(
        channel="amqp" if kept.channel == "amqp" else "https",
        sender=kept.dealer_id or None,
        addressed=kept.addressed,
        address=kept.address,
        headers=kept.headers,
        content_type=kept.content_type,
        body=kept.body,
    )


async def _settle(  # noqa: PLR0913, PLR0917  one row, every column of it
    tx: AsyncSession, quarantined_id: UUID, how: str, by: str, note: str | None, now: datetime
) -> None:
    settled = (
        update(Quarantined)
        .where(Quarantined.quarantined_id == quarantined_id, Quarantined.settled_at.is_(None))
        .values(settled_at=now, settled_as=how, settled_by=by, note=note)
    )
    if await tx.scalar(settled.returning(Quarantined.quarantined_id)) is None:
        raise AlreadySettled


def _headers(arrival: InboundMessage) -> dict[str, str]:
    known = sorted(arrival.headers.items())[:50]
    return {_storable(name)[:100]: _storable(value)[:1000] for name, value in known}


def _cut(text: str | None) -> str | None:
    return None if text is None else _storable(text)[:500]


def _storable(text: str) -> str:
    """Without characters that PostgreSQL cannot store in text."""
    return text.encode("utf-8", "replace").decode().replace("\0", "�")
