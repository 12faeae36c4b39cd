"""What does the commuter service hear of? Who works where, from the staff master (R23)."""

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service.models import Employee
from event_contracts.masters import StaffUpdated
from shared.worker import Delivery, Subscribers

SUBSCRIBERS = Subscribers()


@SUBSCRIBERS.on(StaffUpdated)
async def upsert_employee(event: StaffUpdated, _: Delivery, tx: AsyncSession) -> None:
    """Know an employee as the master tells; whoever left stays known, and inactive."""
    values = {"name": event.name, "active": event.active}
    person_id = f"{event.dealer_id}-{event.staff_code}"
    await tx.execute(
        insert(Employee)
        .values(employee_id=person_id, dealer_id=event.dealer_id, **values)
        .on_conflict_do_update(index_elements=["employee_id"], set_=values)
    )
