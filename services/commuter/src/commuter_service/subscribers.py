"""Subscribers: employees, from the staff master (R23), and erased customers."""

from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service.actions import employee_copy
from commuter_service.actions.customer_erasure import erase_customer
from event_contracts.customer_erasure import CustomerTracesErased
from event_contracts.masters import StaffUpdated
from shared.worker import Delivery, Subscribers

SUBSCRIBERS = Subscribers()


@SUBSCRIBERS.on(CustomerTracesErased)
async def erase_customer_words(event: CustomerTracesErased, _: Delivery, tx: AsyncSession) -> None:
    """A customer of the company was erased; slips may name them."""
    await erase_customer(tx, event.dealer_id, event.contract_no, event.words)


@SUBSCRIBERS.on(StaffUpdated)
async def upsert_employee(event: StaffUpdated, _: Delivery, tx: AsyncSession) -> None:
    """An employee is new or changed."""
    await employee_copy.upsert_employee(tx, event)
