"""退職者の精算書: slips that do not move because somebody has left, and their succession (D157)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from commuter_service import queries
from commuter_service.actions.slip_succession import hand_on_slip
from commuter_service.api.dependencies import ACCOUNTING, Body, Ctx, Text, Version
from commuter_service.api.slips import slip_json
from commuter_service.rules.slip_succession import Departure, NobodyLeft
from commuter_service.slips.departed import (
    departure,
    people_of,
    people_who_left,
    slips_of_leavers,
)
from commuter_service.slips.lists import Slips, slip_lines
from commuter_service.slips.schemas import SlipAnswer
from shared.http import etag
from shared.refusals import refuses

router = APIRouter(dependencies=[ACCOUNTING])


class SuccessionBody(Body):
    """Who approves from now on; without a name where accounting itself goes on."""

    approver_id: Annotated[Text | None, Field(min_length=1)] = None


class PossibleApprover(BaseModel):
    """Somebody who could approve instead."""

    employee_id: str
    name: str


class SuccessionAnswer(BaseModel):
    """Whether a slip needs a successor, and who could be one."""

    departed: Departure | None
    departed_japanese: str | None
    approvers: list[PossibleApprover]


@router.get("/slips/of-leavers")
async def list_slips_of_leavers(ctx: Ctx) -> Slips:
    """The slips that do not move because somebody has left, the latest change first."""
    found = await queries.slips_where(ctx.tx, slips_of_leavers(ctx.dealer_id))
    return await slip_lines(ctx, found)


@router.get("/slips/{slip_id:key}/succession")
async def show_succession(slip_id: UUID, ctx: Ctx) -> SuccessionAnswer:
    """Who has left, and who could approve instead."""
    slip = await queries.slip_for(ctx.tx, ctx.dealer_id, slip_id, ctx.employee_id, accounting=True)
    found = departure(slip, await people_who_left(ctx.tx, people_of(slip)))
    concerned = {slip.employee_id, slip.entered_by, *slip.chain}
    people = await queries.employees_of(ctx.tx, ctx.dealer_id) if found else ()
    return SuccessionAnswer(
        departed=found,
        departed_japanese=found.label_ja if found else None,
        approvers=[
            PossibleApprover(employee_id=one.employee_id, name=one.name)
            for one in people
            if found is Departure.APPROVER and one.employee_id not in concerned
        ],
    )


@router.post("/slips/{slip_id}/succession")
@refuses(NobodyLeft)
async def hand_on(
    slip_id: UUID, body: SuccessionBody, version: Version, ctx: Ctx, response: Response
) -> SlipAnswer:
    """Name another approver, or go on for an applicant who has left."""
    slip = await hand_on_slip(ctx, slip_id, version, body.approver_id)
    response.headers.update(etag(slip.version))
    return await slip_json(ctx, slip)
