"""Tables of the returns service: applications with their whole history.

Of contracts, stores and staff it keeps what their owner's events say. Every table belongs to
dealers; row-level security shows a transaction only the rows of its own dealer.
"""

from datetime import date, datetime
from typing import TypedDict

from sqlalchemy import BigInteger, Computed, DateTime, ForeignKey, Identity, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared import audit

OPEN = "status NOT IN ('COMPLETED', 'WITHDRAWN')"


class ReportJson(TypedDict):
    """A form as stored with an approval; `received_on` is an ISO date."""

    contact_1: str | None
    contact_2: str | None
    contact_3: str | None
    completion_mail: bool
    kind: str
    received_on: str | None
    unreturned_reason: str | None


class ChangeJson(TypedDict):
    """One changed field of a form as stored in the history; dates are ISO dates."""

    field: str
    before: str | bool | None
    after: str | bool | None


class Base(DeclarativeBase):
    """The tables of this service."""

    type_annotation_map = {  # noqa: RUF012 -- SQLAlchemy's own way to configure a declarative class
        str: Text,
        datetime: DateTime(timezone=True),
        list[str]: ARRAY(Text),
        dict[str, object]: JSONB,
        ReportJson: JSONB,
        list[ChangeJson]: JSONB,
    }


class Contract(Base):
    """A contract as the events of the contracts service describe it.

    Its store sees it until `hidden_from_on`, the first JST day after a move was registered (D142);
    `pending_change_id` is that move. `completed_by` says by what its final handling is complete.
    """

    __tablename__ = "contract_view"
    __table_args__ = (Index("contract_view_by_store", "dealer_id", "store_code"),)

    contract_no: Mapped[str] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    product_code: Mapped[str]
    final_on: Mapped[date]
    vehicle_model: Mapped[str]
    registration_no: Mapped[str]
    first_registered_on: Mapped[date]
    store_code: Mapped[str]
    staff_code: Mapped[str | None]
    receivable_purchased: Mapped[bool]
    tfc_handled: Mapped[bool]
    customer_name: Mapped[str]
    selection: Mapped[str | None]
    completed_by: Mapped[str | None]
    pending_change_id: Mapped[str | None]
    hidden_from_on: Mapped[date | None]


class Store(Base):
    """A store of a dealer."""

    __tablename__ = "store"

    dealer_id: Mapped[str] = mapped_column(primary_key=True)
    store_code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    unused: Mapped[bool]
    phone: Mapped[str | None]
    dealer_name: Mapped[str | None]


class Staff(Base):
    """A person of a dealer; `role` is sales, manager or hq."""

    __tablename__ = "staff"

    dealer_id: Mapped[str] = mapped_column(primary_key=True)
    staff_code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    store_code: Mapped[str | None]
    role: Mapped[str]
    active: Mapped[bool]
    mobile: Mapped[str | None]

    @property
    def person_id(self) -> str:
        """Who this is in our records: D01-E101."""
        return f"{self.dealer_id}-{self.staff_code}"


class ApprovalFlow(Base):
    """承認フロー設定 of a dealer; without a row nothing needs an approval (D111)."""

    __tablename__ = "approval_flow"

    dealer_id: Mapped[str] = mapped_column(primary_key=True)
    store_approval: Mapped[bool]
    hq_approval: Mapped[bool]
    hq_mails: Mapped[list[str]]
    store_approver_notice: Mapped[bool] = mapped_column(server_default=text("false"))
    version: Mapped[int]
    updated_at: Mapped[datetime]
    updated_by: Mapped[str]


class Application(Base):
    """One return application as it is now.

    `originator_role` (sales, manager, hq) and `levels` are its frozen route. `round` counts the
    sendings: approvals of an earlier round are void. `version` grows with every change,
    `status_version` with every entry into a status.
    """

    __tablename__ = "application"
    __table_args__ = (
        Index("one_open_application", "contract_no", unique=True, postgresql_where=text(OPEN)),
        Index("application_by_contract", "contract_no"),
        Index(
            "application_by_dealer",
            "dealer_id", "is_past", text("updated_at DESC"), text("application_id DESC"),
            postgresql_include=["name_key"],
        ),
        Index(
            "application_by_store",
            "dealer_id", "store_code", "is_past",
            text("updated_at DESC"), text("application_id DESC"),
            postgresql_include=["name_key"],
        ),
        Index(
            "application_open_by_status",
            "dealer_id", "status", text("updated_at DESC"), text("application_id DESC"),
            postgresql_where=text("NOT is_past"),
        ),
        Index("application_status", "dealer_id", "store_code", "status"),
        Index("application_by_key", "contract_key"),
        Index(
            "application_at_tfc",
            "is_past", text("updated_at DESC"), text("application_id DESC"),
            postgresql_include=["dealer_id", "name_key"],
            postgresql_where=text("requested_at IS NOT NULL"),
        ),
        Index(
            "application_by_gram",
            text("name_grams(dealer_id, name_key, requested_at IS NOT NULL)"),
            postgresql_using="gin",
        ),
        Index(
            "application_open_at_tfc",
            "status", text("updated_at DESC"), text("application_id DESC"),
            postgresql_where=text("requested_at IS NOT NULL AND NOT is_past"),
        ),
        Index(
            "application_status_at_tfc",
            "status", "dealer_id",
            postgresql_where=text("requested_at IS NOT NULL"),
        ),
    )  # fmt: skip

    application_id: Mapped[str] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    store_code: Mapped[str]
    contract_no: Mapped[str]
    contract_key: Mapped[str]
    customer_name: Mapped[str]
    name_key: Mapped[str]
    originator_id: Mapped[str]
    originator_name: Mapped[str]
    originator_role: Mapped[str]
    levels: Mapped[list[str]]
    round: Mapped[int]
    status: Mapped[str]
    is_past: Mapped[bool] = mapped_column(
        Computed("status IN ('COMPLETED', 'WITHDRAWN')", persisted=True)
    )
    status_version: Mapped[int]
    version: Mapped[int]
    entered_at: Mapped[datetime]
    submitted_at: Mapped[datetime]
    requested_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]
    contact_1: Mapped[str | None]
    contact_2: Mapped[str | None]
    contact_3: Mapped[str | None]
    completion_mail: Mapped[bool]
    kind: Mapped[str]
    received_on: Mapped[date | None]
    unreturned_reason: Mapped[str | None]
    separate_procedure: Mapped[bool]
    dealer_note: Mapped[str | None]
    dealer_note_version: Mapped[int]


