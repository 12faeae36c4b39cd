"""Tables of the event core in each service's database.

outbox            every event that the service ever emitted; a log in monthly partitions
outbox_queue      events that the broker has not confirmed yet
outbox_stream     the last sequence number assigned and the newest link, per aggregate
relay, relay_lease which relay publishes which lane of the outbox (1/16 of the aggregates)
inbox             the events received and not yet processed; dead and skipped ones stay
inbox_stream      the next sequence number to process, per aggregate
inbox_refused     messages that cannot be read as events, kept complete for an operator
lag_sample        how far outbox and inbox lagged behind, in the last hour
timer             actions scheduled for later
idempotency       responses of the last week, by Idempotency-Key
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSON, JSONB, UUID

LANES = 16

events = MetaData()

NOW = text("now()")
INSTANT = DateTime(timezone=True)

outbox = Table(
    "outbox",
    events,
    Column(
        "position", BigInteger, primary_key=True, server_default=text("nextval('outbox_position')")
    ),
    Column("created_at", INSTANT, primary_key=True, server_default=NOW),
    Column("event_id", UUID(as_uuid=True), nullable=False),
    Column("lane", SmallInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("aggregate_type", Text, nullable=False),
    Column("aggregate_id", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("dealer_id", Text, nullable=False),
    Column("occurred_at", INSTANT, nullable=False),
    Column("payload", JSON, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("payload_hash", LargeBinary),
    Column("link", LargeBinary),
    Index("outbox_by_aggregate", "aggregate_type", "aggregate_id", "sequence"),
    postgresql_partition_by="RANGE (created_at)",
)

Table(
    "outbox_queue",
    events,
    Column("position", BigInteger, primary_key=True),
    Column("created_at", INSTANT, nullable=False),
    Column("lane", SmallInteger, nullable=False),
)

Table(
    "outbox_stream",
    events,
    Column("aggregate_type", Text, primary_key=True),
    Column("aggregate_id", Text, primary_key=True),
    Column("last_sequence", BigInteger, nullable=False),
    Column("link", LargeBinary),
    Column("linked_at", INSTANT),
)

relay = Table(
    "relay",
    events,
    Column("owner", UUID(as_uuid=True), primary_key=True),
    Column("seen_at", INSTANT, nullable=False),
)

Table(
    "relay_lease",
    events,
    Column("lane", SmallInteger, primary_key=True),
    Column("owner", UUID(as_uuid=True)),
    Column("token", BigInteger, nullable=False, server_default=text("0")),
    Column("expires_at", INSTANT, nullable=False, server_default=text("'-infinity'")),
)

inbox = Table(
    "inbox",
    events,
    Column("stream", Text, primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("event_id", UUID(as_uuid=True), primary_key=True),
    Column("type", Text, nullable=False),
    Column("aggregate_type", Text, nullable=False),
    Column("aggregate_id", Text, nullable=False),
    Column("dealer_id", Text, nullable=False),
    Column("occurred_at", INSTANT, nullable=False),
    Column("payload", JSON, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("received_at", INSTANT, nullable=False, server_default=NOW),
    Column("state", Text, nullable=False, server_default=text("'waiting'")),
    Column("due_at", INSTANT, nullable=False, server_default=NOW),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("cause", Text),
    Column("settled_at", INSTANT),
    CheckConstraint("state IN ('waiting', 'parked', 'dead', 'skipped')", name="inbox_state"),
    Index("inbox_waiting", "due_at", postgresql_where=text("state = 'waiting'")),
    Index("inbox_dead", "settled_at", postgresql_where=text("state = 'dead'")),
)

Table(
    "inbox_stream",
    events,
    Column("stream", Text, primary_key=True),
    Column("next_sequence", BigInteger, nullable=False, server_default=text("1")),
)

Table(
    "inbox_refused",
    events,
    Column("refused_id", UUID(as_uuid=True), primary_key=True),
    Column("received_at", INSTANT, nullable=False, server_default=NOW),
    Column("reason", Text, nullable=False),
    Column("routing_key", Text, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("settled_at", INSTANT),
    Column("settled_as", Text),
    Index("inbox_refused_settled", "settled_at", postgresql_where=text("settled_at IS NOT NULL")),
)

Table(
    "lag_sample",
    events,
    Column("taken_at", INSTANT, primary_key=True, server_default=text("clock_timestamp()")),
    Column("outbox_waiting", BigInteger, nullable=False),
    Column("outbox_age_s", Double, nullable=False),
    Column("inbox_waiting", BigInteger, nullable=False),
    Column("inbox_lag_s", Double, nullable=False),
)

timer = Table(
    "timer",
    events,
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("due_at", INSTANT, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("cause", Text),
    Column("retry_at", INSTANT),
    Index("timer_due", "due_at"),
)

Table(
    "idempotency",
    events,
    Column("owner", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("answer", JSONB),
    Column(
        "dealer_id",
        Text,
        nullable=False,
        server_default=text("coalesce(current_setting('app.dealer', true), '')"),
    ),
    Column("created_at", INSTANT, nullable=False, server_default=NOW),
    Index("idempotency_by_age", "created_at"),
)
