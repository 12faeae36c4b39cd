"""Tables of the commuter service.

Employees as in the staff master, the settings of a company and its administrators, passes
with all their versions, slips with their items, and a trail of who changed what.
"""

from datetime import date, datetime
from typing import Any, TypedDict
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared import audit


class Base(DeclarativeBase):
    """A row that the commuter service keeps."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads a plain attribute
        str: Text,
        int: Integer,
        date: Date,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        list[str]: ARRAY(Text),
        list[int]: ARRAY(Integer),
    }


class Employee(Base):
    """Somebody who travels; `mail` is known once the person has used this service.

    `name_kana` is the reading as the staff master has it.
    """

    __tablename__ = "employee"

    employee_id: Mapped[str] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    name: Mapped[str]
    mail: Mapped[str | None]
    active: Mapped[bool]
    store_code: Mapped[str | None]
    name_kana: Mapped[str | None]


class CompanySetting(Base):
    """What a company decided on システム設定; without a row the defaults hold.

    `approvers` is the chain of one or two employees who approve slips (R23).
    """

    __tablename__ = "company_setting"

    dealer_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    applications_allowed: Mapped[bool]
    retention_days: Mapped[int]
    admin_mail: Mapped[str | None]
    bus_policy: Mapped[str]
    warning_blocks: Mapped[bool]
    amount_change_allowed: Mapped[bool]
    approvers: Mapped[list[str]]
    media: Mapped[str] = mapped_column(server_default=text("'both'"))
    without_pass_allowed: Mapped[bool] = mapped_column(server_default=text("true"))
    roundabout_blocks: Mapped[bool] = mapped_column(server_default=text("false"))
    yen_per_minute: Mapped[int] = mapped_column(server_default=text("30"))
    yen_per_change: Mapped[int] = mapped_column(server_default=text("100"))
    delegate_entry: Mapped[bool] = mapped_column(server_default=text("false"))
    ending_notice_days: Mapped[int] = mapped_column(server_default=text("0"))


class Permission(Base):
    """Permissions of an employee on 権限マスタ; `mail` receives applications (R27, R29)."""

    __tablename__ = "permission"

    employee_id: Mapped[str] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    version: Mapped[int] = mapped_column(BigInteger)
    pass_master: Mapped[bool]
    edit_at_approval: Mapped[bool]
    edit_after_approval: Mapped[bool]
    mail: Mapped[str | None]


class MailPreference(Base):
    """The mails about slips that an employee does not want; without a row they get all."""

    __tablename__ = "mail_preference"

    employee_id: Mapped[str] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    version: Mapped[int] = mapped_column(BigInteger)
    declined: Mapped[list[str]]


class Pass(Base):
    """A pass: the state of its newest version, and the confirmed one, which deducts (R21, R24).

    `announced_end`: the last day of which its holder was reminded (R122).
    """

    __tablename__ = "commuter_pass"
    __table_args__ = (Index("commuter_pass_by_employee", "dealer_id", "employee_id"),)

    pass_id: Mapped[UUID] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    employee_id: Mapped[str]
    version: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str]
    newest: Mapped[int]
    confirmed: Mapped[int | None]
    applied_on: Mapped[date | None]
    reason: Mapped[str | None]
    announced_end: Mapped[date | None]


class PassVersion(Base):
    """One content of a pass: route text, period and prices; the row of a version never changes."""

    __tablename__ = "pass_version"

    pass_id: Mapped[UUID] = mapped_column(ForeignKey("commuter_pass.pass_id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    route: Mapped[str]
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    has_bus: Mapped[bool]
    made_at: Mapped[datetime]
    made_by: Mapped[str]
    one_month_yen: Mapped[int | None]
    three_months_yen: Mapped[int | None]
    six_months_yen: Mapped[int | None]
    paid_every: Mapped[int | None]
    priced_from: Mapped[date | None]


class Slip(Base):
    """A slip; `chain` are the approvers of its last submission, `step` who of them is next."""

    __tablename__ = "slip"
    __table_args__ = (
        Index("slip_by_employee", "dealer_id", "employee_id", "updated_at"),
        Index("slip_by_status", "dealer_id", "status", "updated_at"),
        Index("slip_by_submission", "dealer_id", "submitted_at", "slip_id"),
    )

    slip_id: Mapped[UUID] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    employee_id: Mapped[str]
    version: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str]
    title: Mapped[str]
    purpose: Mapped[str]
    trip_from: Mapped[date | None]
    trip_to: Mapped[date | None]
    status: Mapped[str]
    chain: Mapped[list[str]]
    step: Mapped[int]
    copied_from: Mapped[UUID | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    entered_by: Mapped[str | None]
    """Who entered it for its owner (代理申請)."""


class ChosenJourney(TypedDict):
    """Minutes, changes and labels of the candidate that was decided."""

    minutes: int
    changes: int
    labels: list[str]


class SlipItem(Base):
    """One line of a slip. What the look-up found is kept as it was found; no warning is stored.

    `searched_on` is the day for which the look-up ran, `item_on_at_decision` the item's day then,
    `passes_at_search` the (id, version) of the passes valid on the searched day. `journey` is None
    for a route that was decided without its trains.
    """

    __tablename__ = "slip_item"
    __table_args__ = (
        Index("slip_item_by_slip", "slip_id", "position"),
        Index("slip_item_by_day", "dealer_id", "employee_id", "item_on"),
        Index(
            "slip_item_sums", "slip_id", postgresql_include=("dealer_id", "amount_yen", "item_on")
        ),
    )

    item_id: Mapped[UUID] = mapped_column(primary_key=True)
    slip_id: Mapped[UUID] = mapped_column(ForeignKey("slip.slip_id", ondelete="CASCADE"))
    position: Mapped[int]
    dealer_id: Mapped[str]
    employee_id: Mapped[str]
    item_on: Mapped[date | None]
    purpose: Mapped[str]
    source: Mapped[str]
    words: Mapped[str]
    route: Mapped[str | None]
    medium: Mapped[str | None]
    round_trip: Mapped[bool]
    amount_yen: Mapped[int | None]
    through_yen: Mapped[int | None]
    receipt: Mapped[bool]
    searched_on: Mapped[date | None]
    item_on_at_decision: Mapped[date | None]
    passes_at_search: Mapped[list[Any]]
    explanation: Mapped[dict[str, Any] | None]
    without_pass_reason: Mapped[str | None]
    journey: Mapped[ChosenJourney | None] = mapped_column(JSONB(none_as_null=True))
    cost_kind: Mapped[str] = mapped_column(server_default=text("'other'"))
    payee: Mapped[str] = mapped_column(server_default=text("''"))
    registration_no: Mapped[str] = mapped_column(server_default=text("''"))
    no_invoice_reason: Mapped[str] = mapped_column(server_default=text("''"))
    invoice_basis: Mapped[str | None]
    no_receipt_reason: Mapped[str] = mapped_column(server_default=text("''"))
    picture: Mapped[str | None]
    """Not used any more: dropped by the next release, while the one before still reads it."""


class MonthClosing(Base):
    """A month that accounting closed once; `closed` is false while it is reopened."""

    __tablename__ = "month_closing"

    dealer_id: Mapped[str] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    closed: Mapped[bool]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]
    changed_by_name: Mapped[str]
    reason: Mapped[str | None]


class SourceFare(Base):
    """A one-way fare that 駅すぱあと quoted for a route text; `yen` None: it knows no such ride."""

    __tablename__ = "source_fare"

    route: Mapped[str] = mapped_column(primary_key=True)
    fare_on: Mapped[date] = mapped_column(primary_key=True)
    medium: Mapped[str] = mapped_column(primary_key=True)
    yen: Mapped[int | None]
    minutes: Mapped[list[int]]
    quoted_at: Mapped[datetime]


class AuditEntry(audit.AuditEntry, Base):
    """Who did what to whose pass or slip, when, and what it changed; rows only ever come (R62)."""

    __tablename__ = "trail"
    __table_args__ = (Index("trail_by_subject", "subject_id", "trail_id"),)

    trail_id: Mapped[UUID] = mapped_column(primary_key=True)
    employee_id: Mapped[str]
    subject_id: Mapped[UUID]
    actor: Mapped[str]
    actor_name: Mapped[str]
    before: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    after: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    said: Mapped[str | None]


class AccountJson(TypedDict):
    """An account of the accounting software."""

    account: str
    sub_account: str
    taxed: bool


class AccountsJson(TypedDict):
    """Accounts, words of tax and departments, as an export was made with them."""

    debits: dict[str, AccountJson]
    credit: AccountJson
    tax_words: dict[str, str]
    departments: dict[str, str]


class AccountingSetting(Base):
    """The accounts of a company by kind of slip; `departments` by store code."""

    __tablename__ = "accounting_setting"

    dealer_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    target: Mapped[str]
    debits: Mapped[dict[str, AccountJson]] = mapped_column(JSONB)
    credit: Mapped[AccountJson] = mapped_column(JSONB)
    tax_words: Mapped[dict[str, str]] = mapped_column(JSONB)
    departments: Mapped[dict[str, str]] = mapped_column(JSONB)


class JournalExport(Base):
    """One export of journals; `number` counts within the company."""

    __tablename__ = "journal_export"
    __table_args__ = (UniqueConstraint("dealer_id", "number"),)

    export_id: Mapped[UUID] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    number: Mapped[int]
    target: Mapped[str]
    accounts: Mapped[AccountsJson] = mapped_column(JSONB)
    first_on: Mapped[date | None]
    last_on: Mapped[date | None]
    slips: Mapped[int]
    lines: Mapped[int]
    total_yen: Mapped[int] = mapped_column(BigInteger)
    made_at: Mapped[datetime]
    made_by: Mapped[str]
    made_by_name: Mapped[str]
    cancelled_at: Mapped[datetime | None]
    cancelled_by_name: Mapped[str | None]
    reason: Mapped[str | None]


class ExportedSlip(Base):
    """A slip in an export with the version it had; `counts` until the export is cancelled."""

    __tablename__ = "exported_slip"
    __table_args__ = (
        Index("exported_once", "slip_id", unique=True, postgresql_where=text("counts")),
    )

    export_id: Mapped[UUID] = mapped_column(
        ForeignKey("journal_export.export_id"), primary_key=True
    )
    slip_id: Mapped[UUID] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    slip_version: Mapped[int] = mapped_column(BigInteger)
    counts: Mapped[bool]
