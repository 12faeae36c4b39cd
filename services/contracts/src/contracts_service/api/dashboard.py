"""Dashboard (店舗の状況) endpoint for managers and headquarters (part D)."""

from fastapi import APIRouter

from contracts_service.api.dependencies import LEADERS, Ctx
from contracts_service.dashboard import Dashboard, dashboard

router = APIRouter()


@router.get("/dashboard", dependencies=[LEADERS], response_model_exclude_unset=True)
async def show_dashboard(ctx: Ctx) -> Dashboard:
    """Due contracts per store, their ages, and the replacement rate."""
    return await dashboard(ctx.tx, ctx.viewer, today=ctx.today, policy=ctx.policy)
