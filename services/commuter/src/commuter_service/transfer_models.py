"""Tables of reimbursements by bank transfer: accounts, the company's side, files that were made."""

from datetime import date, datetime
from typing import TypedDict
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from commuter_service.models import Base


class PayerJson(TypedDict):
    """The company as its bank knows it."""

    client_code: str
    client: str
    bank_code: str
    bank: str
    branch_code: str
    branch: str
    account_type: str
    number: str


class EmployeeAccount(Base):
    """The bank account of an employee; `holder` in characters of the banks."""

    __tablename__ = "bank_account"

    employee_id: Mapped[str] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    version: Mapped[int] = mapped_column(BigInteger)
    bank_code: Mapped[str]
    branch_code: Mapped[str]
    account_type: Mapped[str]
    number: Mapped[str]
    holder: Mapped[str]


class TransferSetting(Base):
    """Whether a company pays by transfer files, and from where."""

    __tablename__ = "transfer_setting"

    dealer_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    enabled: Mapped[bool]
    payer: Mapped[PayerJson | None] = mapped_column(JSONB(none_as_null=True))


class Transfer(Base):
    """A transfer file; `number` counts within the company."""

    __tablename__ = "transfer"
    __table_args__ = (UniqueConstraint("dealer_id", "number"),)

    transfer_id: Mapped[UUID] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    number: Mapped[int]
    pay_on: Mapped[date]
    payer: Mapped[PayerJson] = mapped_column(JSONB)
    slips: Mapped[int]
    payments: Mapped[int]
    total_yen: Mapped[int] = mapped_column(BigInteger)
    made_at: Mapped[datetime]
    made_by: Mapped[str]
    made_by_name: Mapped[str]
    cancelled_at: Mapped[datetime | None]
    cancelled_by_name: Mapped[str | None]
    reason: Mapped[str | None]


class TransferPayment(Base):
    """What an employee gets by a transfer, to the account of that moment."""

    __tablename__ = "transfer_payment"

    transfer_id: Mapped[UUID] = mapped_column(ForeignKey("transfer.transfer_id"), primary_key=True)
    employee_id: Mapped[str] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    yen: Mapped[int] = mapped_column(BigInteger)
    bank_code: Mapped[str]
    branch_code: Mapped[str]
    account_type: Mapped[str]
    number: Mapped[str]
    holder: Mapped[str]


class TransferredSlip(Base):
    """A slip in a transfer; `counts` until that is cancelled."""

    __tablename__ = "transferred_slip"
    __table_args__ = (
        Index("transferred_once", "slip_id", unique=True, postgresql_where=text("counts")),
    )

    transfer_id: Mapped[UUID] = mapped_column(ForeignKey("transfer.transfer_id"), primary_key=True)
    slip_id: Mapped[UUID] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    counts: Mapped[bool]
