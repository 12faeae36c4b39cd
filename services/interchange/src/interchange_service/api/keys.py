"""API keys of dealers' systems: made, rotated and revoked by operators."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Path, Response
from pydantic import BaseModel, Field

from interchange_service.actions.dealers import DealerUnknown
from interchange_service.actions.keys import (
    KeyAlreadyShown,
    KeyInactive,
    NoSuchKey,
    good,
    make_key,
    revoke_key,
    rotate_key,
)
from interchange_service.api.dealers import Code
from interchange_service.api.dependencies import Operator, TheClock, Tx
from interchange_service.queries import api_keys
from interchange_service.rules.credentials import WrittenKey, end_of
from shared.http import idempotent
from shared.refusals import refuses

router = APIRouter()
KeyId = Annotated[str, Path(max_length=32)]
SameRequest = Annotated[str | None, Header(alias="idempotency-key", max_length=200)]


class Key(BaseModel):
    """A key without its secret, which nobody can see a second time."""

    key_id: str
    dealer_id: str
    label: str
    good: bool
    made_at: datetime
    made_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None
    last_used_at: datetime | None


class Keys(BaseModel):
    """All of them, the newest first."""

    keys: list[Key]


class NewKey(BaseModel):
    """What a key is for, and its last day in Japan; without one it is good until it is revoked."""

    label: str = Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")
    last_on: date | None = Field(None, le=date(2999, 12, 31))


class Rotation(BaseModel):
    """How long the old key stays good beside the new one."""

    grace_hours: int = Field(24, ge=0, le=24 * 90)


class MadeKey(BaseModel):
    """A new key with its secret: `Authorization: Bearer <key>`."""

    key_id: str
    key: str


@router.get("/keys")
async def list_keys(_who: Operator, tx: Tx, clock: TheClock) -> Keys:
    """Every key, also those that are no longer good."""
    names = Key.model_fields.keys() - {"good"}
    return Keys(
        keys=[
            Key(**{name: getattr(key, name) for name in names}, good=good(key, clock.now()))
            for key in await api_keys(tx)
        ]
    )


@router.post("/dealers/{dealer}/keys", status_code=201)
@refuses(DealerUnknown, KeyAlreadyShown)
async def add_key(  # noqa: PLR0913, PLR0917  what the request gives
    dealer: Code,
    order: NewKey,
    who: Operator,
    tx: Tx,
    clock: TheClock,
    answer: Response,
    same: SameRequest = None,
) -> MadeKey:
    """A new key of a dealer. Raises DealerUnknown, FormErrors, KeyAlreadyShown."""
    now = clock.now()
    make = partial(
        make_key,
        tx,
        dealer,
        label=order.label,
        by=who.person_id,
        now=now,
        expires_at=end_of(order.last_on, now=now) if order.last_on else None,
    )
    asked = f"make_key {dealer} {order.model_dump_json()}"
    return await _shown_once(tx, who, same, asked, make, answer)


@router.post("/keys/{key_id}/rotate", status_code=201, operation_id="rotate_key")
@refuses(NoSuchKey, KeyInactive, KeyAlreadyShown)
async def rotate(  # noqa: PLR0913, PLR0917  what the request gives
    key_id: KeyId,
    order: Rotation,
    who: Operator,
    tx: Tx,
    clock: TheClock,
    answer: Response,
    same: SameRequest = None,
) -> MadeKey:
    """A key in the place of another. Raises NoSuchKey, KeyInactive, KeyAlreadyShown."""
    grace = timedelta(hours=order.grace_hours)
    make = partial(rotate_key, tx, key_id, grace=grace, by=who.person_id, now=clock.now())
    asked = f"rotate_key {key_id} {order.grace_hours}"
    return await _shown_once(tx, who, same, asked, make, answer)


@router.post("/keys/{key_id}/revoke", status_code=204, operation_id="revoke_key")
@refuses(NoSuchKey, KeyInactive)
async def revoke(key_id: KeyId, who: Operator, tx: Tx, clock: TheClock) -> None:
    """End a key at once. Raises NoSuchKey, KeyInactive."""
    await revoke_key(tx, key_id, by=who.person_id, now=clock.now())


async def _shown_once(  # noqa: PLR0913, PLR0917  what the request gives
    tx: Tx,
    who: Operator,
    same: str | None,
    asked: str,
    make: Callable[[], Awaitable[WrittenKey]],
    answer: Response,
) -> MadeKey:
    """The key that is made; for an Idempotency-Key its id is stored, never the secret."""
    made: list[WrittenKey] = []

    async def act() -> dict[str, str]:
        made.append(await make())
        return {"key_id": made[0].key_id}

    await idempotent(tx, owner=who.person_id, key=same, fingerprint=asked, act=act)
    if not made:
        raise KeyAlreadyShown
    answer.headers["cache-control"] = "no-store"
    return MadeKey(key_id=made[0].key_id, key=made[0].token)
