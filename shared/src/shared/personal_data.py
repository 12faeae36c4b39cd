"""Personal data erasure in the event core's tables; ids, types and numbers are kept.

Covers the log of emitted events, waiting and dead events, refused messages, and responses kept by
Idempotency-Key: personal data of the customer (`Event.personal`) is overwritten or deleted.
"""

import json
from collections.abc import Collection, Sequence

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts.event import ERASED
from event_contracts.registry import without_personal

LOGGED = text("""
    SELECT position, created_at, type, payload::text AS payload FROM outbox
    WHERE aggregate_type = :kind AND aggregate_id = ANY(:ids)
""")
OVERWRITE_LOGGED = text("""
    UPDATE outbox SET payload = CAST(:payload AS json)
    WHERE position = :position AND created_at = :created_at
""")
RECEIVED = text("""
    SELECT stream, sequence, event_id, type, payload::text AS payload, cause FROM inbox
    WHERE payload ->> 'contract_no' = :contract_no OR aggregate_id = ANY(:ids)
""")
OVERWRITE_RECEIVED = text("""
    UPDATE inbox SET payload = CAST(:payload AS json), cause = :cause
    WHERE stream = :stream AND sequence = :sequence AND event_id = :event_id
""")
ERASE_REFUSED = text("""
    UPDATE inbox_refused SET body = '', headers = '{}', settled_as = 'customer erased',
           settled_at = coalesce(settled_at, clock_timestamp())
    WHERE EXISTS (SELECT FROM unnest(CAST(:words AS bytea[])) AS w (word)
                  WHERE position(word IN body) > 0)
""")
ERASE_ANSWERS = text("""
    DELETE FROM idempotency WHERE EXISTS (
        SELECT FROM unnest(CAST(:words AS text[])) AS w (word)
        WHERE position(word IN answer::text) > 0 OR position(word IN fingerprint) > 0)
""")


PENDING = text("""
    SELECT EXISTS (
        SELECT FROM outbox JOIN outbox_queue USING (position, created_at)
        WHERE aggregate_type = :kind AND aggregate_id = ANY(:ids))
""")


class StillPending(RuntimeError):
    """An event that subscribers still need is not published yet; try again later."""


async def erase_from_log(tx: AsyncSession, aggregate_type: str, ids: Sequence[str]) -> None:
    """Overwrite the personal data of published events. Raises StillPending."""
    names = {"kind": aggregate_type, "ids": ids}
    if (await tx.execute(PENDING, names)).scalar_one():
        raise StillPending(aggregate_type)
    await _erase_logged(tx, aggregate_type, ids)


async def _erase_logged(tx: AsyncSession, aggregate_type: str, ids: Sequence[str]) -> None:
    for row in await tx.execute(LOGGED, {"kind": aggregate_type, "ids": ids}):
        payload = _blanked(row.type, row.payload)
        place = {"position": row.position, "created_at": row.created_at}
        if payload is not None:
            await tx.execute(OVERWRITE_LOGGED, {**place, "payload": payload})


async def erase_personal_data(
    tx: AsyncSession,
    contract_no: str,
    aggregate_type: str,
    ids: Sequence[str],
    words: Collection[str | None],
) -> None:
    """Erase a contract's customer from the event core's tables.

    `ids` are the service's own aggregates about the contract; `words` are the name, address and
    other texts known to the service, to find refused messages, which cannot be read by field.
    """
    await _erase_logged(tx, aggregate_type, ids)
    for row in await tx.execute(RECEIVED, {"contract_no": contract_no, "ids": ids}):
        payload = _blanked(row.type, row.payload)
        cause = f"{row.cause.partition(':')[0]}: {ERASED}" if row.cause else None
        place = {"stream": row.stream, "sequence": row.sequence, "event_id": row.event_id}
        kept = {"payload": payload or row.payload, "cause": cause}
        await tx.execute(OVERWRITE_RECEIVED, {**place, **kept})
    known = [contract_no, *(word for word in words if word and len(word) > 1)]
    await tx.execute(
        ERASE_REFUSED, {"words": [form for word in known for form in byte_forms(word)]}
    )
    await tx.execute(ERASE_ANSWERS, {"words": known})


def _blanked(wire_type: str, payload: str) -> str | None:
    """The payload without personal data; None if it has none."""
    before = orjson.loads(payload)
    after = without_personal(wire_type, before)
    return orjson.dumps(after).decode() if after != before else None


def byte_forms(word: str) -> list[bytes]:
    """The encodings of a word in a message: UTF-8, Shift_JIS, and escaped as JSON does."""
    shift_jis = word.encode("cp932", "ignore")
    return [word.encode(), json.dumps(word)[1:-1].encode(), *([shift_jis] if shift_jis else [])]
