"""Subscribers: employees, from the staff master (R23)."""

from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service.actions import employee_copy
from event_contracts.masters import StaffUpdated
from shared.worker import Delivery, Subscribers

SUBSCRIBERS = Subscribers()


@SUBSCRIBERS.on(StaffUpdated)
async def upsert_employee(event: StaffUpdated, _: Delivery, tx: AsyncSession) -> None:
    """An employee is new or changed."""
    await employee_copy.upsert_employee(tx, event)
