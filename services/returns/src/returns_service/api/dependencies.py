"""Dependencies of every request: its person, its transaction, its instant."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from returns_service.actor import RequestContext, resolve_actor
from shared.auth import Principal, Role, require
from shared.clock import jst_day
from shared.db import EVERY_DEALER
from shared.http import clock_of, database_of, transaction_of
from shared.trace_context import set_actor

DEALER_ROLES = (Role.SALES, Role.MANAGER, Role.HQ)
_OF_EVERY_DEALER = (Role.TFC, Role.SERVICE, Role.OPERATOR)

dealers = require(*DEALER_ROLES)
dealers_and_tfc = require(*DEALER_ROLES, Role.TFC)
tfc = require(Role.TFC)
headquarters = require(Role.HQ)
approvers = require(Role.MANAGER, Role.HQ)
services = require(Role.SERVICE)


async def _transaction(
    request: Request, who: Annotated[Principal, require()]
) -> AsyncIterator[AsyncSession]:
    """The transaction of a request, open to the person's own dealer alone."""
    set_actor(who.person_id)
    dealer = who.dealer or (EVERY_DEALER if who.has(*_OF_EVERY_DEALER) else None)
    async for tx in transaction_of(database_of(request), dealer, plan_by_values=True):
        yield tx


Tx = Annotated[AsyncSession, Depends(_transaction, scope="function")]


async def _context(
    request: Request, tx: Tx, who: Annotated[Principal, require()]
) -> RequestContext:
    now = clock_of(request).now()
    person = await resolve_actor(tx, who, today=jst_day(now))
    return RequestContext(tx, now, person, request.app.state.reasons)


Ctx = Annotated[RequestContext, Depends(_context, scope="function")]
