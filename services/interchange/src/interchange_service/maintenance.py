"""Interchange maintenance: measure the quarantine and delete what has expired."""

import asyncio
from datetime import timedelta

import structlog
from sqlalchemy.exc import DBAPIError

from interchange_service.actions.delete_expired import delete_expired
from interchange_service.metrics import DELETED_AFTER
from interchange_service.queries import quarantine_size
from shared.clock import Clock
from shared.db import EVERY_DEALER, Database

log = structlog.get_logger()

MEASURE_S = 15
DELETE_EVERY = 240
"""Rounds: once an hour."""


async def run_maintenance(
    database: Database, clock: Clock, kept: timedelta, kept_unsettled: timedelta
) -> None:
    """Measure the quarantine, and delete what has expired, until cancelled."""
    rounds = 0
    while True:
        try:
            async with database.transaction(EVERY_DEALER) as tx:
                DELETED_AFTER.set(await quarantine_size(tx))
                if rounds % DELETE_EVERY == 0:
                    await delete_expired(
                        tx, now=clock.now(), kept=kept, kept_unsettled=kept_unsettled
                    )
            rounds += 1
        except (OSError, DBAPIError) as cause:
            log.warning("maintenance_failed", cause=type(cause).__name__)
        await asyncio.sleep(MEASURE_S)
