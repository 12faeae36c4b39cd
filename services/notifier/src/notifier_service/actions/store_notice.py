"""Which dealers wish that a store's approvers are told by mail what waits for them? D96, D153."""

from sqlalchemy import delete, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from notifier_service.models import StoreNotice


async def set_store_notice(tx: AsyncSession, dealer_id: str, *, wanted: bool) -> None:
    """Keep a dealer's wish."""
    if wanted:
        await tx.execute(insert(StoreNotice).values(dealer_id=dealer_id).on_conflict_do_nothing())
    else:
        await tx.execute(delete(StoreNotice).where(StoreNotice.dealer_id == dealer_id))


async def wants_store_notice(tx: AsyncSession, dealer_id: str) -> bool:
    """Whether a dealer wishes it; nobody does by default."""
    asked = select(exists().where(StoreNotice.dealer_id == dealer_id))
    return bool((await tx.execute(asked)).scalar_one())
