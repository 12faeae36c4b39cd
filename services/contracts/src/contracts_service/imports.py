"""Imports of contract and master data files: each file as a whole, or not at all.

A file is read line by line while its lines are copied to a staging table; once a line is refused
the rest is only validated, so that every refused line is reported and nothing is stored.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from contracts_service import queries
from contracts_service.actions import contract_import, master_data
from contracts_service.master_facts import DealerFacts, PersonFacts, StoreFacts, VehicleFacts
from contracts_service.rules.import_cell import Values
from contracts_service.rules.import_file import RefusedLine, read_contract_file
from contracts_service.rules.import_row import DEALER
from contracts_service.rules.master_file import MasterKind, MasterLine, read_master_file
from contracts_service.rules.products import Product
from shared.db import EVERY_DEALER, Database
from shared.errors import FieldError


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """The result of a file: accepted lines, new and changed ones; or the refused lines."""

    accepted: int = 0
    registered: int = 0
    updated: int = 0
    refused: tuple[RefusedLine, ...] = ()


async def import_masters(
    database: Database,
    dealers: Sequence[DealerFacts],
    vehicles: Iterable[VehicleFacts],
    *,
    now: datetime,
) -> None:
    """Upsert the given dealers, stores, staff and vehicles, and the rules' products."""
    async with database.transaction(EVERY_DEALER) as tx:
        await master_data.upsert_products(tx)
        await master_data.upsert_vehicles(tx, map(_vehicle, vehicles))
        await master_data.upsert_dealers(
            tx, ({"dealer_id": d.code, "name": d.name} for d in dealers), now=now
        )
        stores = (_store(dealer, store) for dealer in dealers for store in dealer.stores)
        await master_data.upsert_stores(tx, stores, now=now)
        staff = (_person(dealer, person) for dealer in dealers for person in dealer.staff)
        await master_data.upsert_staff(tx, staff, now=now)


async def import_contracts(database: Database, data: bytes, *, now: datetime) -> ImportReport:
    """Import a contract file; `data` is CSV in UTF-8 or Shift_JIS.

    Raises:
        FileUnreadable, ColumnsNotAsAgreed: the whole file does not have the agreed format.
    """
    async with database.transaction(EVERY_DEALER) as tx:
        accepted, refused = await _stage(tx, data)
        if not refused:
            refused = [
                _of_other_dealer(line, contract_no)
                for line, contract_no in await contract_import.lines_of_other_dealers(tx)
            ]
        if refused:
            await tx.rollback()
            return ImportReport(refused=tuple(refused))
        registered, updated = await contract_import.import_staged_contracts(tx, now=now)
    return ImportReport(accepted=accepted, registered=registered, updated=updated)


async def import_master_file(
    database: Database, kind: MasterKind, data: bytes, *, now: datetime
) -> ImportReport:
    """Import a master data file; a calendar replaces the years it names.

    Raises:
        FileUnreadable, ColumnsNotAsAgreed: the whole file does not have the agreed format.
    """
    async with database.transaction(EVERY_DEALER) as tx:
        lines = list(read_master_file(kind, data, await queries.known_places(tx)))
        refused = tuple(line for line in lines if isinstance(line, RefusedLine))
        if refused:
            return ImportReport(refused=refused)
        rows = [dict(line.values) for line in lines if isinstance(line, MasterLine)]
        await _upsert_rows(tx, kind, rows, now)
    return ImportReport(accepted=len(rows))


async def _upsert_rows(
    tx: AsyncSession, kind: MasterKind, rows: list[Values], now: datetime
) -> None:
    match kind:
        case MasterKind.DEALERS:
            await master_data.upsert_dealers(tx, rows, now=now)
        case MasterKind.STORES:
            await master_data.upsert_stores(tx, rows, now=now)
        case MasterKind.STAFF:
            await master_data.upsert_staff(tx, rows, now=now)
        case MasterKind.PRODUCTS:
            await master_data.upsert_products(tx, (Product(**row) for row in rows))
        case MasterKind.VEHICLES:
            await master_data.upsert_vehicles(tx, rows)
        case MasterKind.CALENDAR:
            days = {row["exception_on"]: row["is_open"] for row in rows}
            for year in {day.year for day in days}:
                of_year = {day: is_open for day, is_open in days.items() if day.year == year}
                await master_data.upsert_calendar(
                    tx,
                    year,
                    closed_on=[day for day, is_open in of_year.items() if not is_open],
                    open_on=[day for day, is_open in of_year.items() if is_open],
                )


async def _stage(tx: AsyncSession, data: bytes) -> tuple[int, list[RefusedLine]]:
    known = await queries.known_codes(tx)
    await contract_import.begin_import(tx)
    accepted, refused, staged = 0, [], []
    for line in read_contract_file(data, known):
        if isinstance(line, RefusedLine):
            refused.append(line)
        elif not refused:
            accepted += 1
            staged.append(contract_import.staged_line(line.line, line.row))
            if len(staged) == contract_import.BATCH:
                await contract_import.stage_contracts(tx, staged)
                staged = []
    if staged and not refused:
        await contract_import.stage_contracts(tx, staged)
    return accepted, refused


def _of_other_dealer(line: int, contract_no: str) -> RefusedLine:
    message = f"契約番号「{contract_no}」は別の販売店の契約です"
    reason = FieldError(DEALER, "CONTRACT_OF_OTHER_DEALER", message)
    return RefusedLine(line=line, contract_no=contract_no, reasons=(reason,))


def _vehicle(vehicle: VehicleFacts) -> dict[str, object]:
    return {
        "dealer_id": EVERY_DEALER,
        "vehicle_code": vehicle.code,
        "name": vehicle.name,
        "active": True,
    }


def _store(dealer: DealerFacts, store: StoreFacts) -> dict[str, object]:
    return {
        "dealer_id": dealer.code,
        "store_code": store.code,
        "name": store.name,
        "phone": store.phone,
        "unused": store.unused,
    }


def _person(dealer: DealerFacts, person: PersonFacts) -> dict[str, object]:
    return {
        "dealer_id": dealer.code,
        "staff_code": person.code,
        "name": person.name,
        "name_kana": person.name_kana,
        "store_code": person.store_code,
        "role": person.role,
        "mobile_phone": person.mobile,
        "mail": person.mail,
        "active": True,
    }
