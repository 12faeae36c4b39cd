"""The HTTP side of the contracts service: one router from the screens' own files."""

from fastapi import APIRouter

from contracts_service.api import (
    assignments,
    customers,
    masters,
    overview,
    people,
    results,
    taking_out,
)

router = APIRouter()
for part in (customers, taking_out, results, assignments, overview, people, masters):
    router.include_router(part.router)
