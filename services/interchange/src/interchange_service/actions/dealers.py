"""Dealer accounts: a dealer is added once, and may be disabled and enabled again."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from interchange_service.models import DealerAccount
from shared.errors import Kind, Refusal


class DealerAlreadyAdded(Refusal):
    """The dealer has an account."""

    code = "DEALER_ALREADY_ADDED"
    kind = Kind.CONFLICT
    message = "この販売店は、すでに登録されています。"


class DealerUnknown(Refusal):
    """The dealer has no account."""

    code = "NOT_FOUND"
    kind = Kind.NOT_FOUND
    message = "この販売店は登録されていません。"


async def add_dealer(
    tx: AsyncSession,
    dealer_id: str,
    name: str,
    *,
    now: datetime,
    amqp_password_hash: str | None = None,
) -> None:
    """Let a dealer's systems send; by AMQP only with a password. Raises DealerAlreadyAdded."""
    row = {
        "dealer_id": dealer_id,
        "name": name,
        "active": True,
        "amqp_password_hash": amqp_password_hash,
        "added_at": now,
    }
    added = insert(DealerAccount).values(row).on_conflict_do_nothing()
    if await tx.scalar(added.returning(DealerAccount.dealer_id)) is None:
        raise DealerAlreadyAdded


async def enable_dealer(tx: AsyncSession, dealer_id: str, *, active: bool) -> None:
    """Disable or enable a dealer; keys and password stay. Raises DealerUnknown."""
    await _change(tx, dealer_id, active=active)


async def set_amqp_password(tx: AsyncSession, dealer_id: str, password_hash: str) -> None:
    """Set the password for AMQP; brokers get it from the definitions. Raises DealerUnknown."""
    await _change(tx, dealer_id, amqp_password_hash=password_hash)


async def _change(tx: AsyncSession, dealer_id: str, **values: object) -> None:
    changed = update(DealerAccount).where(DealerAccount.dealer_id == dealer_id).values(values)
    if await tx.scalar(changed.returning(DealerAccount.dealer_id)) is None:
        raise DealerUnknown
