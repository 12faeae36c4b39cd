"""Which slips does a transfer take, to which accounts, and what is in its file?"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service.models import Employee, Slip, SlipItem
from commuter_service.rules.bank_account import AccountType, BankAccount, Payer
from commuter_service.rules.slip_approval import SlipStatus
from commuter_service.rules.zengin_transfer import Payment, transfer_file
from commuter_service.transfer_models import (
    EmployeeAccount,
    PayerJson,
    Transfer,
    TransferPayment,
    TransferredSlip,
    TransferSetting,
)
from shared.http import NotFound


@dataclass(frozen=True, slots=True)
class Claim:
    """What an employee is to get for settled slips; without an account it waits."""

    employee_id: str
    name: str
    slips: int
    yen: int
    account: EmployeeAccount | None


async def transfer_setting_of(
    tx: AsyncSession, dealer_id: str, *, lock: bool = False
) -> TransferSetting:
    """The company's decision; switched off with version 0 before any."""
    asked = select(TransferSetting).where(TransferSetting.dealer_id == dealer_id)
    found = (await tx.execute(asked.with_for_update() if lock else asked)).scalar_one_or_none()
    return found or TransferSetting(dealer_id=dealer_id, version=0, enabled=False, payer=None)


async def account_of(
    tx: AsyncSession, employee_id: str, *, lock: bool = False
) -> EmployeeAccount | None:
    """An employee's account, if there is one."""
    return await tx.get(EmployeeAccount, employee_id, with_for_update=lock)


async def accounts_of(
    tx: AsyncSession, dealer_id: str
) -> Sequence[tuple[Employee, EmployeeAccount | None]]:
    """The people of a company with their accounts, by number."""
    asked = (
        select(Employee, EmployeeAccount)
        .outerjoin(EmployeeAccount, EmployeeAccount.employee_id == Employee.employee_id)
        .where(Employee.dealer_id == dealer_id, Employee.active)
        .order_by(Employee.employee_id)
    )
    return [(employee, account) for employee, account in (await tx.execute(asked)).all()]


def untransferred(dealer_id: str) -> Select[UUID]:
    """Settled slips that stand in no transfer that counts."""
    stands = exists().where(TransferredSlip.slip_id == Slip.slip_id, TransferredSlip.counts)
    return select(Slip.slip_id).where(
        Slip.dealer_id == dealer_id, Slip.status == SlipStatus.SETTLED, ~stands
    )


async def claims_of(tx: AsyncSession, slips: Select[UUID] | Sequence[UUID]) -> Sequence[Claim]:
    """What settled slips come to by employee, without those who get nothing."""
    sums = (
        select(
            Slip.employee_id,
            func.count(func.distinct(Slip.slip_id)).label("slips"),
            func.coalesce(func.sum(SlipItem.amount_yen), 0).label("yen"),
        )
        .join(SlipItem, SlipItem.slip_id == Slip.slip_id)
        .where(Slip.slip_id.in_(slips))
        .group_by(Slip.employee_id)
        .subquery()
    )
    asked = (
        select(Employee.employee_id, Employee.name, sums.c.slips, sums.c.yen, EmployeeAccount)
        .join(sums, sums.c.employee_id == Employee.employee_id)
        .outerjoin(EmployeeAccount, EmployeeAccount.employee_id == Employee.employee_id)
        .where(sums.c.yen > 0)
        .order_by(Employee.employee_id)
    )
    return [
        Claim(employee_id, name, count, int(yen), account)
        for employee_id, name, count, yen, account in (await tx.execute(asked)).all()
    ]


async def transfers_of(tx: AsyncSession, dealer_id: str) -> Sequence[Transfer]:
    """The last hundred transfers of a company, the latest first."""
    asked = select(Transfer).where(Transfer.dealer_id == dealer_id)
    return (await tx.execute(asked.order_by(Transfer.number.desc()).limit(100))).scalars().all()


async def transfer_for(
    tx: AsyncSession, dealer_id: str, transfer_id: UUID, *, lock: bool = False
) -> Transfer:
    """One transfer. Raises NotFound."""
    asked = select(Transfer).where(
        Transfer.transfer_id == transfer_id, Transfer.dealer_id == dealer_id
    )
    found = (await tx.execute(asked.with_for_update() if lock else asked)).scalar_one_or_none()
    if found is None:
        raise NotFound
    return found


async def file_of(tx: AsyncSession, transfer: Transfer) -> bytes:
    """The file of a transfer, the same each time."""
    asked = select(TransferPayment).where(TransferPayment.transfer_id == transfer.transfer_id)
    rows = (await tx.execute(asked.order_by(TransferPayment.employee_id))).scalars()
    payments = [
        Payment(as_account(row), row.yen, row.employee_id.removeprefix(f"{row.dealer_id}-"))
        for row in rows
    ]
    return transfer_file(as_payer(transfer.payer), transfer.pay_on, payments)


async def is_transferred(tx: AsyncSession, slip_id: UUID) -> bool:
    """Whether a slip stands in a transfer that counts."""
    stands = TransferredSlip.slip_id == slip_id, TransferredSlip.counts
    return bool(await tx.scalar(select(exists().where(*stands))))


def as_account(row: EmployeeAccount | TransferPayment) -> BankAccount:
    """As the rules read it."""
    kind = AccountType(row.account_type)
    return BankAccount(row.bank_code, row.branch_code, kind, row.number, row.holder)


def as_payer(kept: PayerJson) -> Payer:
    """As the rules read it."""
    return Payer(
        kept["client_code"],
        kept["client"],
        kept["bank_code"],
        kept["bank"],
        kept["branch_code"],
        kept["branch"],
        AccountType(kept["account_type"]),
        kept["number"],
    )
