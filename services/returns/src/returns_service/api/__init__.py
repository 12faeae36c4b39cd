"""The HTTP side of the returns service: `/api/returns/v1`."""

from fastapi import APIRouter

from returns_service.api import (
    applications,
    approval_settings,
    bulk_approval,
    internal,
    pdf,
    pending_work,
    step_consequences,
    steps,
    submission,
)

router = APIRouter()
PARTS = (
    *(submission, applications, step_consequences, steps, bulk_approval),
    *(approval_settings, pdf, pending_work, internal),
)
for part in PARTS:
    router.include_router(part.router)
