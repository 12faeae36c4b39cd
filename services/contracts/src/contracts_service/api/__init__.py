"""The HTTP side of the contracts service: one router from the screens' own files."""

from fastapi import APIRouter

from contracts_service.api import assignments, customers, overview, people, results, taking_out

router = APIRouter()
for part in (people, overview, taking_out, customers, results, assignments):
    router.include_router(part.router)
