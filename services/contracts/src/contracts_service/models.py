"""Tables of the contracts service.

Master data (dealers, stores, staff, products, vehicles, calendar exceptions), contracts with the
state of their last instalment, and their history: memos, entries, assignment changes, releases,
exports.
"""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared import audit


class Base(DeclarativeBase):
    """Declarative base of the contracts service's tables."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads a plain attribute
        str: Text,
        int: Integer,
        date: Date,
        datetime: DateTime(timezone=True),
        bytes: LargeBinary,
        dict[str, str]: JSONB,
    }


class Dealer(Base):
    """A dealer."""

    __tablename__ = "dealer"

    dealer_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class Store(Base):
    """A store; an `unused` one is shown in brackets and never chosen (D130).

    `successor` is the store that takes over the customers of a closed one.
    """

    __tablename__ = "store"

    dealer_id: Mapped[str] = mapped_column(primary_key=True)
    store_code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    phone: Mapped[str | None]
    unused: Mapped[bool]
    successor: Mapped[str | None]


class Staff(Base):
    """A staff member; headquarters staff have no `store_code`. Former staff are not `active`."""

    __tablename__ = "staff"

    dealer_id: Mapped[str] = mapped_column(primary_key=True)
    staff_code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_kana: Mapped[str | None]
    store_code: Mapped[str | None]
    role: Mapped[str]
    mobile_phone: Mapped[str | None]
    mail: Mapped[str | None]
    active: Mapped[bool]


class ProductRow(Base):
    """A finance product and what it allows (D76-D79)."""

    __tablename__ = "product"

    product_code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    return_allowed: Mapped[bool]
    separate_procedure: Mapped[bool]
    transferable: Mapped[bool]
    is_lease: Mapped[bool]


class Vehicle(Base):
    """A model that a customer may buy next (D55); the dealer `*` means all dealers."""

    __tablename__ = "vehicle"

    dealer_id: Mapped[str] = mapped_column(primary_key=True)
    vehicle_code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    active: Mapped[bool]


class CalendarException(Base):
    """A day on which the finance company's calendar differs from the general one (D141)."""

    __tablename__ = "calendar_exception"

    exception_on: Mapped[date] = mapped_column(primary_key=True)
    is_open: Mapped[bool]


GRAMS = "contract_grams(dealer_id, customer_folded, registration_folded)"
"""What a search finds a contract by: characters and pairs of them, each behind its dealer."""


class Contract(Base):
    """A contract: the finance company's data, and the handling of its last instalment.

    `customer_folded` holds the folded name and reading for the search, one line each. From
    `hidden_from_store_on` on no store sees it (D142). `imported_*` are the values of the last file,
    so that importing the same file again changes nothing.
    """

    __tablename__ = "contract"
    __table_args__ = (
        Index("contract_by_final_on", "dealer_id", "final_on", "contract_no"),
        Index("contract_by_store", "dealer_id", "store_code", "final_on", "contract_no"),
        Index("contract_by_staff", "dealer_id", "staff_code", "final_on", "contract_no"),
        Index("contract_by_registration", "dealer_id", "first_registered_month"),
        Index("contract_by_gram", text(GRAMS), postgresql_using="gin"),
    )

    contract_no: Mapped[str] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    version: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))
    product_code: Mapped[str] = mapped_column(ForeignKey("product.product_code"))
    final_on: Mapped[date]
    last_instalment_yen: Mapped[int | None] = mapped_column(BigInteger)
    balance_yen: Mapped[int | None] = mapped_column(BigInteger)
    instalments: Mapped[int | None]
    monthly_yen: Mapped[int | None] = mapped_column(BigInteger)
    yearly_rate_percent: Mapped[Decimal | None] = mapped_column(Numeric(5, 3))
    model_code: Mapped[str | None]
    model: Mapped[str]
    registration_no: Mapped[str]
    registration_folded: Mapped[str]
    first_registered_month: Mapped[date]
    first_registered_on: Mapped[date | None]
    commercial: Mapped[bool]
    customer_name: Mapped[str]
    customer_name_kana: Mapped[str | None]
    customer_folded: Mapped[str]
    postal_code: Mapped[str | None]
    address: Mapped[str]
    phone: Mapped[str | None]
    store_code: Mapped[str]
    staff_code: Mapped[str | None]
    transferred_in_on: Mapped[date | None]
    pending_change_id: Mapped[UUID | None]
    hidden_from_store_on: Mapped[date | None]
    receivable_purchased: Mapped[bool]
    tfc_handled: Mapped[bool]
    customer_change_pending: Mapped[bool]
    sold_vehicle_code: Mapped[str | None]
    sold_on: Mapped[date | None]
    selection: Mapped[str | None]
    selection_before_resplit: Mapped[str | None]
    late: Mapped[bool] = mapped_column(server_default=text("false"))
    confirmation_received_on: Mapped[date | None]
    own_replacement: Mapped[bool | None]
    replacement_vehicle_code: Mapped[str | None]
    replacement_other_text: Mapped[str | None]
    replacement_source: Mapped[str | None]
    replacement_recorded_at: Mapped[datetime | None]
    payoff_requested_at: Mapped[datetime | None]
    payoff_settled: Mapped[bool] = mapped_column(server_default=text("false"))
    resplit_approved: Mapped[bool] = mapped_column(server_default=text("false"))
    open_return_id: Mapped[str | None]
    return_completed: Mapped[bool] = mapped_column(server_default=text("false"))
    separate_procedure_completed: Mapped[bool] = mapped_column(server_default=text("false"))
    completed_by_tfc: Mapped[bool] = mapped_column(server_default=text("false"))
    completion_basis: Mapped[str | None]
    completed_on: Mapped[date | None]
    imported_store_code: Mapped[str | None]
    imported_staff_code: Mapped[str | None]
    import_fingerprint: Mapped[bytes | None]