class Approval(Base):
    """One approval that was given, with the entry as it was then; `mail` is 連絡先3 (A-29)."""

    __tablename__ = "approval"

    application_id: Mapped[str] = mapped_column(
        ForeignKey(Application.application_id), primary_key=True
    )
    version: Mapped[int] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    round: Mapped[int]
    level: Mapped[str]
    approver_id: Mapped[str]
    approver_name: Mapped[str]
    on_behalf_of: Mapped[str | None]
    mail: Mapped[str | None]
    approved_at: Mapped[datetime]
    entry: Mapped[ReportJson]


class HistoryLine(audit.AuditEntry, Base):
    """Who did what, when, from where to where, in which version, for whom; never changed."""

    __tablename__ = "history"
    __table_args__ = (Index("history_of", "application_id", "line_id"),)

    line_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    application_id: Mapped[str] = mapped_column(ForeignKey(Application.application_id))
    step: Mapped[str | None]
    actor_id: Mapped[str]
    actor_role: Mapped[str]
    actor_name: Mapped[str]
    on_behalf_of: Mapped[str | None]
    from_status: Mapped[str | None]
    to_status: Mapped[str]
    version: Mapped[int]
    status_version: Mapped[int]
    comment: Mapped[str | None] = mapped_column("said")
    changes: Mapped[list[ChangeJson]]
    facts: Mapped[dict[str, object]]


class Substitute(Base):
    """代理承認: `substitute_id` also approves for `approver_id`, on JST days, both included."""

    __tablename__ = "substitute"
    __table_args__ = (
        Index("substitute_for", "dealer_id", "substitute_id", "to_on"),
        Index("substitute_of", "dealer_id", "approver_id", "to_on"),
    )

    line_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    dealer_id: Mapped[str]
    approver_id: Mapped[str]
    approver_role: Mapped[str]
    approver_store: Mapped[str | None]
    substitute_id: Mapped[str]
    from_on: Mapped[date]
    to_on: Mapped[date]
    registered_by: Mapped[str]
    registered_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    version: Mapped[int]


class ChangeApplication(Base):
    """An application that TFC keeps (住所変更, 氏名変更, その他): a row of the list only (D99)."""

    __tablename__ = "change_application"
    __table_args__ = (
        Index(
            "change_application_by_dealer",
            "dealer_id", "is_past", text("updated_at DESC"), text("change_id DESC"),
            postgresql_include=["store_code", "name_key"],
        ),
        Index(
            "change_application_by_gram",
            text("name_grams(dealer_id, name_key, false)"),
            postgresql_using="gin",
        ),
        Index("change_application_status", "dealer_id", "store_code", "status"),
        Index("change_application_of", "contract_no"),
        Index("change_application_by_key", "contract_key"),
    )  # fmt: skip

    change_id: Mapped[str] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    store_code: Mapped[str]
    contract_no: Mapped[str]
    contract_key: Mapped[str]
    customer_name: Mapped[str]
    name_key: Mapped[str]
    kind: Mapped[str]
    status: Mapped[str]
    is_past: Mapped[bool] = mapped_column(
        Computed("status IN ('COMPLETED', 'WITHDRAWN')", persisted=True)
    )
    requested_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]


class ApplicationSearch(Base):
    """The rows of `application` behind another wall, for a search by name (ADR 28).

    It has none of its own. Seen are only those of the transaction's dealer, for TFC those sent to
    it, that have every gram in the setting `app.sought`.
    """

    __tablename__ = "application_search"

    application_id: Mapped[str] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    name_key: Mapped[str]
    requested_at: Mapped[datetime | None]


class ChangeApplicationSearch(Base):
    """The rows of `change_application` in the same way; TFC sees none here."""

    __tablename__ = "change_application_search"

    change_id: Mapped[str] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    name_key: Mapped[str]
    requested_at: Mapped[datetime | None]


class ReportedCar(Base):
    """A car that a dealer's own system says came back; a person still has to report it.

    It names its contract, or the number plate as it is compared (`name_key`).
    """

    __tablename__ = "reported_car"
    __table_args__ = (
        Index("reported_car_by_contract", "dealer_id", "contract_no"),
        Index("reported_car_by_plate", "dealer_id", "registration_key"),
    )

    dealer_id: Mapped[str] = mapped_column(primary_key=True)
    source_id: Mapped[str] = mapped_column(primary_key=True)
    contract_no: Mapped[str | None]
    registration_key: Mapped[str | None]
    received_on: Mapped[date]
    place: Mapped[str | None]
    odometer_km: Mapped[int | None]
    told_at: Mapped[datetime]
