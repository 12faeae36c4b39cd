"""Timers of the contracts service: reflections, alarms (D141), and daily urgency."""

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts_service.actions.assignment import OVERDUE, REFLECT, raise_overdue, reflect_change
from contracts_service.actions.customer_erasure import FORGET_WORDS, forget_words
from contracts_service.actions.publish_urgency import PUBLISH_URGENCY, publish_urgency
from shared.clock import jst_day
from shared.timers import TimerHandler, TimerPayload


async def reflect(key: str, payload: TimerPayload, now: datetime, tx: AsyncSession) -> None:
    """Put a registered change into force."""
    await reflect_change(tx, str(payload["contract_no"]), UUID(key), jst_day(now), now=now)


async def alarm(key: str, payload: TimerPayload, now: datetime, tx: AsyncSession) -> None:
    """Emit an alarm for a change that was not reflected in time."""
    await raise_overdue(tx, str(payload["contract_no"]), UUID(key), now=now)


async def new_day(_key: str, payload: TimerPayload, now: datetime, tx: AsyncSession) -> None:
    """Emit the contracts that became more urgent on this day."""
    await publish_urgency(tx, date.fromisoformat(str(payload["day"])), now=now)


async def forget(key: str, _payload: TimerPayload, _now: datetime, tx: AsyncSession) -> None:
    """Forget the words of an erased customer; retried while they are not published."""
    await forget_words(tx, key)


TIMERS: Mapping[str, TimerHandler] = {
    REFLECT: reflect,
    OVERDUE: alarm,
    PUBLISH_URGENCY: new_day,
    FORGET_WORDS: forget,
}
