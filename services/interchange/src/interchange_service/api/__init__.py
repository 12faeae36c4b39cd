"""HTTP API of the interchange."""

from fastapi import APIRouter

from interchange_service.api import (
    dealers,
    documentation,
    events,
    keys,
    quarantine,
    webhook_deliveries,
    webhooks,
)

router = APIRouter()
router.include_router(events.router)
router.include_router(documentation.router)
router.include_router(dealers.router)
router.include_router(keys.router)
router.include_router(quarantine.router)
router.include_router(webhooks.router)
router.include_router(webhook_deliveries.router)
