"""Tables of the interchange: who may send, what was accepted or refused, and webhooks.

dealer_account  a dealer whose systems may send
api_key         a key for HTTPS; only a hash of its secret is kept
accepted        the ids of accepted messages, so that one sent again has no second effect
quarantined     every refused message with its reason, until a person has settled it

webhook_endpoint      where a dealer wants to receive its applications' steps
webhook_delivery      one row per step and endpoint: the message, and whether it has arrived
webhook_delivery_log  every attempt, with the person behind it where there was one
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from interchange_service.rules.webhooks import IN_ORDER_ATTEMPTS
from shared import audit
from shared.delivery.ledger import Deliverable, Ledger
from shared.departed_staff import departed_staff_table


class Base(DeclarativeBase):
    """The tables of this service."""

    type_annotation_map = {  # noqa: RUF012  SQLAlchemy's own way to say it
        str: Text,
        bytes: LargeBinary,
        datetime: DateTime(timezone=True),
        dict[str, str]: JSONB,
        list[str]: ARRAY(Text),
    }


class DealerAccount(Base):
    """A dealer whose systems may send; `amqp_password_hash` as the broker keeps passwords.

    A code has no hyphen: one stands between it and the key in the names of streams, and D01 must
    not get into those of D01-2.
    """

    __tablename__ = "dealer_account"
    __table_args__ = (
        CheckConstraint("dealer_id ~ '^[A-Za-z0-9_]{1,32}$'", name="dealer_account_code"),
    )

    dealer_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    amqp_password_hash: Mapped[str | None]
    added_at: Mapped[datetime]


class ApiKey(Base):
    """A key for HTTPS, of one dealer; revoked or expired ones stay for the record."""

    __tablename__ = "api_key"
    __table_args__ = (Index("api_key_by_dealer", "dealer_id"),)

    key_id: Mapped[str] = mapped_column(primary_key=True)
    dealer_id: Mapped[str] = mapped_column(ForeignKey("dealer_account.dealer_id"))
    label: Mapped[str]
    secret_hash: Mapped[bytes]
    made_at: Mapped[datetime]
    made_by: Mapped[str]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None]
    last_used_at: Mapped[datetime | None]


class AcceptedMessage(Base):
    """A message whose event was emitted; `digest` distinguishes a repetition from a reused id."""

    __tablename__ = "accepted"
    __table_args__ = (Index("accepted_by_time", "accepted_at"),)

    dealer_id: Mapped[str] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[bytes]
    accepted_at: Mapped[datetime]


class Quarantined(Base):
    """A refused message as received; `body` is cut to what a message may hold, `size` is not.

    `dealer_id` is the authenticated sender, or '' where there was none.
    """

    __tablename__ = "quarantined"
    __table_args__ = (
        CheckConstraint("channel IN ('amqp', 'https')", name="quarantined_channel"),
        CheckConstraint("settled_as IN ('released', 'discarded')", name="quarantined_settled_as"),
        Index(
            "quarantined_open",
            "dealer_id",
            "received_at",
            postgresql_where=text("settled_at IS NULL"),
        ),
        Index("quarantined_settled", "settled_at", postgresql_where=text("settled_at IS NOT NULL")),
    )

    quarantined_id: Mapped[UUID] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    channel: Mapped[str]
    reason: Mapped[str]
    detail: Mapped[str]
    address: Mapped[str]
    addressed: Mapped[str | None]
    headers: Mapped[dict[str, str]]
    content_type: Mapped[str | None]
    body: Mapped[bytes]
    size: Mapped[int]
    received_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    settled_as: Mapped[str | None]
    settled_by: Mapped[str | None]
    note: Mapped[str | None]


class WebhookEndpoint(Base):
    """Where a dealer receives webhooks; stopped by a person, by a 410, or as it failed for days.

    The secrets are encrypted; `old_secret` signs beside the new one until `old_secret_until`.
    """

    __tablename__ = "webhook_endpoint"
    __table_args__ = (
        CheckConstraint(
            "stopped_because IN ('person', 'gone', 'failing')", name="webhook_endpoint_stopped"
        ),
        Index("webhook_endpoint_by_dealer", "dealer_id"),
    )

    endpoint_id: Mapped[UUID] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    label: Mapped[str]
    url: Mapped[str]
    events: Mapped[list[str]]
    secret: Mapped[bytes]
    old_secret: Mapped[bytes | None]
    old_secret_until: Mapped[datetime | None]
    stopped_because: Mapped[str | None]
    failing_since: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    made_at: Mapped[datetime]
    made_by: Mapped[str]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str | None]

    @property
    def active(self) -> bool:
        """Whether messages are sent there."""
        return self.stopped_because is None


class WebhookDelivery(Deliverable, Base):
    """One message to one endpoint; `body` stays as it was signed first.

    A test message has no application.
    """

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("event_id", "endpoint_id", name="webhook_delivery_once"),
        CheckConstraint(
            "state IN ('scheduled', 'delivered', 'failed', 'cancelled')",
            name="webhook_delivery_state",
        ),
        Index("webhook_delivery_due", "due_at", postgresql_where=text("state = 'scheduled'")),
        Index(
            "webhook_delivery_waiting",
            "endpoint_id",
            "application_id",
            "sequence",
            postgresql_where=text("state = 'scheduled'"),
        ),
        Index(
            "webhook_delivery_claimed",
            "endpoint_id",
            postgresql_where=text("state = 'scheduled' AND claim IS NOT NULL"),
        ),
        Index(
            "webhook_delivery_settled",
            "settled_at",
            postgresql_where=text("state <> 'scheduled'"),
        ),
        Index("webhook_delivery_failed", "delivery_id", postgresql_where=text("state = 'failed'")),
        Index("webhook_delivery_by_dealer", "dealer_id", "delivery_id"),
        Index("webhook_delivery_by_endpoint", "endpoint_id", "delivery_id"),
        Index("webhook_delivery_by_application", "application_id"),
    )

    delivery_id: Mapped[UUID] = mapped_column(primary_key=True)
    endpoint_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_endpoint.endpoint_id"))
    event_id: Mapped[UUID]
    kind: Mapped[str]
    application_id: Mapped[str | None]
    contract_no: Mapped[str | None]
    sequence: Mapped[int] = mapped_column(BigInteger)
    body: Mapped[str]
    last_status: Mapped[int | None]
    last_trouble: Mapped[str | None]


class WebhookDeliveryLog(audit.AuditEntry, Base):
    """One step of one delivery: an attempt with its answer, or what a person asked for."""

    __tablename__ = "webhook_delivery_log"
    __table_args__ = (
        Index("webhook_delivery_log_by_delivery", "delivery_id", "webhook_delivery_log_id"),
    )

    webhook_delivery_log_id: Mapped[int] = mapped_column(
        BigInteger, Identity(always=True), primary_key=True
    )
    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_delivery.delivery_id"))
    at: Mapped[datetime] = mapped_column("happened_at")
    action: Mapped[str] = mapped_column("step")
    actor: Mapped[str | None]
    attempt: Mapped[int]
    status: Mapped[int | None]
    trouble: Mapped[str | None]
    duration_ms: Mapped[int | None]
    excerpt: Mapped[str | None]


AT_ONCE_PER_ENDPOINT = 2
"""Deliveries in flight per endpoint: a slow receiver must not occupy every lane."""

ENDPOINT_HAS_ROOM = text("""
    EXISTS (
        SELECT 1 FROM webhook_endpoint e
        WHERE e.endpoint_id = webhook_delivery.endpoint_id AND e.stopped_because IS NULL)
    AND webhook_delivery.endpoint_id NOT IN (
        SELECT endpoint_id FROM webhook_delivery
        WHERE state = 'scheduled' AND claim IS NOT NULL AND due_at > clock_timestamp()
        GROUP BY endpoint_id HAVING count(*) >= :at_once)
""").bindparams(at_once=AT_ONCE_PER_ENDPOINT)
IN_ORDER = text("""
    NOT EXISTS (
        SELECT 1 FROM webhook_delivery o
        WHERE o.endpoint_id = webhook_delivery.endpoint_id
          AND o.application_id = webhook_delivery.application_id
          AND o.sequence < webhook_delivery.sequence AND o.state = 'scheduled'
          AND (o.attempts < :in_order OR o.due_at <= clock_timestamp() OR o.claim IS NOT NULL))
""").bindparams(in_order=IN_ORDER_ATTEMPTS)

DELIVERIES = Ledger(
    WebhookDelivery,
    WebhookDeliveryLog,
    channel="webhook",
    ready=(ENDPOINT_HAS_ROOM, IN_ORDER),
    log_columns=lambda delivery: {"attempt": delivery.attempts},
)

DEPARTED_STAFF = departed_staff_table(Base.metadata)
