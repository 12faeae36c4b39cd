"""Which slips does an export take, which has it, and what are its lines?"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, and_, cast, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service.exports.journal_accounts import usual_setting
from commuter_service.models import (
    AccountingSetting,
    Employee,
    ExportedSlip,
    JournalExport,
    Slip,
    SlipItem,
)
from commuter_service.queries import Conditions
from commuter_service.rules.slip_approval import SlipStatus
from shared.clock import JST
from shared.http import NotFound


async def accounting_setting_of(
    tx: AsyncSession, dealer_id: str, *, lock: bool = False
) -> AccountingSetting:
    """The company's accounts, or the usual ones with version 0."""
    asked = select(AccountingSetting).where(AccountingSetting.dealer_id == dealer_id)
    found = (await tx.execute(asked.with_for_update() if lock else asked)).scalar_one_or_none()
    return found or usual_setting(dealer_id)


def not_exported(dealer_id: str, first: date | None, last: date | None) -> Conditions:
    """Settled slips that stand in no export, by the day of their settlement in Japan."""
    stands = exists().where(ExportedSlip.slip_id == Slip.slip_id, ExportedSlip.counts)
    wanted: Conditions = (
        Slip.dealer_id == dealer_id,
        Slip.status == SlipStatus.SETTLED,
        ~stands,
    )
    if first is not None:
        wanted = (*wanted, Slip.settled_at >= _start_of(first))
    if last is not None:
        wanted = (*wanted, Slip.settled_at < _start_of(last + timedelta(days=1)))
    return wanted


async def waiting_figures(
    tx: AsyncSession, dealer_id: str, first: date | None, last: date | None
) -> tuple[int, int]:
    """How many slips an export would take, and what they come to in yen."""
    chosen = select(Slip.slip_id).where(*not_exported(dealer_id, first, last))
    slips = await tx.scalar(select(func.count()).select_from(chosen.subquery())) or 0
    total = select(func.coalesce(func.sum(SlipItem.amount_yen), 0)).where(
        SlipItem.slip_id.in_(chosen)
    )
    return slips, int(await tx.scalar(total) or 0)


async def exports_of(tx: AsyncSession, dealer_id: str, before: int | None) -> Sequence[Any]:
    """The exports of a company, the latest first, fifty at a time; with how many slips changed."""
    changed = (
        select(func.count())
        .select_from(ExportedSlip)
        .outerjoin(Slip, Slip.slip_id == ExportedSlip.slip_id)
        .where(
            ExportedSlip.export_id == JournalExport.export_id,
            ExportedSlip.slip_version.is_distinct_from(Slip.version),
        )
        .scalar_subquery()
    )
    found = select(JournalExport, changed.label("changed")).where(
        JournalExport.dealer_id == dealer_id
    )
    if before is not None:
        found = found.where(JournalExport.number < before)
    rows = await tx.execute(found.order_by(JournalExport.number.desc()).limit(50))
    return rows.all()


async def export_for(
    tx: AsyncSession, dealer_id: str, export_id: UUID, *, lock: bool = False
) -> JournalExport:
    """One export of the company. Raises NotFound."""
    asked = select(JournalExport).where(
        JournalExport.export_id == export_id, JournalExport.dealer_id == dealer_id
    )
    found = (await tx.execute(asked.with_for_update() if lock else asked)).scalar_one_or_none()
    if found is None:
        raise NotFound
    return found


def items_in(export_id: UUID) -> Select[*tuple[Any, ...]]:
    """What the lines of an export are made of, in their order; nothing without an amount."""
    return (
        select(
            cast(SlipItem.slip_id, Text),
            Slip.kind,
            SlipItem.item_on,
            Employee.name,
            Employee.store_code,
            SlipItem.route,
            SlipItem.words,
            SlipItem.round_trip,
            SlipItem.purpose,
            SlipItem.payee,
            SlipItem.registration_no,
            SlipItem.amount_yen,
            SlipItem.invoice_basis,
        )
        .join(ExportedSlip, ExportedSlip.slip_id == SlipItem.slip_id)
        .join(Slip, Slip.slip_id == SlipItem.slip_id)
        .join(Employee, Employee.employee_id == SlipItem.employee_id)
        .where(ExportedSlip.export_id == export_id, SlipItem.amount_yen > 0)
        .order_by(SlipItem.slip_id, SlipItem.position)
    )


def every_slip(dealer_id: str, first: date | None, last: date | None) -> Select[*tuple[Any, ...]]:
    """What was handed in, by its day, for the list as CSV."""
    total = func.coalesce(func.sum(SlipItem.amount_yen), 0)
    wanted = [Slip.dealer_id == dealer_id, Slip.submitted_at.is_not(None)]
    if first is not None:
        wanted.append(Slip.submitted_at >= _start_of(first))
    if last is not None:
        wanted.append(Slip.submitted_at < _start_of(last + timedelta(days=1)))
    counted = and_(ExportedSlip.slip_id == Slip.slip_id, ExportedSlip.counts)
    return (
        select(
            cast(Slip.slip_id, Text),
            Slip.kind,
            Slip.title,
            Slip.status,
            Slip.submitted_at,
            Slip.updated_at,
            Slip.employee_id,
            Employee.name,
            Employee.store_code,
            func.count(SlipItem.item_id).label("items"),
            total.label("total_yen"),
            JournalExport.number,
        )
        .join(Employee, Employee.employee_id == Slip.employee_id)
        .outerjoin(SlipItem, SlipItem.slip_id == Slip.slip_id)
        .outerjoin(ExportedSlip, counted)
        .outerjoin(JournalExport, JournalExport.export_id == ExportedSlip.export_id)
        .where(*wanted)
        .group_by(Slip.slip_id, Employee.employee_id, JournalExport.export_id)
        .order_by(Slip.submitted_at, Slip.slip_id)
    )


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), JST)
