"""The HTTP side of the contracts service: one router from the screens' own files."""

from fastapi import APIRouter

from contracts_service.api import customers, people

router = APIRouter()
for part in (people, customers):
    router.include_router(part.router)