class ContractSearch(Base):
    """The same contracts behind another wall, for a search by name or plate (ADR 28).

    It has no rows of its own: PostgreSQL reads those of `contract`, which inherits from it. Seen are
    only those of the transaction's dealer that have every gram in the setting `app.sought`.
    """

    __tablename__ = "contract_search"

    contract_no: Mapped[str] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    version: Mapped[int] = mapped_column(BigInteger)
    product_code: Mapped[str]
    final_on: Mapped[date]
    model_code: Mapped[str | None]
    model: Mapped[str]
    registration_no: Mapped[str]
    registration_folded: Mapped[str]
    first_registered_month: Mapped[date]
    customer_name: Mapped[str]
    customer_folded: Mapped[str]
    store_code: Mapped[str]
    staff_code: Mapped[str | None]
    transferred_in_on: Mapped[date | None]
    pending_change_id: Mapped[UUID | None]
    hidden_from_store_on: Mapped[date | None]
    tfc_handled: Mapped[bool]
    selection: Mapped[str | None]
    own_replacement: Mapped[bool | None]
    replacement_vehicle_code: Mapped[str | None]
    replacement_other_text: Mapped[str | None]
    completion_basis: Mapped[str | None]


class Memo(Base):
    """One saved version of the memo (自由記入欄); the highest version counts (D47)."""

    __tablename__ = "memo"

    contract_no: Mapped[str] = mapped_column(ForeignKey("contract.contract_no"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    text: Mapped[str]
    saved_at: Mapped[datetime]
    saved_by: Mapped[str]


class Entry(audit.AuditEntry, Base):
    """One statement about selection or replacement; its `action` is the source of it."""

    __tablename__ = "entry"
    __table_args__ = (Index("entry_by_contract", "contract_no", "recorded_at"),)

    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    contract_no: Mapped[str] = mapped_column(ForeignKey("contract.contract_no"))
    at: Mapped[datetime] = mapped_column("recorded_at")
    recorded_by: Mapped[str]
    action: Mapped[str] = mapped_column("source")
    selection: Mapped[str | None]
    own_replacement: Mapped[bool | None]
    vehicle_code: Mapped[str | None]
    other_text: Mapped[str | None]
    late: Mapped[bool]
    confirmation_received_on: Mapped[date | None]


class AssignmentChange(Base):
    """One registered change of store or staff, and its outcome (D124-D144)."""

    __tablename__ = "assignment_change"
    __table_args__ = (
        Index("assignment_change_by_contract", "contract_no", "registered_at"),
        Index(
            "assignment_change_pending",
            "contract_no",
            unique=True,
            postgresql_where=text("state = 'pending'"),
        ),
    )

    change_id: Mapped[UUID] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    contract_no: Mapped[str] = mapped_column(ForeignKey("contract.contract_no"))
    from_store: Mapped[str]
    to_store: Mapped[str | None]
    from_staff: Mapped[str | None]
    to_staff: Mapped[str | None]
    reason: Mapped[str | None]
    registered_on: Mapped[date]
    registered_at: Mapped[datetime]
    registered_by: Mapped[str]
    hidden_from_old_store_on: Mapped[date | None]
    reflect_earliest_on: Mapped[date]
    reflect_latest_on: Mapped[date]
    batch_id: Mapped[UUID | None]
    state: Mapped[str]
    settled_on: Mapped[date | None]
    rejected_because: Mapped[str | None]


class CustomerChangeRelease(Base):
    """Headquarters lifted the block of a pending customer change, with the reason (D64)."""

    __tablename__ = "customer_change_release"

    release_id: Mapped[UUID] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    contract_no: Mapped[str] = mapped_column(ForeignKey("contract.contract_no"))
    reason: Mapped[str]
    released_at: Mapped[datetime]
    released_by: Mapped[str]


class CustomerErasure(Base):
    """The personal data of a contract's customer was erased: by whom, when and why."""

    __tablename__ = "customer_erasure"

    contract_no: Mapped[str] = mapped_column(ForeignKey("contract.contract_no"), primary_key=True)
    dealer_id: Mapped[str]
    reason: Mapped[str]
    erased_at: Mapped[datetime]
    erased_by: Mapped[str]


class CustomerListExport(Base):
    """A CSV export of a customer list, and who exported it (D19)."""

    __tablename__ = "customer_list_export"

    export_id: Mapped[UUID] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    store_code: Mapped[str | None]
    exported_at: Mapped[datetime]
    exported_by: Mapped[str]
    conditions: Mapped[dict[str, str]]
    rows: Mapped[int]
