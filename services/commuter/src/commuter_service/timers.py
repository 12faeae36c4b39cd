"""Daily timer: deletes the ended passes that are due (R12, R15)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service.actions.delete_expired_passes import (
    PURGE,
    delete_expired_passes,
    set_purge_timer,
)
from shared.timers import TimerHandler


async def purge(key: str, _: dict[str, Any], now: datetime, tx: AsyncSession) -> None:
    """Look through one company's passes, and look again tomorrow."""
    await delete_expired_passes(tx, key, now=now)
    await set_purge_timer(tx, key, now=now)


TIMERS: Mapping[str, TimerHandler] = {PURGE: purge}
