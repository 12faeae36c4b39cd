"""Request dependencies of every route: person, moment and transaction in one value."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service.actions.company import upsert_visitor
from commuter_service.adapters import network_store
from commuter_service.queries import visitor_facts
from commuter_service.request_context import RequestContext
from shared import auth
from shared.http import NotFound, clock_of, database_of, expected_version
from shared.refusals import refuses
from shared.trace_context import set_actor

EMPLOYEES = auth.require(auth.Role.EMPLOYEE, auth.Role.EXPENSE_APPROVER, auth.Role.EXPENSE_ADMIN)
ACCOUNTING = auth.require(auth.Role.EXPENSE_ADMIN)
SERVICES = auth.require(auth.Role.SERVICE)

Responses = dict[int | str, dict[str, Any]]
"""What FastAPI documents of answers that are files."""
FIRST_YEAR, LAST_YEAR = 1950, 2199

Text = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]
"""Text that PostgreSQL can keep."""
RouteText = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]
"""A route; one of another source names every station."""
Version = Annotated[int, Depends(expected_version)]
Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)]


def _day(value: Any) -> Any:
    """2022/04/01 and 2022-04-01 are the same day; answers have the second form (R64)."""
    return value.strip().replace("/", "-") if isinstance(value, str) else value


def _of_our_time(value: date) -> date:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError("日付が範囲外です")
    return value


Day = Annotated[date, BeforeValidator(_day), AfterValidator(_of_our_time)]


class Body(BaseModel):
    """What was typed; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


def dealer_of(request: Request) -> str:
    """The company for which somebody asks. Raises NotFound for people without one."""
    who: auth.Principal = request.state.principal
    set_actor(who.person_id)
    if who.dealer is None:
        raise NotFound
    return who.dealer


async def context_in(request: Request, tx: AsyncSession, dealer: str) -> RequestContext:
    """The caller, as the actions know them."""
    who: auth.Principal = request.state.principal
    known = await visitor_facts(tx, dealer, who.person_id)
    await upsert_visitor(tx, known.employee, who, dealer)
    return RequestContext(
        tx=tx,
        employee_id=who.person_id,
        name=who.name,
        dealer_id=dealer,
        now=clock_of(request).now(),
        setting=known.setting,
        tariffs=await network_store.tariffs_of_edition(tx, known.edition),
        permission=known.permission,
        accounting=who.has(auth.Role.EXPENSE_ADMIN),
    )


@refuses(NotFound)
async def _context(request: Request) -> AsyncIterator[RequestContext]:
    dealer = dealer_of(request)
    async with database_of(request).transaction(dealer) as tx:
        yield await context_in(request, tx, dealer)


Ctx = Annotated[RequestContext, Depends(_context, scope="function")]
