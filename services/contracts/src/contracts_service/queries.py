"""Queries for contracts and master data, each with its own SQL."""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts_service.models import (
    AssignmentChange,
    CalendarException,
    Contract,
    CustomerErasure,
    Dealer,
    Memo,
    ProductRow,
    Staff,
    Store,
    Vehicle,
)
from contracts_service.rules.assignment_change import (
    Assignment,
    MoveReason,
    PendingChange,
    Places,
    viewing_store,
)
from contracts_service.rules.business_days import CalendarExceptions
from contracts_service.rules.contract_access import (
    ContractNotFound,
    ContractPlace,
    Viewer,
    in_scope,
)
from contracts_service.rules.import_row import KnownCodes
from contracts_service.rules.master_file import KnownPlaces
from contracts_service.rules.products import Product
from contracts_service.rules.search_text import folded_contract_no
from contracts_service.rules.selection import OTHER_VEHICLE, OTHER_VEHICLE_LABEL
from shared.db import EVERY_DEALER


class ContractUnknown(LookupError):
    """An event names a contract that is not registered here."""


async def known_codes(tx: AsyncSession) -> KnownCodes:
    """The codes that a contract file may refer to."""
    products = await tx.execute(select(ProductRow.product_code))
    stores = await tx.execute(select(Store.dealer_id, Store.store_code))
    staff = await tx.execute(
        select(Staff.dealer_id, Staff.store_code, Staff.staff_code).where(
            Staff.store_code.is_not(None)
        )
    )
    return KnownCodes(
        product_codes=frozenset(products.scalars()),
        stores=frozenset((row.dealer_id, row.store_code) for row in stores),
        staff=frozenset((row.dealer_id, row.store_code, row.staff_code) for row in staff),
    )


async def known_places(tx: AsyncSession) -> KnownPlaces:
    """The dealers and stores that a master data file may refer to."""
    stores = await tx.execute(select(Store.dealer_id, Store.store_code))
    return KnownPlaces(
        dealers=frozenset(await tx.scalars(select(Dealer.dealer_id))),
        stores=frozenset((row.dealer_id, row.store_code) for row in stores),
    )


async def product(tx: AsyncSession, code: str) -> Product:
    """A finance product with what it allows."""
    return as_product(await tx.get_one(ProductRow, code))


async def products(tx: AsyncSession) -> dict[str, Product]:
    """All finance products by code, in the order of their codes."""
    rows = await tx.scalars(select(ProductRow).order_by(ProductRow.product_code))
    return {row.product_code: as_product(row) for row in rows}


def as_product(row: ProductRow) -> Product:
    """A product row as the rules' product."""
    return Product(
        code=row.product_code,
        name=row.name,
        return_allowed=row.return_allowed,
        separate_procedure=row.separate_procedure,
        transferable=row.transferable,
        is_lease=row.is_lease,
    )


async def contract_of_event(tx: AsyncSession, contract_no: str) -> Contract:
    """The contract that an event names, locked. Raises ContractUnknown."""
    contract = await tx.get(Contract, contract_no, with_for_update=True)
    if contract is None:
        raise ContractUnknown(contract_no)
    return contract


async def contract_for(
    tx: AsyncSession, viewer: Viewer, contract_no: str, *, today: date, lock: bool = False
) -> Contract:
    """The contract, if it is visible to this viewer today (D2, D142). Raises ContractNotFound."""
    question = select(Contract).where(
        Contract.dealer_id == viewer.dealer_code,
        Contract.contract_no == folded_contract_no(contract_no),
    )
    contract = await tx.scalar(question.with_for_update() if lock else question)
    if contract is None:
        raise ContractNotFound
    pending = await pending_change(tx, contract)
    place = ContractPlace(
        dealer_code=contract.dealer_id,
        viewing_store=viewing_store(assignment_of(contract), pending, today=today),
    )
    if not in_scope(viewer, place):
        raise ContractNotFound
    return contract


def assignment_of(contract: Contract) -> Assignment:
    """The store and staff in charge of a contract."""
    return Assignment(
        store_code=contract.store_code,
        staff_code=contract.staff_code,
        transferred_in_on=contract.transferred_in_on,
    )


