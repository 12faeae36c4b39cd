"""What becomes of receipts as their slip is saved, submitted or deleted (R101)."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select, update

from commuter_service.models import Slip, SlipItem
from commuter_service.receipt_models import Receipt
from commuter_service.request_context import RequestContext


async def restorable_items(
    ctx: RequestContext, slip: Slip, items: Iterable[SlipItem]
) -> frozenset[UUID]:
    """The ids of removed items that have receipts: an item that comes back gets them again."""
    found = select(Receipt.item_id).where(Receipt.slip_id == slip.slip_id)
    present = {item.item_id for item in items}
    return frozenset((await ctx.tx.execute(found)).scalars()) - present


async def keep_receipts_of(ctx: RequestContext, removed: Iterable[SlipItem]) -> None:
    """Note with the receipts of removed items what they are found by."""
    for item in removed:
        facts = {
            "item_on": item.item_on, "amount_yen": item.amount_yen, "payee": item.payee,
        }  # fmt: skip
        await ctx.tx.execute(update(Receipt).where(Receipt.item_id == item.item_id).values(**facts))


async def hand_in_receipts(ctx: RequestContext, slip: Slip) -> None:
    """From the first submission on accounting finds the receipts of the slip."""
    waiting = Receipt.slip_id == slip.slip_id, Receipt.handed_in_at.is_(None)
    await ctx.tx.execute(update(Receipt).where(*waiting).values(handed_in_at=ctx.now))
