"""What happens by the clock alone? Reflections on business day 3, alarms after day 5 (D141)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts_service.actions.assignment import OVERDUE, REFLECT, raise_overdue, reflect_change
from shared.clock import jst_day
from shared.timers import TimerHandler


async def reflect(key: str, payload: dict[str, Any], now: datetime, tx: AsyncSession) -> None:
    """Put a registered change into force."""
    await reflect_change(tx, payload["contract_no"], UUID(key), jst_day(now), now=now)


async def alarm(key: str, payload: dict[str, Any], now: datetime, tx: AsyncSession) -> None:
    """Tell operations of a change that was not reflected in time."""
    await raise_overdue(tx, payload["contract_no"], UUID(key), now=now)


TIMERS: Mapping[str, TimerHandler] = {REFLECT: reflect, OVERDUE: alarm}
