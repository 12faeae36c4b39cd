"""Tables of receipts: which item one belongs to, every version of its file, files to remove."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from commuter_service.models import Base as Base  # noqa: PLC0414 - with the tables below, it is whole


class Receipt(Base):
    """A receipt of a slip item, by the item's id also after the item was removed.

    `item_on`, `amount_yen` and `payee` are the item's as it was removed; before, they stand in the
    item. `handed_in_at`: from when on accounting sees it, as the slip was submitted first.
    """

    __tablename__ = "receipt"
    __table_args__ = (
        Index("receipt_by_slip", "slip_id"),
        Index("receipt_by_handing_in", "dealer_id", "handed_in_at", "receipt_id"),
    )

    receipt_id: Mapped[UUID] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    employee_id: Mapped[str]
    slip_id: Mapped[UUID]
    item_id: Mapped[UUID]
    newest: Mapped[int]
    handed_in_at: Mapped[datetime | None]
    item_on: Mapped[date | None]
    amount_yen: Mapped[int | None]
    payee: Mapped[str]
    cancelled_at: Mapped[datetime | None]
    cancelled_by_name: Mapped[str | None]
    reason: Mapped[str | None]


class ReceiptVersion(Base):
    """A file as it was uploaded; the database refuses to change the row. `key`: in the store."""

    __tablename__ = "receipt_version"
    __table_args__ = (Index("receipt_version_by_key", "key", unique=True),)

    receipt_id: Mapped[UUID] = mapped_column(ForeignKey("receipt.receipt_id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    file_name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    key: Mapped[str]
    stored_at: Mapped[datetime]
    stored_by: Mapped[str]
    stored_by_name: Mapped[str]


class ReceiptDeletion(Base):
    """A file whose receipt was deleted, until the store has removed it."""

    __tablename__ = "receipt_deletion"

    key: Mapped[str] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    deleted_at: Mapped[datetime]
