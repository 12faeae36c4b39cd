"""HTTP API of the contracts service: one router, assembled from the files of each screen."""

from fastapi import APIRouter

from contracts_service.api import (
    assignments,
    contracts,
    dashboard,
    erasure,
    exports,
    lookups,
    masters,
    me,
    pending_work,
    results,
)

router = APIRouter()
PARTS = (
    contracts,
    exports,
    results,
    assignments,
    lookups,
    dashboard,
    pending_work,
    me,
    masters,
    erasure,
)
for part in PARTS:
    router.include_router(part.router)
