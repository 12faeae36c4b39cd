"""Interchange queries: dealer accounts, keys, and messages in quarantine."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from interchange_service.models import ApiKey, DealerAccount, Quarantined
from interchange_service.webhook_queries import DeliverySearch, count_of_deliveries
from shared.pending_work import WorkCount

NOT_SEEN_TO = Quarantined.settled_at.is_(None)


async def open_quarantine(
    tx: AsyncSession, *, after: UUID | None, limit: int
) -> Sequence[Quarantined]:
    """The messages that wait for a person, the newest first; ids grow with time."""
    wanted = select(Quarantined).where(NOT_SEEN_TO)
    if after is not None:
        wanted = wanted.where(Quarantined.quarantined_id < after)
    newest_first = wanted.order_by(Quarantined.quarantined_id.desc()).limit(limit)
    return (await tx.scalars(newest_first)).all()


async def quarantined_message(tx: AsyncSession, quarantined_id: UUID) -> Quarantined | None:
    """One of them, settled or not."""
    return await tx.get(Quarantined, quarantined_id)


async def dealer_accounts(tx: AsyncSession) -> Sequence[DealerAccount]:
    """Every dealer that has an account, by its code."""
    return (await tx.scalars(select(DealerAccount).order_by(DealerAccount.dealer_id))).all()


async def api_keys(tx: AsyncSession) -> Sequence[ApiKey]:
    """Every key, the newest first."""
    newest_first = select(ApiKey).order_by(ApiKey.made_at.desc(), ApiKey.key_id)
    return (await tx.scalars(newest_first)).all()


async def quarantine_size(tx: AsyncSession) -> int:
    """The number of messages that wait for a person."""
    waiting = select(func.count()).where(NOT_SEEN_TO)
    return await tx.scalar(waiting) or 0


async def operators_work(tx: AsyncSession) -> list[WorkCount]:
    """Dealers' messages in quarantine, and webhooks that failed."""
    failed = await count_of_deliveries(tx, DeliverySearch(state="failed"))
    return [
        WorkCount(
            key="quarantined", label="隔離メッセージ", count=await quarantine_size(tx), waits=True
        ),
        WorkCount(
            key="webhooks",
            label="送信失敗の Webhook",
            count=failed,
            waits=True,
            filter={"state": "failed"},
        ),
    ]


async def dealers_on_amqp(tx: AsyncSession) -> Sequence[str]:
    """The dealers whose messages are consumed from RabbitMQ."""
    allowed = select(DealerAccount.dealer_id).where(
        DealerAccount.active, DealerAccount.amqp_password_hash.is_not(None)
    )
    return (await tx.scalars(allowed)).all()
