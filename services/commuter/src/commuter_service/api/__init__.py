"""The HTTP side of the commuter service: one router from the screens' own files."""

from fastapi import APIRouter

from commuter_service.api import (
    accounting,
    internal,
    passes,
    pdf,
    pending_work,
    rechecks,
    route_search,
    settings,
    slips,
)

router = APIRouter()
for part in (settings, passes, route_search, slips, pdf, rechecks, pending_work, internal):
    router.include_router(part.router)
router.include_router(accounting.router)
