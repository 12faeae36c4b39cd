"""The HTTP side of the returns service: `/api/returns/v1`."""

from fastapi import APIRouter

from returns_service.api import applications, bulk, flow, forms, internal, printing, steps, work

router = APIRouter()
for part in (forms, applications, steps, bulk, flow, printing, work, internal):
    router.include_router(part.router)
