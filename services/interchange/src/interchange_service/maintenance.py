"""Interchange maintenance: delete what has expired, once an hour."""

import asyncio
from datetime import timedelta

import structlog
from sqlalchemy.exc import DBAPIError

from interchange_service.actions.delete_expired import delete_expired
from shared.clock import Clock
from shared.db import EVERY_DEALER, Database

log = structlog.get_logger()

EVERY_S, AGAIN_S = 3600, 15
"""Once an hour; soon again where the database was away."""


async def run_maintenance(
    database: Database, clock: Clock, kept: timedelta, kept_unsettled: timedelta
) -> None:
    """Delete what has expired, until cancelled."""
    while True:
        try:
            async with database.transaction(EVERY_DEALER) as tx:
                await delete_expired(tx, now=clock.now(), kept=kept, kept_unsettled=kept_unsettled)
            pause = EVERY_S
        except (OSError, DBAPIError) as cause:
            log.warning("maintenance_failed", cause=type(cause).__name__)
            pause = AGAIN_S
        await asyncio.sleep(pause)
