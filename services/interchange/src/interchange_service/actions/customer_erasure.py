"""Customer erasure: quarantined messages that name the customer or the contract are emptied."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.personal_data import byte_forms, erase_personal_data

ERASE_QUARANTINED = text("""
    UPDATE quarantined SET body = '', headers = '{}', detail = '', note = NULL,
           settled_at = coalesce(settled_at, :now),
           settled_as = coalesce(settled_as, 'discarded'),
           settled_by = coalesce(settled_by, 'erasure')
    WHERE dealer_id IN (:dealer, '') AND EXISTS (
        SELECT FROM unnest(CAST(:words AS bytea[])) AS w (word)
        WHERE position(word IN body) > 0
           OR position(word IN convert_to(
                  headers::text || detail || coalesce(note, ''), 'UTF8')) > 0)
""")
ABOUT_CONTRACT = text("""
    SELECT DISTINCT aggregate_id FROM outbox
    WHERE aggregate_type = 'dealer' AND payload ->> 'contract_no' = :contract_no
""")


async def erase_customer(
    tx: AsyncSession, dealer_id: str, contract_no: str, words: Iterable[str], *, now: datetime
) -> None:
    """Empty the dealer's quarantined messages and blank its events; repeated calls do nothing."""
    known = [contract_no, *words]
    forms = [form for word in known for form in byte_forms(word)]
    found = {"dealer": dealer_id, "words": forms, "now": now}
    await tx.execute(ERASE_QUARANTINED, found)
    ids = list(await tx.scalars(ABOUT_CONTRACT, {"contract_no": contract_no}))
    await erase_personal_data(tx, contract_no, "dealer", ids, known[1:])
