"""Master data: employees and stores as the contracts service's events say (R23)."""

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service.models import Employee, Store
from event_contracts.masters import StaffUpdated, StoreUpdated


async def upsert_employee(tx: AsyncSession, event: StaffUpdated) -> None:
    """Keep an employee as they are now; one who left stays, inactive."""
    values = {"name": event.name, "active": event.active, "store_code": event.store_code}
    person_id = f"{event.dealer_id}-{event.staff_code}"
    await tx.execute(
        insert(Employee)
        .values(employee_id=person_id, dealer_id=event.dealer_id, **values)
        .on_conflict_do_update(index_elements=["employee_id"], set_=values)
    )


async def upsert_store(tx: AsyncSession, event: StoreUpdated) -> None:
    """Keep a store's name as it is now."""
    await tx.execute(
        insert(Store)
        .values(dealer_id=event.dealer_id, store_code=event.store_code, name=event.name)
        .on_conflict_do_update(
            index_elements=["dealer_id", "store_code"], set_={"name": event.name}
        )
    )
