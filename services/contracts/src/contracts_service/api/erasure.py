"""Customer erasure endpoints (顧客情報の消去), for operators.

Only operators reach all dealers' contracts here, and they see contract numbers, never names.
"""

from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession

from contracts_service import queries
from contracts_service.actions.customer_erasure import check_customer_erasure, erase_customer
from contracts_service.actions.entry_history import Recorder
from contracts_service.api.dependencies import Text
from contracts_service.rules.contract_access import ContractNotFound
from contracts_service.rules.customer_erasure import (
    ContractStillOpen,
    ReturnStillOpen,
    completed_by_when,
)
from shared.auth import Principal, Role, require
from shared.clock import jst_day
from shared.db import EVERY_DEALER
from shared.http import clock_of, database_of
from shared.refusals import refuses
from shared.trace_context import set_actor

router = APIRouter(prefix="/erasures")
Operator = Annotated[Principal, require(Role.OPERATOR)]
MOST = 100


class ErasureOrder(BaseModel):
    """The reason for erasing a contract's customer; it is stored and must not name anybody."""

    contract_no: Text
    reason: Text


class Due(BaseModel):
    """A contract whose customer is due for erasure."""

    model_config = ConfigDict(from_attributes=True)

    contract_no: str
    dealer_id: str
    completed_on: date


class DueList(BaseModel):
    """The oldest hundred contracts that were complete by `before`."""

    before: date
    items: list[Due]


class Erasure(BaseModel):
    """A customer erasure: contract, instant, person and reason."""

    model_config = ConfigDict(from_attributes=True)

    contract_no: str
    dealer_id: str
    reason: str
    erased_at: datetime
    erased_by: str


class Erasures(BaseModel):
    """The last hundred erasures."""

    items: list[Erasure]


async def _of_all_dealers(request: Request) -> AsyncIterator[AsyncSession]:
    async with database_of(request).transaction(EVERY_DEALER) as tx:
        yield tx


Tx = Annotated[AsyncSession, Depends(_of_all_dealers, scope="function")]


@router.get("")
async def list_erasures(_who: Operator, tx: Tx) -> Erasures:
    """The last erasures, newest first."""
    rows = await queries.erasures_done(tx, most=MOST)
    return Erasures(items=[Erasure.model_validate(row) for row in rows])


@router.get("/due")
async def list_due_erasures(
    request: Request, _who: Operator, tx: Tx, before: date | None = None
) -> DueList:
    """Contracts complete by `before` (default: seven years ago) and not erased."""
    by = before or completed_by_when(jst_day(clock_of(request).now()))
    rows = await queries.erasures_due(tx, by, most=MOST)
    return DueList(before=by, items=[Due.model_validate(row) for row in rows])


@router.post("")
@refuses(ContractNotFound, ContractStillOpen, ReturnStillOpen)
async def erase_customer_of(
    request: Request, who: Operator, tx: Tx, order: ErasureOrder
) -> Erasure:
    """Erase a contract's customer, here and in every service; repeating it changes nothing.

    Raises ContractNotFound, ContractStillOpen, ReturnStillOpen, FormErrors.
    """
    set_actor(who.person_id)
    recorder = Recorder(who.person_id, "erasure", clock_of(request).now())
    return Erasure.model_validate(
        await erase_customer(tx, order.contract_no, order.reason, recorder)
    )


@router.post("/check", status_code=204)
async def check_erasure_of(_who: Operator, tx: Tx, order: ErasureOrder) -> None:
    """確認 before an erasure: every error at once, each with its field; nothing is erased.

    Raises FormErrors.
    """
    await check_customer_erasure(tx, order.contract_no, order.reason)
