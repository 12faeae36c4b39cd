"""The HTTP side of the commuter service: one router from the screens' own files."""

from fastapi import APIRouter, Depends

from commuter_service.api import (
    beyond,
    internal,
    look_up,
    passes,
    printing,
    settings,
    slips,
    work,
)
from commuter_service.api.edition import newest_edition

router = APIRouter(dependencies=[Depends(newest_edition)])
for part in (settings, passes, look_up, slips, printing, beyond, work, internal):
    router.include_router(part.router)
