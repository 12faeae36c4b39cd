"""顧客情報の消去: what operators do when a customer is to be forgotten.

Only they reach every dealer's contracts here, and they see numbers, never a name.
"""

from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from contracts_service import queries
from contracts_service.actions.customer_erasure import erase_customer
from contracts_service.actions.statements import Speaker
from contracts_service.api.visit import Text
from shared.auth import Principal, Role, require
from shared.context import acting_as
from shared.db import EVERY_DEALER
from shared.http import clock_of, database_of

router = APIRouter(prefix="/erasures")
Operator = Annotated[Principal, require(Role.OPERATOR)]
MOST = 100


class ErasureOrder(BaseModel):
    """Whose customer, and why; the reason is kept and must not name anybody."""

    contract_no: Text
    reason: Text


async def _of_all_dealers(request: Request) -> AsyncIterator[AsyncSession]:
    async with database_of(request).transaction(EVERY_DEALER) as tx:
        yield tx


Tx = Annotated[AsyncSession, Depends(_of_all_dealers, scope="function")]


@router.get("/due")
async def due(_who: Operator, tx: Tx, before: date) -> dict[str, Any]:
    """The oldest hundred contracts that were complete by `before` and whose customer is kept."""
    rows = await queries.erasures_due(tx, before, most=MOST)
    return {"items": [dict(row._mapping) for row in rows]}  # noqa: SLF001


@router.post("")
async def erase(request: Request, who: Operator, tx: Tx, order: ErasureOrder) -> dict[str, Any]:
    """Forget who the customer was, here and in every service; a second time changes nothing.

    Raises ContractNotFound, ContractStillOpen, ReturnStillOpen, FormErrors.
    """
    acting_as(who.person_id)
    speaker = Speaker(who.person_id, "erasure", clock_of(request).now())
    done = await erase_customer(tx, order.contract_no, order.reason, speaker)
    return {"contract_no": done.contract_no, "erased_at": done.erased_at, "by": done.erased_by}
