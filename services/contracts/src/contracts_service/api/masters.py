"""Master data (マスタ) for the finance company: dealers with stores and staff, and models.

Read only: master data changes by imports and events (imports.py).
"""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from sqlalchemy import ColumnElement, ScalarSelect, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from contracts_service.models import Dealer, Staff, Store, Vehicle
from shared.auth import Role, require
from shared.db import EVERY_DEALER
from shared.http import NotFound, database_of
from shared.refusals import refuses

router = APIRouter(prefix="/masters", dependencies=[require(Role.TFC)])


class DealerLine(BaseModel):
    """A dealer with the numbers of its stores in use and active staff."""

    code: str
    name: str
    stores: int
    staff: int


class MasterStore(BaseModel):
    """A store."""

    code: str
    name: str
    phone: str
    unused: bool


class MasterPerson(BaseModel):
    """A staff member; headquarters staff have no store."""

    code: str
    name: str
    store_code: str | None
    role: str
    active: bool


class DealerMaster(BaseModel):
    """A dealer with all its stores and staff, including those not in use."""

    code: str
    name: str
    stores: list[MasterStore]
    staff: list[MasterPerson]


class MasterVehicle(BaseModel):
    """A model; without a dealer, every dealer offers it."""

    code: str
    name: str
    dealer: str | None
    active: bool


async def _of_all_dealers(request: Request) -> AsyncIterator[AsyncSession]:
    async with database_of(request).transaction(EVERY_DEALER) as tx:
        yield tx


Tx = Annotated[AsyncSession, Depends(_of_all_dealers, scope="function")]


@router.get("/dealers")
async def list_dealers(tx: Tx) -> list[DealerLine]:
    """Every dealer, with the numbers of its stores in use and active staff."""
    stores = _counted(~Store.unused, Store.dealer_id)
    people = _counted(Staff.active.is_(True), Staff.dealer_id)
    rows = await tx.execute(
        select(Dealer.dealer_id, Dealer.name, stores, people).order_by(Dealer.dealer_id)
    )
    return [
        DealerLine(code=code, name=name, stores=stores, staff=people)
        for code, name, stores, people in rows
    ]


@router.get("/dealers/{dealer_id}")
@refuses(NotFound)
async def show_dealer(tx: Tx, dealer_id: str) -> DealerMaster:
    """One dealer with all stores and staff, including those not in use. Raises NotFound."""
    dealer = await tx.get(Dealer, dealer_id) if "\0" not in dealer_id else None
    if dealer is None:
        raise NotFound
    stores = select(Store).where(Store.dealer_id == dealer_id).order_by(Store.store_code)
    staff = select(Staff).where(Staff.dealer_id == dealer_id).order_by(Staff.staff_code)
    return DealerMaster(
        code=dealer.dealer_id,
        name=dealer.name,
        stores=[
            MasterStore(code=s.store_code, name=s.name, phone=s.phone, unused=s.unused)
            for s in await tx.scalars(stores)
        ],
        staff=[
            MasterPerson(
                code=p.staff_code,
                name=p.name,
                store_code=p.store_code,
                role=p.role,
                active=p.active,
            )
            for p in await tx.scalars(staff)
        ],
    )


@router.get("/vehicles")
async def list_all_vehicles(tx: Tx) -> list[MasterVehicle]:
    """Models that a customer may buy next; `dealer` is None for those of all dealers."""
    rows = await tx.scalars(select(Vehicle).order_by(Vehicle.dealer_id, Vehicle.vehicle_code))
    return [
        MasterVehicle(
            code=v.vehicle_code,
            name=v.name,
            dealer=None if v.dealer_id == EVERY_DEALER else v.dealer_id,
            active=v.active,
        )
        for v in rows
    ]


def _counted(rows: ColumnElement[bool], dealer_id: InstrumentedAttribute[str]) -> ScalarSelect[int]:
    count = select(func.count()).where(rows, dealer_id == Dealer.dealer_id)
    return count.correlate(Dealer).scalar_subquery()
