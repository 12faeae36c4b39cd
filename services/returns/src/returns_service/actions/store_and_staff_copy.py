"""Copy of the store and staff masters of the contracts service."""

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts.masters import StaffUpdated, StoreUpdated
from returns_service.models import Staff, Store


async def upsert_store(tx: AsyncSession, event: StoreUpdated) -> None:
    """Keep a store as it is now."""
    values = {
        "name": event.name,
        "unused": event.unused,
        "phone": event.phone,
        "dealer_name": event.dealer_name,
    }
    await tx.execute(
        insert(Store)
        .values(dealer_id=event.dealer_id, store_code=event.store_code, **values)
        .on_conflict_do_update(index_elements=["dealer_id", "store_code"], set_=values)
    )


async def upsert_staff(tx: AsyncSession, event: StaffUpdated) -> None:
    """Keep a person as they are now; one who left stays, inactive."""
    values = {
        "name": event.name,
        "store_code": event.store_code,
        "role": event.role,
        "active": event.active,
        "mobile": event.mobile,
    }
    await tx.execute(
        insert(Staff)
        .values(dealer_id=event.dealer_id, staff_code=event.staff_code, **values)
        .on_conflict_do_update(index_elements=["dealer_id", "staff_code"], set_=values)
    )
