"""Background work of a portal process: follow ended sessions, store and delete the access log."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import structlog

from portal_service.actions.access_log import delete_old_accesses
from portal_service.actions.session_ends import delete_old_ends
from portal_service.ended_sessions import AWAY
from portal_service.state import PortalState

log = structlog.get_logger()

HOUSEKEEPING_S = 3600


async def work(portal: PortalState) -> None:
    """Do it until cancelled; rows of the access log that wait are stored then."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(portal.listener.run())
        tasks.create_task(portal.ended.follow())
        tasks.create_task(portal.access_log.run())
        tasks.create_task(_delete_expired(portal))


@asynccontextmanager
async def run_in_background(portal: PortalState) -> AsyncIterator[None]:
    """`work` while the block runs; then the database is closed."""
    working = asyncio.create_task(work(portal))
    try:
        yield
    finally:
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working
        await portal.database.close()


async def keep_running(portal: PortalState) -> None:
    """The same until cancelled, for a portal that runs beside other parts."""
    async with run_in_background(portal):
        await asyncio.Event().wait()


async def _delete_expired(portal: PortalState) -> None:
    """Once an hour, delete what is past its time."""
    kept = timedelta(days=portal.settings.access_log_days)
    while True:
        now = time.time()
        try:
            async with portal.database.transaction() as tx:
                await delete_old_ends(tx, now=now)
                await delete_old_accesses(tx, now=datetime.fromtimestamp(now, UTC), kept=kept)
        except AWAY as cause:
            log.warning("portal_housekeeping_failed", cause=type(cause).__name__)
        await asyncio.sleep(HOUSEKEEPING_S)
