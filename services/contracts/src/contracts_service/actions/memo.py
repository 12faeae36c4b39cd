"""Memo (自由記入欄): each save is a new version; the text is never published (D47)."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts_service import queries
from contracts_service.actions.entry_history import Recorder
from contracts_service.models import Contract, Memo
from contracts_service.rules.memo import memo_to_save
from event_contracts.contract import NoteSaved
from shared import outbox
from shared.concurrency import check_version


async def save_memo(
    tx: AsyncSession, contract: Contract, text: str, *, expected: int, recorder: Recorder
) -> Memo:
    """Save a new version after `expected` (0 before the first); the contract must be locked.

    Raises:
        VersionConflict, FormErrors.
    """
    latest = await queries.memo_of(tx, contract.contract_no)
    check_version(latest.version if latest else 0, expected)
    memo = Memo(
        contract_no=contract.contract_no,
        version=expected + 1,
        dealer_id=contract.dealer_id,
        text=memo_to_save(text),
        saved_at=recorder.now,
        saved_by=recorder.who,
    )
    tx.add(memo)
    saved = NoteSaved(
        dealer_id=contract.dealer_id,
        contract_no=contract.contract_no,
        note_version=memo.version,
        length=len(memo.text),
    )
    await outbox.add(tx, saved, now=recorder.now)
    return memo