async def pending_row(tx: AsyncSession, contract: Contract) -> AssignmentChange | None:
    """The registered change that waits for its reflection."""
    if contract.pending_change_id is None:
        return None
    return await tx.get_one(AssignmentChange, contract.pending_change_id)


async def pending_change(tx: AsyncSession, contract: Contract) -> PendingChange | None:
    """The pending change as the rules see it."""
    row = await pending_row(tx, contract)
    return as_pending(row) if row else None


def as_pending(row: AssignmentChange) -> PendingChange:
    """A registered change as the rules see it."""
    return PendingChange(
        registered_on=row.registered_on,
        to_store=row.to_store,
        to_staff=row.to_staff,
        reason=MoveReason(row.reason) if row.reason else None,
    )


async def memo_of(tx: AsyncSession, contract_no: str) -> Memo | None:
    """The latest saved memo."""
    return await tx.scalar(
        select(Memo).where(Memo.contract_no == contract_no).order_by(Memo.version.desc()).limit(1)
    )


async def store_of(tx: AsyncSession, dealer_id: str, store_code: str) -> Store | None:
    """A store of the dealer."""
    return await tx.get(Store, (dealer_id, store_code))


async def person(tx: AsyncSession, dealer_id: str, staff_code: str) -> Staff | None:
    """A member of the dealer's staff."""
    return await tx.get(Staff, (dealer_id, staff_code))


async def stores(tx: AsyncSession, dealer_id: str) -> list[Store]:
    """All stores of a dealer by code, including unused ones."""
    question = select(Store).where(Store.dealer_id == dealer_id).order_by(Store.store_code)
    return list(await tx.scalars(question))


async def staff(tx: AsyncSession, dealer_id: str, store_code: str | None = None) -> list[Staff]:
    """The active staff of a dealer including headquarters, or of one of its stores, by code."""
    question = select(Staff).where(Staff.dealer_id == dealer_id, Staff.active)
    if store_code is not None:
        question = question.where(Staff.store_code == store_code)
    return list(await tx.scalars(question.order_by(Staff.staff_code)))


async def vehicles(tx: AsyncSession, dealer_id: str) -> dict[str, str]:
    """The models offered at a dealer: code to name."""
    question = (
        select(Vehicle)
        .where(Vehicle.active, Vehicle.dealer_id.in_([EVERY_DEALER, dealer_id]))
        .order_by(Vehicle.vehicle_code)
    )
    return {row.vehicle_code: row.name for row in await tx.scalars(question)}


async def vehicle_label(tx: AsyncSession, dealer_id: str, code: str) -> str:
    """The name of a model, even if it is no longer offered; else its code (D55)."""
    if code == OTHER_VEHICLE:
        return OTHER_VEHICLE_LABEL
    question = select(Vehicle.name).where(
        Vehicle.vehicle_code == code, Vehicle.dealer_id.in_([EVERY_DEALER, dealer_id])
    )
    return await tx.scalar(question.order_by(Vehicle.dealer_id.desc()).limit(1)) or code


async def places(tx: AsyncSession, dealer_id: str) -> Places:
    """The stores and staff that a contract of the dealer may be assigned to (D129, D130)."""
    people = await staff(tx, dealer_id)
    return Places(
        usable_stores=frozenset(s.store_code for s in await stores(tx, dealer_id) if not s.unused),
        staff=frozenset((p.store_code, p.staff_code) for p in people if p.store_code),
    )


async def calendar_exceptions(tx: AsyncSession) -> CalendarExceptions:
    """The days that differ from the general calendar (D141)."""
    rows = list(await tx.scalars(select(CalendarException)))
    return CalendarExceptions(
        closed_on=frozenset(row.exception_on for row in rows if not row.is_open),
        open_on=frozenset(row.exception_on for row in rows if row.is_open),
    )


async def transfers_in_progress(tx: AsyncSession, viewer: Viewer, *, today: date) -> Row[Any]:
    """The numbers of contracts moving between stores: leaving and coming, without names (A-26)."""
    result = await tx.execute(
        IN_TRANSFER,
        {"dealer": viewer.dealer_code, "store": viewer.store_code, "today": today},
    )
    return result.one()


