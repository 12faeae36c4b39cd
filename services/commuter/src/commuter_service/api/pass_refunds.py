"""払戻し: what a holder gets back, where a pass is given up on a day (R117, R118)."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from commuter_service import queries
from commuter_service.api.dependencies import EMPLOYEES, Ctx, Day
from commuter_service.models import Pass
from commuter_service.passes.refunds import Purchase, operators_of, purchase_of
from commuter_service.rules.company_setting import RightMissing
from commuter_service.rules.pass_refund import (
    FEE_YEN,
    RefundCase,
    is_in_first_days,
    refund,
    refund_words,
)
from shared.http import NotFound
from shared.refusals import refuses

router = APIRouter(dependencies=[EMPLOYEES])


class RefundQuery(BaseModel):
    """The last day of use; months and first day of the pass, where they are not the usual ones."""

    model_config = ConfigDict(extra="forbid")

    ended_on: Day
    months: Literal["1", "3", "6"] | None = None
    bought_on: Day | None = None


class RefundAnswer(BaseModel):
    """The estimate; `refund_yen` None: not known. `words` says how it was worked out."""

    case: RefundCase
    refund_yen: int | None
    words: str
    operators: list[str]
    months: int
    bought_on: date
    valid_until: date
    ended_on: date
    used_months: int
    used_yen: int
    fee_yen: int
    first_days: bool


@router.get("/passes/{pass_id:key}/refund")
@refuses(RightMissing)
async def show_refund(
    pass_id: UUID, query: Annotated[RefundQuery, Query()], ctx: Ctx
) -> RefundAnswer:
    """払戻しの目安 of an own pass, or of any with the permission."""
    found = await queries.passes_where(
        ctx.tx, Pass.pass_id == pass_id, Pass.dealer_id == ctx.dealer_id
    )
    if not found:
        raise NotFound
    record = found[0]
    if record.held.employee_id != ctx.employee_id:
        ctx.need_pass_master()
    said = Purchase(int(query.months) if query.months else None, query.bought_on)
    one = await purchase_of(ctx.tx, record, said, query.ended_on)
    operators = operators_of(record.shown.route)
    back = refund(one, query.ended_on, operators)
    return RefundAnswer(
        case=back.case,
        refund_yen=back.yen,
        words=refund_words(one, back),
        operators=operators,
        months=one.months,
        bought_on=one.bought_on,
        valid_until=one.valid_until,
        ended_on=query.ended_on,
        used_months=back.used_months,
        used_yen=back.used_yen,
        fee_yen=FEE_YEN,
        first_days=is_in_first_days(one, query.ended_on),
    )
