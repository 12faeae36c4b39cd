"""Who may look after a dealer's webhooks? Its headquarters, and operators for every dealer."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from interchange_service.sealing import Seal
from interchange_service.webhook_post import Post
from shared.auth import Principal, Role, require
from shared.clock import Clock
from shared.context import acting_as
from shared.db import EVERY_DEALER
from shared.http import clock_of, database_of, expected_version, transaction_of

Keeper = Annotated[Principal, require(Role.HQ, Role.OPERATOR)]
Code = Annotated[str, Field(max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]


def scope_of(who: Principal) -> str:
    """The one dealer that this person looks after, or EVERY_DEALER."""
    return EVERY_DEALER if who.has(Role.OPERATOR) else who.dealer or ""


async def keeping(request: Request, who: Keeper) -> AsyncIterator[AsyncSession]:
    """The transaction of somebody who looks after webhooks."""
    acting_as(who.person_id)
    async for tx in transaction_of(database_of(request), scope_of(who)):
        yield tx


def seal_of(request: Request) -> Seal:
    """What seals the secrets."""
    seal: Seal = request.app.state.seal
    return seal


def post_of(request: Request) -> Post:
    """What judges addresses."""
    post: Post = request.app.state.post
    return post


Tx = Annotated[AsyncSession, Depends(keeping, scope="function")]
TheClock = Annotated[Clock, Depends(clock_of)]
TheSeal = Annotated[Seal, Depends(seal_of)]
Version = Annotated[int, Depends(expected_version)]
