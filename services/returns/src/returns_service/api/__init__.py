"""The HTTP side of the returns service: `/api/returns/v1`."""

from fastapi import APIRouter

from returns_service.api import applications, forms, steps

router = APIRouter()
for part in (forms.router, applications.router, steps.router):
    router.include_router(part)
