"""Tables of the notifier: the ledger of mails, and what happened to each.

mail      one row per cause (an event, or a stay in a status), kind of mail and recipient
mail_log  every step of a mail, with the person behind it where there was one
"""

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared import audit
from shared.delivery.ledger import Deliverable, Ledger
from shared.departed_staff import departed_staff_table

STATES = ("scheduled", "sending", "sent", "suppressed", "failed", "unknown")


class MailFacts(TypedDict, total=False):
    """The facts of a mail's cause as stored; see `rules.recipients.Facts`."""

    status_version: int
    from_level: str
    to_level: str
    move_id: str
    month: str
    ends_on: str
    group: str


class Base(DeclarativeBase):
    """Base of the notifier's tables."""

    type_annotation_map = {  # noqa: RUF012  SQLAlchemy's own way to say it
        str: Text,
        datetime: DateTime(timezone=True),
        MailFacts: JSONB,
    }


class Mail(Deliverable, Base):
    """One mail to one recipient; `copies` counts those that people asked for after it was sent."""

    __tablename__ = "mail"
    __table_args__ = (
        UniqueConstraint("cause", "mail_kind", "recipient_role", "place", name="mail_once"),
        CheckConstraint(
            "state IN ('scheduled', 'sending', 'sent', 'suppressed', 'failed', 'unknown')",
            name="mail_state",
        ),
        CheckConstraint("(state = 'suppressed') = (reason IS NOT NULL)", name="mail_reason"),
        Index(
            "mail_once_per_address",
            "cause",
            "mail_kind",
            text("lower(address)"),
            unique=True,
            postgresql_where=text("state IN ('sending', 'sent', 'unknown')"),
        ),
        Index("mail_due", "due_at", postgresql_where=text("state IN ('scheduled', 'sending')")),
        Index(
            "mail_troubles",
            "state",
            "planned_at",
            "mail_id",
            postgresql_where=text("state IN ('failed', 'unknown')"),
        ),
        Index("mail_by_dealer", "dealer_id", "planned_at", "mail_id"),
        Index("mail_by_time", "planned_at", "mail_id"),
        Index("mail_by_subject", "subject_id"),
        Index("mail_by_contract", "contract_no"),
    )

    mail_id: Mapped[UUID] = mapped_column(primary_key=True)
    mail_kind: Mapped[str]
    cause: Mapped[str]
    subject_id: Mapped[str]
    contract_no: Mapped[str]
    recipient_role: Mapped[str]
    place: Mapped[int] = mapped_column(SmallInteger)
    facts: Mapped[MailFacts]
    reason: Mapped[str | None]
    address: Mapped[str | None]
    subject: Mapped[str | None]
    body: Mapped[str | None]
    message_id: Mapped[str | None]
    copies: Mapped[int] = mapped_column(server_default=text("0"))
    last_error: Mapped[str | None]


class MailLog(audit.AuditEntry, Base):
    """One step of one mail."""

    __tablename__ = "mail_log"
    __table_args__ = (Index("mail_log_by_mail", "mail_id", "mail_log_id"),)

    mail_log_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    mail_id: Mapped[UUID] = mapped_column(ForeignKey("mail.mail_id"))
    at: Mapped[datetime] = mapped_column("happened_at")
    action: Mapped[str] = mapped_column("step")
    actor: Mapped[str | None]
    detail: Mapped[str | None]


MAILS = Ledger(Mail, MailLog, channel="mail")

DEPARTED_STAFF = departed_staff_table(Base.metadata)
