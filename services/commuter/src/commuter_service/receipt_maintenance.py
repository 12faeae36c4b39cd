"""Receipt maintenance, hourly: files without a receipt, and receipts kept long enough (R101)."""

import asyncio

import structlog
from sqlalchemy.exc import DBAPIError

from commuter_service.actions.receipts import delete_expired_receipts, delete_unused_files
from commuter_service.adapters.receipt_store import ReceiptStore, ReceiptStoreUnavailable
from shared.clock import Clock
from shared.db import Database

log = structlog.get_logger()

EVERY_S = 3600


async def run_receipt_maintenance(database: Database, clock: Clock, store: ReceiptStore) -> None:
    """Delete what is due, again and again, until cancelled."""
    while True:
        try:
            unused = await delete_unused_files(database, store, clock.now())
            expired = await delete_expired_receipts(database, store, clock.now())
            if unused or expired:
                log.info("receipt_files_deleted", unused=unused, expired=expired)
        except (OSError, DBAPIError, ReceiptStoreUnavailable) as cause:
            log.warning("receipt_maintenance_failed", cause=type(cause).__name__)
        await asyncio.sleep(EVERY_S)
