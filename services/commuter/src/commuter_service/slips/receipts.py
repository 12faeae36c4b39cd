"""Receipts of slips: which item has which, all versions, and the search of accounting (R102)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service.models import Employee, SlipItem
from commuter_service.queries import slip_for
from commuter_service.receipt_models import Receipt, ReceiptVersion
from shared.http import NotFound

PAGE = 50


@dataclass(frozen=True, slots=True)
class KeptReceipt:
    """A receipt with its versions, the oldest first."""

    receipt: Receipt
    versions: Sequence[ReceiptVersion]

    @property
    def newest(self) -> ReceiptVersion:
        """The version that counts."""
        return self.versions[-1]


@dataclass(frozen=True, slots=True)
class ReceiptFilter:
    """What accounting searches by; all that is given must hold."""

    first: date | None = None
    last: date | None = None
    least_yen: int | None = None
    most_yen: int | None = None
    payee: str = ""
    before: UUID | None = None


@dataclass(frozen=True, slots=True)
class FoundReceipt:
    """A receipt with what it can be found by."""

    kept: KeptReceipt
    employee_name: str
    item_on: date | None
    amount_yen: int | None
    payee: str
    removed: bool
    """Whether its item is no longer on the slip."""


async def receipts_of(tx: AsyncSession, *slip_ids: UUID) -> Mapping[UUID, list[KeptReceipt]]:
    """The receipts of slips by item, in the order of their upload."""
    found = select(Receipt).where(Receipt.slip_id.in_(slip_ids)).order_by(Receipt.receipt_id)
    by_item = defaultdict[UUID, list[KeptReceipt]](list)
    for one in await _with_versions(tx, (await tx.execute(found)).scalars().all()):
        by_item[one.receipt.item_id].append(one)
    return by_item


async def receipt_of_slip(
    tx: AsyncSession, slip_id: UUID, receipt_id: UUID, *, lock: bool = False
) -> Receipt:
    """One receipt of a slip. Raises NotFound."""
    asked = select(Receipt).where(Receipt.receipt_id == receipt_id, Receipt.slip_id == slip_id)
    found = (await tx.execute(asked.with_for_update() if lock else asked)).scalar_one_or_none()
    if found is None:
        raise NotFound
    return found


async def version_for(  # noqa: PLR0913 - the version, its company, and who asks
    tx: AsyncSession,
    dealer_id: str,
    receipt_id: UUID,
    number: int,
    employee_id: str,
    *,
    accounting: bool,
) -> ReceiptVersion:
    """A version for whom the slip is visible, or for accounting once it was handed in (R61)."""
    asked = select(Receipt).where(Receipt.receipt_id == receipt_id, Receipt.dealer_id == dealer_id)
    receipt = (await tx.execute(asked)).scalar_one_or_none()
    if receipt is None:
        raise NotFound
    if not (accounting and receipt.handed_in_at):
        await slip_for(tx, dealer_id, receipt.slip_id, employee_id, accounting=accounting)
    version = await tx.get(ReceiptVersion, (receipt_id, number))
    if version is None:
        raise NotFound
    return version


async def find_receipts(
    tx: AsyncSession, dealer_id: str, wanted: ReceiptFilter
) -> Sequence[FoundReceipt]:
    """Receipts that were handed in, the latest first, one more than a page holds."""
    item_on = func.coalesce(SlipItem.item_on, Receipt.item_on)
    amount = func.coalesce(SlipItem.amount_yen, Receipt.amount_yen)
    payee = func.coalesce(SlipItem.payee, Receipt.payee)
    conditions: list[ColumnElement[bool]] = [
        Receipt.dealer_id == dealer_id,
        Receipt.handed_in_at.is_not(None),
    ]
    if wanted.first is not None:
        conditions.append(item_on >= wanted.first)
    if wanted.last is not None:
        conditions.append(item_on <= wanted.last)
    if wanted.least_yen is not None:
        conditions.append(amount >= wanted.least_yen)
    if wanted.most_yen is not None:
        conditions.append(amount <= wanted.most_yen)
    if wanted.before is not None:
        conditions.append(Receipt.receipt_id < wanted.before)
    if wanted.payee:
        conditions.append(payee.icontains(wanted.payee, autoescape=True))
    rows = await tx.execute(
        select(Receipt, Employee.name, item_on, amount, payee, SlipItem.item_id)
        .join(Employee, Employee.employee_id == Receipt.employee_id)
        .outerjoin(SlipItem, SlipItem.item_id == Receipt.item_id)
        .where(*conditions)
        .order_by(Receipt.receipt_id.desc())
        .limit(PAGE + 1)
    )
    found = rows.all()
    kept = {
        one.receipt.receipt_id: one for one in await _with_versions(tx, [row[0] for row in found])
    }
    return [
        FoundReceipt(kept[receipt.receipt_id], name, on, yen, to_whom, item is None)
        for receipt, name, on, yen, to_whom, item in found
    ]


async def _with_versions(tx: AsyncSession, receipts: Sequence[Receipt]) -> list[KeptReceipt]:
    asked = (
        select(ReceiptVersion)
        .where(ReceiptVersion.receipt_id.in_([one.receipt_id for one in receipts]))
        .order_by(ReceiptVersion.receipt_id, ReceiptVersion.number)
    )
    versions = defaultdict[UUID, list[ReceiptVersion]](list)
    if receipts:
        for one in (await tx.execute(asked)).scalars():
            versions[one.receipt_id].append(one)
    return [KeptReceipt(one, versions[one.receipt_id]) for one in receipts]