IN_TRANSFER = text("""
    SELECT count(*) FILTER (WHERE CAST(:store AS text) IS NULL OR from_store = :store) AS leaving,
           count(*) FILTER (WHERE CAST(:store AS text) IS NULL OR to_store = :store) AS coming
    FROM assignment_change
    WHERE dealer_id = :dealer AND state = 'pending' AND to_store IS NOT NULL
      AND hidden_from_old_store_on <= :today
""")


async def product_codes(tx: AsyncSession) -> frozenset[str]:
    """The codes of all finance products."""
    return frozenset((await tx.scalars(select(ProductRow.product_code))).all())


async def erasures_due(
    tx: AsyncSession, completed_by: date, *, most: int
) -> list[Row[str, str, date | None]]:
    """Contracts complete on or before that day whose customer is not erased, oldest first."""
    rows = await tx.execute(
        select(Contract.contract_no, Contract.dealer_id, Contract.completed_on)
        .where(
            Contract.completed_on <= completed_by,
            Contract.open_return_id.is_(None),
            Contract.pending_change_id.is_(None),
            ~select(CustomerErasure.contract_no)
            .where(CustomerErasure.contract_no == Contract.contract_no)
            .exists(),
        )
        .order_by(Contract.completed_on, Contract.contract_no)
        .limit(most)
    )
    return list(rows.all())


async def erasures_done(tx: AsyncSession, *, most: int) -> list[CustomerErasure]:
    """The customer erasures, newest first."""
    newest = select(CustomerErasure).order_by(
        CustomerErasure.erased_at.desc(), CustomerErasure.contract_no
    )
    return list(await tx.scalars(newest.limit(most)))


async def contracts_locked(
    tx: AsyncSession, viewer: Viewer, contract_nos: Iterable[str], *, today: date
) -> dict[str, Contract]:
    """The given contracts that the viewer sees today, locked, by number."""
    question = select(Contract).where(
        Contract.dealer_id == viewer.dealer_code, Contract.contract_no.in_(list(contract_nos))
    )
    if viewer.store_code is not None:
        question = question.where(
            Contract.store_code == viewer.store_code,
            or_(
                Contract.hidden_from_store_on.is_(None),
                Contract.hidden_from_store_on > today,
            ),
        )
    rows = await tx.scalars(question.order_by(Contract.contract_no).with_for_update())
    return {row.contract_no: row for row in rows}


async def pending_rows(
    tx: AsyncSession, contracts: Iterable[Contract]
) -> dict[str, AssignmentChange]:
    """The pending changes by contract number."""
    ids = [c.pending_change_id for c in contracts if c.pending_change_id is not None]
    if not ids:
        return {}
    rows = await tx.scalars(select(AssignmentChange).where(AssignmentChange.change_id.in_(ids)))
    return {row.contract_no: row for row in rows}


async def pending_by_id(
    tx: AsyncSession, change_ids: Iterable[UUID | None]
) -> dict[UUID, PendingChange]:
    """The pending changes with these ids, as the rules see them."""
    wanted = [change_id for change_id in change_ids if change_id is not None]
    if not wanted:
        return {}
    rows = await tx.scalars(select(AssignmentChange).where(AssignmentChange.change_id.in_(wanted)))
    return {row.change_id: as_pending(row) for row in rows}


async def last_rejection(tx: AsyncSession, contract: Contract) -> AssignmentChange | None:
    """The latest registration, if the finance company rejected it."""
    question = select(AssignmentChange).where(AssignmentChange.contract_no == contract.contract_no)
    latest = await tx.scalar(question.order_by(AssignmentChange.registered_at.desc()).limit(1))
    return latest if latest is not None and latest.state == "rejected" else None


async def dealer_name(tx: AsyncSession, dealer_id: str) -> str:
    """The dealer's name, or its code while the name is unknown."""
    dealer = await tx.get(Dealer, dealer_id)
    return dealer.name if dealer else dealer_id


async def has_left(tx: AsyncSession, dealer_id: str, staff_code: str) -> bool:
    """Whether the staff master has this person as no longer active."""
    own = Staff.dealer_id == dealer_id, Staff.staff_code == staff_code
    return await tx.scalar(select(Staff.active).where(*own)) is False
