"""Receipts added, replaced by a new version, and cancelled; a file is never changed (R100, R101).

The file is in the store before its row is written: no row lacks its file. A file whose row was not
written after all is removed by `delete_unused_files`.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service.actions.audit_trail import add_audit_entry
from commuter_service.actions.month_closings import check_months
from commuter_service.actions.slips import LockedSlip, chain_now, locked_slip, touch
from commuter_service.adapters.receipt_store import ReceiptStore
from commuter_service.models import Slip, SlipItem
from commuter_service.receipt_models import Receipt, ReceiptDeletion, ReceiptVersion
from commuter_service.request_context import RequestContext
from commuter_service.rules.receipt_file import ReceiptKind
from commuter_service.rules.receipt_required import (
    YEARS_KEPT,
    ReceiptCancelled,
    check_cancellation,
    check_new_receipt,
)
from commuter_service.rules.slip_approval import SlipStep, step_slip
from commuter_service.slips.receipts import KeptReceipt, receipt_of_slip, receipts_of
from shared.db import EVERY_DEALER, Database
from shared.http import NotFound
from shared.trace_context import new_id

UNUSED_AFTER = timedelta(days=1)
LOOKED_BACK_DAYS = 7
_DAYS_OF_A_YEAR = 366


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file that was looked at and is fit to be kept."""

    content: bytes
    name: str
    kind: ReceiptKind

    @property
    def sha256(self) -> str:
        """Its hash."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file belongs: an item of a slip, or a receipt of it that it replaces."""

    slip_id: UUID
    item_id: UUID | None = None
    receipt_id: UUID | None = None


async def check_upload(ctx: RequestContext, place: Place, version: int, sha256: str) -> Slip | None:
    """Refuse early what `add_file` would refuse; the slip if the same file is there already."""
    slip = await ctx.tx.get(Slip, place.slip_id)
    if slip is not None and slip.dealer_id == ctx.dealer_id:
        kept = await receipts_of(ctx.tx, place.slip_id)
        if _has(kept.values(), place, sha256):
            opened = await locked_slip(ctx, place.slip_id, slip.version)
            return opened.slip
    opened = await _opened(ctx, place.slip_id, version)
    await _place_of(ctx, opened, place)
    return None


async def add_file(
    ctx: RequestContext, place: Place, version: int, file: UploadedFile, key: str
) -> Slip:
    """Write the row of a file that is in the store. Raises what an edit of the slip raises."""
    opened = await _opened(ctx, place.slip_id, version)
    slip, item, receipt = opened.slip, *(await _place_of(ctx, opened, place))
    if receipt is None:
        assert item is not None
        receipt = _new_receipt(ctx, slip, item)
        ctx.tx.add(receipt)
        item.receipt = True
    receipt.newest += 1
    await ctx.tx.flush()
    ctx.tx.add(
        ReceiptVersion(
            receipt_id=receipt.receipt_id,
            number=receipt.newest,
            dealer_id=slip.dealer_id,
            file_name=file.name,
            media_type=file.kind.value,
            size=len(file.content),
            sha256=file.sha256,
            key=key,
            stored_at=ctx.now,
            stored_by=ctx.employee_id,
            stored_by_name=ctx.name,
        )
    )
    touch(ctx, slip)
    action = "add_receipt" if receipt.newest == 1 else "replace_receipt"
    after = {"receipt_id": str(receipt.receipt_id), "number": receipt.newest, "sha256": file.sha256}
    add_audit_entry(ctx, slip.slip_id, slip.employee_id, action, after=after)
    await ctx.tx.flush()
    return slip


async def cancel_receipt(
    ctx: RequestContext, slip_id: UUID, receipt_id: UUID, version: int, reason: str
) -> Slip:
    """Take a receipt out of the slip, with a reason; its files stay. Raises ReceiptCancelled."""
    opened = await _opened(ctx, slip_id, version)
    receipt = await receipt_of_slip(ctx.tx, slip_id, receipt_id, lock=True)
    said = check_cancellation(reason, cancelled=receipt.cancelled_at is not None)
    receipt.cancelled_at, receipt.cancelled_by_name, receipt.reason = ctx.now, ctx.name, said
    touch(ctx, opened.slip)
    after = {"receipt_id": str(receipt_id)}
    add_audit_entry(ctx, slip_id, opened.slip.employee_id, "cancel_receipt", after=after, said=said)
    await ctx.tx.flush()
    return opened.slip


