"""Work of a person in this service: what to approve, what came back, what does not move."""

from fastapi import APIRouter

from returns_service.api.dependencies import Ctx, dealers_and_tfc
from returns_service.pending_work import work_of
from shared.pending_work import Work

router = APIRouter()


@router.get("/work", dependencies=[dealers_and_tfc])
async def count_work(ctx: Ctx) -> Work:
    """How much waits for this person, with the newest remands and their reasons."""
    return await work_of(ctx)
