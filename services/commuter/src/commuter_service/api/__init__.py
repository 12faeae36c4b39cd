"""The HTTP side of the commuter service: one router from the screens' own files."""

from fastapi import APIRouter

from commuter_service.api import (
    accounting,
    allowances,
    favourite_rides,
    internal,
    mail_preferences,
    month_closings,
    pass_refunds,
    passes,
    pdf,
    pending_work,
    receipts,
    rechecks,
    route_search,
    settings,
    slip_desk,
    slip_succession,
    slips,
    transfers,
)

router = APIRouter()
for part in (
    *(settings, passes, pass_refunds, route_search, slip_succession, slips, slip_desk),
    *(month_closings, receipts, pdf, rechecks, pending_work, mail_preferences),
    *(favourite_rides, internal),
):
    router.include_router(part.router)
router.include_router(accounting.router)
router.include_router(allowances.router)
router.include_router(receipts.desk)
router.include_router(transfers.router)
