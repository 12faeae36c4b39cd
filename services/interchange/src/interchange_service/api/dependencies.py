"""Dependencies of the operator's endpoints: the operator, the transaction and the clock."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from shared.auth import Principal, Role, require
from shared.clock import Clock
from shared.db import EVERY_DEALER
from shared.http import clock_of, database_of, transaction_of

Operator = Annotated[Principal, require(Role.OPERATOR)]


async def acting(request: Request, _who: Operator) -> AsyncIterator[AsyncSession]:
    """The transaction of an operator."""
    async for tx in transaction_of(database_of(request), EVERY_DEALER):
        yield tx


Tx = Annotated[AsyncSession, Depends(acting, scope="function")]
TheClock = Annotated[Clock, Depends(clock_of)]
