"""Cars that a dealer's own system reports as returned; a person still submits the return (D93)."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts.dealer import VehicleReturnCancelled, VehicleReturned
from returns_service.models import ReportedCar
from returns_service.rules.progress_list import name_key


async def upsert_reported_car(tx: AsyncSession, event: VehicleReturned, *, at: datetime) -> None:
    """Keep the car, so that 起票画面 opens with what the dealer's system knows."""
    plate = name_key(event.registration_no) if event.registration_no else None
    values = {
        "contract_no": event.contract_no,
        "registration_key": plate,
        "received_on": event.received_on,
        "place": event.place,
        "odometer_km": event.odometer_km,
        "told_at": at,
    }
    await tx.execute(
        insert(ReportedCar)
        .values(dealer_id=event.dealer_id, source_id=event.source_id, **values)
        .on_conflict_do_update(index_elements=["dealer_id", "source_id"], set_=values)
    )


async def delete_reported_car(tx: AsyncSession, event: VehicleReturnCancelled) -> None:
    """Delete the car, so that the form opens blank again; applications sent meanwhile stay."""
    await tx.execute(
        delete(ReportedCar).where(
            ReportedCar.dealer_id == event.dealer_id, ReportedCar.source_id == event.source_id
        )
    )
