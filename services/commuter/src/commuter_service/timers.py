"""Daily timers: ended passes deleted (R12, R15), and passes that end soon announced (R122)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service.actions.announce_endings import (
    ENDING,
    announce_endings,
    set_ending_timer,
)
from commuter_service.actions.delete_expired_passes import (
    PURGE,
    delete_expired_passes,
    set_purge_timer,
)
from commuter_service.queries import setting_of
from shared.timers import TimerHandler


async def purge(key: str, _: dict[str, Any], now: datetime, tx: AsyncSession) -> None:
    """Look through one company's passes, and look again tomorrow."""
    await delete_expired_passes(tx, key, now=now)
    await set_purge_timer(tx, key, now=now)


async def announce(key: str, _: dict[str, Any], now: datetime, tx: AsyncSession) -> None:
    """Look for one company's passes that end soon, and again tomorrow while it wants reminders."""
    await announce_endings(tx, key, now=now)
    if (await setting_of(tx, key)).ending_notice_days:
        await set_ending_timer(tx, key, now=now)


TIMERS: Mapping[str, TimerHandler] = {PURGE: purge, ENDING: announce}
