"""The HTTP side of the returns service: `/api/returns/v1`."""

from fastapi import APIRouter

from returns_service.api import (
    applications,
    approval_settings,
    bulk_approval,
    internal,
    pdf,
    pending_work,
    steps,
    submission,
)

router = APIRouter()
for part in (
    submission,
    applications,
    steps,
    bulk_approval,
    approval_settings,
    pdf,
    pending_work,
    internal,
):
    router.include_router(part.router)
