"""HTTP API of the contracts service: one router, assembled from the files of each screen."""

from fastapi import APIRouter

from contracts_service.api import (
    assignments,
    customers,
    erasure,
    exports,
    lookups,
    masters,
    me,
    pending_work,
    results,
)

router = APIRouter()
for part in (customers, exports, results, assignments, lookups, pending_work, me, masters, erasure):
    router.include_router(part.router)