async def delete_unused_files(database: Database, store: ReceiptStore, now: datetime) -> int:
    """Remove files of the last days that have no row a day after they were written."""
    removed = 0
    for back in range(1, LOOKED_BACK_DAYS + 1):
        found = await store.keys_of((now.astimezone(UTC) - timedelta(days=back)).date())
        old = {one.key for one in found if one.written_at < now - UNUSED_AFTER}
        async with database.transaction(EVERY_DEALER) as tx:
            asked = select(ReceiptVersion.key).where(ReceiptVersion.key.in_(old))
            used = set((await tx.execute(asked)).scalars())
        for key in old - used:
            await store.delete(key)
        removed += len(old - used)
    return removed


async def delete_expired_receipts(
    database: Database, store: ReceiptStore, now: datetime, years: int = YEARS_KEPT
) -> int:
    """Delete receipts whose last version is older than `years`, and their files.

    With the rows goes a note of each file, which stays until the store has removed it: whenever the
    process ends, the next run goes on. Returns how many files were removed.
    """
    before = now - timedelta(days=years * _DAYS_OF_A_YEAR)
    async with database.transaction(EVERY_DEALER) as tx:
        await _delete_rows(tx, before, now)
    async with database.transaction(EVERY_DEALER) as tx:
        noted = (await tx.execute(select(ReceiptDeletion.key))).scalars().all()
    for key in noted:
        await store.delete(key)
        async with database.transaction(EVERY_DEALER) as tx:
            await tx.execute(delete(ReceiptDeletion).where(ReceiptDeletion.key == key))
    return len(noted)


async def _delete_rows(tx: AsyncSession, before: datetime, now: datetime) -> None:
    newest = func.max(ReceiptVersion.stored_at)
    asked = select(ReceiptVersion.receipt_id).group_by(ReceiptVersion.receipt_id)
    due = (await tx.execute(asked.having(newest < before).limit(1000))).scalars().all()
    await tx.execute(text("SELECT set_config('app.retention', 'over', true)"))
    gone = delete(ReceiptVersion).where(ReceiptVersion.receipt_id.in_(due))
    files = await tx.execute(gone.returning(ReceiptVersion.key, ReceiptVersion.dealer_id))
    tx.add_all(
        ReceiptDeletion(key=key, dealer_id=dealer_id, deleted_at=now) for key, dealer_id in files
    )
    await tx.execute(delete(Receipt).where(Receipt.receipt_id.in_(due)))


def _has(kept: Iterable[Sequence[KeptReceipt]], place: Place, sha256: str) -> bool:
    """Whether the same file is there: a request that is sent again is one upload."""
    return any(
        one.newest.sha256 == sha256 and one.receipt.cancelled_at is None
        for some in kept
        for one in some
        if place.receipt_id in {None, one.receipt.receipt_id}
        and place.item_id in {None, one.receipt.item_id}
    )


async def _opened(ctx: RequestContext, slip_id: UUID, version: int) -> LockedSlip:
    """A slip whose content this person may change now."""
    opened = await locked_slip(ctx, slip_id, version)
    step_slip(opened.state, SlipStep.EDIT, opened.actor, approvers=chain_now(ctx, opened.slip))
    await check_months(ctx, SlipStep.EDIT, opened.state.status, opened.items)
    return opened


async def _place_of(
    ctx: RequestContext, opened: LockedSlip, place: Place
) -> tuple[SlipItem | None, Receipt | None]:
    if place.receipt_id is not None:
        receipt = await receipt_of_slip(ctx.tx, place.slip_id, place.receipt_id, lock=True)
        if receipt.cancelled_at is not None:
            raise ReceiptCancelled
        return None, receipt
    item = next((one for one in opened.items if one.item_id == place.item_id), None)
    if item is None:
        raise NotFound
    kept = (await receipts_of(ctx.tx, place.slip_id)).get(item.item_id, [])
    check_new_receipt(len(kept))
    return item, None


def _new_receipt(ctx: RequestContext, slip: Slip, item: SlipItem) -> Receipt:
    return Receipt(
        receipt_id=new_id(),
        dealer_id=slip.dealer_id,
        employee_id=slip.employee_id,
        slip_id=slip.slip_id,
        item_id=item.item_id,
        newest=0,
        handed_in_at=ctx.now if slip.submitted_at else None,
        item_on=None,
        amount_yen=None,
        payee="",
        cancelled_at=None,
        cancelled_by_name=None,
        reason=None,
    )
