"""The HTTP side of the contracts service: one router from the screens' own files."""

from fastapi import APIRouter

from contracts_service.api import (
    assignments,
    customers,
    erasure,
    masters,
    overview,
    people,
    results,
    taking_out,
    work,
)

router = APIRouter()
for part in (customers, taking_out, results, assignments, overview, work, people, masters, erasure):
    router.include_router(part.router)
