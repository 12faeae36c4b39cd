"""API keys of dealers' systems: make, rotate, revoke, check. The secret is shown once.

A key that is rotated stays good for a while beside its successor, so that the dealer can change
over without a gap; one that is revoked is invalid at once.
"""

from datetime import datetime, timedelta

from sqlalchemy import insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from interchange_service.actions.dealers import DealerUnknown
from interchange_service.models import ApiKey, DealerAccount
from interchange_service.rules import credentials
from interchange_service.rules.credentials import WrittenKey
from shared.errors import Kind, Refusal

LAST_USE_RECORDED_EVERY = timedelta(minutes=1)


class NoSuchKey(Refusal):
    """No key has this id."""

    code = "NOT_FOUND"
    kind = Kind.NOT_FOUND
    message = "APIキーが見つかりません。"


class KeyInactive(Refusal):
    """The key was revoked or has expired meanwhile."""

    code = "KEY_NO_LONGER_GOOD"
    kind = Kind.CONFLICT
    message = "このAPIキーは、すでに失効しているか、有効期限が切れています。"


class KeyAlreadyShown(Refusal):
    """The same request came before: its key was shown, and cannot be shown again."""

    code = "KEY_SHOWN_BEFORE"
    kind = Kind.CONFLICT
    message = (
        "APIキーは作成済みです。もう一度表示することはできません。"
        "控えていない場合は、そのキーを失効させて、新しく作成してください。"
    )


async def make_key(  # noqa: PLR0913  one row, every column of it
    tx: AsyncSession,
    dealer_id: str,
    *,
    label: str,
    by: str,
    now: datetime,
    expires_at: datetime | None = None,
) -> WrittenKey:
    """A new key of a dealer. Raises DealerUnknown."""
    if await tx.get(DealerAccount, dealer_id) is None:
        raise DealerUnknown
    written = WrittenKey.fresh()
    await tx.execute(
        insert(ApiKey).values(
            key_id=written.key_id,
            dealer_id=dealer_id,
            label=label,
            secret_hash=written.digest,
            made_at=now,
            made_by=by,
            expires_at=expires_at,
        )
    )
    return written


async def rotate_key(
    tx: AsyncSession, key_id: str, *, grace: timedelta, by: str, now: datetime
) -> WrittenKey:
    """A key to take the place of another, which ends after `grace`.

    The new one has the label of the old one and no end. Raises NoSuchKey, KeyInactive.
    """
    old = await _locked(tx, key_id)
    if not good(old, now):
        raise KeyInactive
    last = now + grace
    old.expires_at = min(old.expires_at, last) if old.expires_at else last
    return await make_key(tx, old.dealer_id, label=old.label, by=by, now=now)


async def rotate_keys_of(  # noqa: PLR0913  a new row, and for how long the others stay
    tx: AsyncSession, dealer_id: str, *, label: str, grace: timedelta, by: str, now: datetime
) -> WrittenKey:
    """A new key of a dealer; every other one ends after `grace`. Raises DealerUnknown."""
    made = await make_key(tx, dealer_id, label=label, by=by, now=now)
    last = now + grace
    others = update(ApiKey).where(
        ApiKey.dealer_id == dealer_id,
        ApiKey.key_id != made.key_id,
        or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > last),
    )
    await tx.execute(others.values(expires_at=last))
    return made


async def revoke_key(tx: AsyncSession, key_id: str, *, by: str, now: datetime) -> None:
    """End a key at once. Raises NoSuchKey, KeyInactive."""
    key = await _locked(tx, key_id)
    if key.revoked_at is not None:
        raise KeyInactive
    key.revoked_at, key.revoked_by = now, by


async def use_key(tx: AsyncSession, written: WrittenKey, *, now: datetime) -> ApiKey:
    """The key of a token, if it is valid; its use is recorded. Raises KeyNotTrusted and kin."""
    key = await tx.get(ApiKey, written.key_id)
    credentials.check(
        written,
        digest=key.secret_hash if key else None,
        expires_at=key.expires_at if key else None,
        revoked_at=key.revoked_at if key else None,
        now=now,
    )
    assert key is not None
    if key.last_used_at is None or key.last_used_at <= now - LAST_USE_RECORDED_EVERY:
        used = update(ApiKey).where(ApiKey.key_id == key.key_id)
        await tx.execute(used.values(last_used_at=now))
    return key


def good(key: ApiKey, now: datetime) -> bool:
    """Whether a key is still valid."""
    return key.revoked_at is None and (key.expires_at is None or key.expires_at > now)


async def _locked(tx: AsyncSession, key_id: str) -> ApiKey:
    found = await tx.scalar(select(ApiKey).where(ApiKey.key_id == key_id).with_for_update())
    if found is None:
        raise NoSuchKey
    return found
