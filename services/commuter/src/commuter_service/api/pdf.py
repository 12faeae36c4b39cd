"""精算書印刷: a slip as PDF, the same that the page shows."""

import asyncio
from uuid import UUID

from fastapi import APIRouter, Request, Response

from commuter_service import queries
from commuter_service.api.dependencies import EMPLOYEES, context_in, dealer_of
from commuter_service.api.slips import slip_json
from commuter_service.prints import slip_pdf
from shared.http import NotFound, database_of
from shared.refusals import refuses

router = APIRouter(dependencies=[EMPLOYEES])


@router.get(
    "/slips/{slip_id}/print.pdf",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}}},
)
@refuses(NotFound)
async def print_slip(slip_id: UUID, request: Request) -> Response:
    """Items with amounts, warnings, explanation and strip; typeset outside the transaction."""
    dealer = dealer_of(request)
    async with database_of(request).transaction(dealer) as tx:
        ctx = await context_in(request, tx, dealer)
        slip = await queries.slip_for(
            tx, ctx.dealer_id, slip_id, ctx.employee_id, accounting=ctx.accounting
        )
        shown = await slip_json(ctx, slip)
    pdf = await asyncio.to_thread(slip_pdf, shown)
    name = {"content-disposition": f'inline; filename="{slip_id}.pdf"'}
    return Response(pdf, media_type="application/pdf", headers=name)
