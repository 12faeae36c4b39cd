"""Copy of the staff master of the contracts service: the employees (R23)."""

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service.models import Employee
from event_contracts.masters import StaffUpdated


async def upsert_employee(tx: AsyncSession, event: StaffUpdated) -> None:
    """Keep an employee as they are now; one who left stays, inactive."""
    values = {"name": event.name, "active": event.active, "store_code": event.store_code}
    if event.name_kana is not None:
        values["name_kana"] = event.name_kana
    person_id = f"{event.dealer_id}-{event.staff_code}"
    await tx.execute(
        insert(Employee)
        .values(employee_id=person_id, dealer_id=event.dealer_id, **values)
        .on_conflict_do_update(index_elements=["employee_id"], set_=values)
    )
