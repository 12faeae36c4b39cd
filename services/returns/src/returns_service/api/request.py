"""What does every request bring along? Its person, its transaction, its instant."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from returns_service.people import Acting, person_of
from shared.auth import Principal, Role, require
from shared.clock import jst_day
from shared.context import acting_as
from shared.db import EVERY_DEALER
from shared.http import clock_of, database_of, transaction_of

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
    acting_as(who.person_id)
    dealer = who.dealer or (EVERY_DEALER if who.has(*_OF_EVERY_DEALER) else None)
    async for tx in transaction_of(database_of(request), dealer, plan_by_values=True):
        yield tx


Tx = Annotated[AsyncSession, Depends(_transaction, scope="function")]


async def _acting(request: Request, tx: Tx, who: Annotated[Principal, require()]) -> Acting:
    now = clock_of(request).now()
    person = await person_of(tx, who, today=jst_day(now))
    return Acting(tx, now, person, request.app.state.reasons)


Caller = Annotated[Acting, Depends(_acting, scope="function")]
