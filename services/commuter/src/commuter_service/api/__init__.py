"""The HTTP side of the commuter service: one router from the screens' own files."""

from fastapi import APIRouter

from commuter_service.api import (
    internal,
    passes,
    pdf,
    rechecks,
    route_search,
    settings,
    slips,
    work,
)

router = APIRouter()
for part in (settings, passes, route_search, slips, pdf, rechecks, work, internal):
    router.include_router(part.router)
