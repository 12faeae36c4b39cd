"""Master data: upserts dealers, stores, staff, products and vehicles (C4, D).

Only rows that differ from the stored ones are written; events are emitted for new or changed
stores and staff only.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any

import orjson
from sqlalchemy import Row, delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from contracts_service.models import (
    Base,
    CalendarException,
    Dealer,
    ProductRow,
    Staff,
    Store,
    Vehicle,
)
from contracts_service.rules.products import PRODUCTS, Product
from event_contracts.masters import StaffAccessChanged, StaffUpdated, StoreUpdated
from shared import outbox

BATCH = 1000
MasterRow = Mapping[str, object]  # by column name
LEFT_BEFORE = text("""
    SELECT dealer_id, staff_code FROM staff WHERE NOT active AND staff_code = ANY(:codes)
""")


async def upsert_dealers(tx: AsyncSession, rows: Iterable[MasterRow], *, now: datetime) -> None:
    """Upsert dealers: dealer_id, name. Stores are published again, since they carry the name."""
    async for changed in _upsert(tx, Dealer, rows):
        of_changed_dealers = Store.dealer_id.in_([dealer.dealer_id for dealer in changed])
        stores = (await tx.scalars(select(Store).where(of_changed_dealers))).all()
        await _publish_stores(tx, stores, now)


async def upsert_stores(tx: AsyncSession, rows: Iterable[MasterRow], *, now: datetime) -> None:
    """Upsert stores: dealer_id, store_code, name, phone, unused."""
    async for changed in _upsert(tx, Store, rows, but={"successor"}):
        await _publish_stores(tx, changed, now)


async def set_successor(
    tx: AsyncSession, dealer_id: str, store_code: str, successor: str | None
) -> None:
    """Set the store that takes over a closed store's customers; only the dealer states it."""
    own = Store.dealer_id == dealer_id, Store.store_code == store_code
    await tx.execute(update(Store).where(*own).values(successor=successor))


async def _publish_stores(
    tx: AsyncSession, stores: Sequence[Store] | Sequence[Row[Any]], now: datetime
) -> None:
    known = select(Dealer).where(Dealer.dealer_id.in_({store.dealer_id for store in stores}))
    names = {dealer.dealer_id: dealer.name for dealer in await tx.scalars(known)}
    events = [
        StoreUpdated(
            dealer_id=store.dealer_id,
            store_code=store.store_code,
            name=store.name,
            unused=store.unused,
            phone=store.phone,
            dealer_name=names.get(store.dealer_id),
        )
        for store in stores
    ]
    await outbox.add_many(tx, events, now=now)


async def upsert_staff(tx: AsyncSession, rows: Iterable[MasterRow], *, now: datetime) -> None:
    """Upsert staff, with the columns of the table; who leaves or comes back is announced apart."""
    rows = list(rows)
    left = await tx.execute(LEFT_BEFORE, {"codes": [row["staff_code"] for row in rows]})
    left_before = {(row.dealer_id, row.staff_code) for row in left}
    async for changed in _upsert(tx, Staff, rows):
        events = [
            StaffUpdated(
                dealer_id=row.dealer_id,
                staff_code=row.staff_code,
                name=row.name,
                store_code=row.store_code,
                role=row.role,
                active=row.active,
                mobile=row.mobile_phone,
                name_kana=row.name_kana,
            )
            for row in changed
        ]
        await outbox.add_many(tx, events, now=now)
        access = [
            StaffAccessChanged(
                dealer_id=row.dealer_id, staff_code=row.staff_code, active=row.active
            )
            for row in changed
            if row.active is ((row.dealer_id, row.staff_code) in left_before)
        ]
        await outbox.add_many(tx, access, now=now)


async def upsert_products(tx: AsyncSession, products: Iterable[Product] = PRODUCTS) -> None:
    """Upsert finance products with what they allow."""
    rows = [
        {
            "product_code": product.code,
            "name": product.name,
            "return_allowed": product.return_allowed,
            "separate_procedure": product.separate_procedure,
            "transferable": product.transferable,
            "is_lease": product.is_lease,
        }
        for product in products
    ]
    await _all(_upsert(tx, ProductRow, rows))


async def upsert_vehicles(tx: AsyncSession, rows: Iterable[MasterRow]) -> None:
    """Upsert models for the pulldown: dealer_id (`*` for all), vehicle_code, name, active."""
    await _all(_upsert(tx, Vehicle, rows))


async def upsert_calendar(
    tx: AsyncSession, year: int, *, closed_on: Iterable[date], open_on: Iterable[date]
) -> None:
    """Replace the days of one year that differ from the general calendar."""
    replaced = delete(CalendarException).where(
        CalendarException.exception_on.between(date(year, 1, 1), date(year, 12, 31))
    )
    await tx.execute(replaced)
    days = {**dict.fromkeys(open_on, True), **dict.fromkeys(closed_on, False)}
    tx.add_all(CalendarException(exception_on=day, is_open=open_) for day, open_ in days.items())


async def _upsert(
    tx: AsyncSession,
    model: type[Base],
    rows: Iterable[MasterRow],
    but: Collection[str] = (),
) -> AsyncIterator[Sequence[Row[Any]]]:
    """Upsert all columns except `but`; yields the new or changed rows in batches."""
    name = model.__tablename__
    columns = [column.name for column in model.__table__.columns if column.name not in but]
    keys = [column.name for column in model.__table__.primary_key]
    others = [column for column in columns if column not in keys]
    statement = text(f"""
        INSERT INTO {name} ({", ".join(columns)})
        SELECT {", ".join(columns)}
        FROM json_populate_recordset(CAST(NULL AS {name}), CAST(:rows AS json))
        ON CONFLICT ({", ".join(keys)}) DO UPDATE
            SET {", ".join(f"{other} = excluded.{other}" for other in others)}
            WHERE ({", ".join(f"{name}.{other}" for other in others)})
                IS DISTINCT FROM ({", ".join(f"excluded.{other}" for other in others)})
        RETURNING *
    """)  # noqa: S608 - names of our own tables only
    for portion in _batched(rows, BATCH):
        yield (await tx.execute(statement, {"rows": orjson.dumps(portion).decode()})).all()


async def _all(portions: AsyncIterator[object]) -> None:
    async for _ in portions:
        pass


def _batched(rows: Iterable[MasterRow], size: int) -> Iterator[list[MasterRow]]:
    left = iter(rows)
    while portion := list(islice(left, size)):
        yield portion
