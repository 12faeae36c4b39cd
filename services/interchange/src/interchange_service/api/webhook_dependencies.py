"""Webhook API dependencies: headquarters and systems manage their dealer's, operators all."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from interchange_service.secret_encryption import SecretBox
from interchange_service.webhook_http import WebhookClient
from shared.auth import Principal, Role, require
from shared.clock import Clock
from shared.db import EVERY_DEALER
from shared.http import clock_of, database_of, expected_version, transaction_of
from shared.trace_context import set_actor

WebhookAdmin = Annotated[Principal, require(Role.HQ, Role.DEALER_SYSTEM, Role.OPERATOR)]


def scope_of(who: Principal) -> str:
    """The one dealer whose webhooks this person manages, or EVERY_DEALER."""
    return EVERY_DEALER if who.has(Role.OPERATOR) else who.dealer or ""


async def transaction(request: Request, who: WebhookAdmin) -> AsyncIterator[AsyncSession]:
    """The transaction of a person who manages webhooks."""
    set_actor(who.person_id)
    async for tx in transaction_of(database_of(request), scope_of(who)):
        yield tx


def secret_box_of(request: Request) -> SecretBox:
    """The encryption of secrets."""
    secret_box: SecretBox = request.app.state.secret_box
    return secret_box


def client_of(request: Request) -> WebhookClient:
    """The client, which checks addresses."""
    post: WebhookClient = request.app.state.post
    return post


Tx = Annotated[AsyncSession, Depends(transaction, scope="function")]
TheClock = Annotated[Clock, Depends(clock_of)]
TheSecretBox = Annotated[SecretBox, Depends(secret_box_of)]
Version = Annotated[int, Depends(expected_version)]
