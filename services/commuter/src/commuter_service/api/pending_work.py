"""Work of an employee here: slips and passes to decide on, slips that came back, what is to pay."""

from fastapi import APIRouter

from commuter_service.api.dependencies import EMPLOYEES, Ctx
from commuter_service.pending_work import work_of
from shared.pending_work import Work

router = APIRouter(dependencies=[EMPLOYEES])


@router.get("/work")
async def count_work(ctx: Ctx) -> Work:
    """How much waits for this person, with the newest remands and their reasons."""
    return await work_of(ctx)
