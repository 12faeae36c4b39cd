"""The tables of the event core: outbox, inbox, timers."""

from alembic import op

revision = "event_core_1"
down_revision = None
branch_labels = ("event_core",)
depends_on = None

STATEMENTS = [
    "CREATE SEQUENCE outbox_position",
    """CREATE TABLE outbox (
        position bigint NOT NULL DEFAULT nextval('outbox_position'),
        created_at timestamptz NOT NULL DEFAULT now(),
        event_id uuid NOT NULL,
        lane smallint NOT NULL,
        type text NOT NULL,
        aggregate_type text NOT NULL,
        aggregate_id text NOT NULL,
        sequence bigint NOT NULL,
        dealer_id text NOT NULL,
        occurred_at timestamptz NOT NULL,
        payload json NOT NULL,
        headers json NOT NULL,
        published_at timestamptz,
        PRIMARY KEY (position, created_at)
    ) PARTITION BY RANGE (created_at)""",
    "CREATE INDEX outbox_unpublished ON outbox (position) WHERE published_at IS NULL",
    "CREATE INDEX outbox_by_aggregate ON outbox (aggregate_type, aggregate_id, sequence)",
    "CREATE TABLE outbox_p_rest PARTITION OF outbox DEFAULT",
    # Monthly partitions are created ahead of time; outbox_p_rest takes all other rows.
    """CREATE FUNCTION outbox_months(ahead integer) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE month date := date_trunc('month', now() AT TIME ZONE 'UTC');
    BEGIN
        FOR i IN 0..ahead LOOP
            IF to_regclass('outbox_p' || to_char(month, 'YYYYMM')) IS NULL THEN
                EXECUTE format(
                    'CREATE TABLE %I PARTITION OF outbox FOR VALUES FROM (%L) TO (%L)',
                    'outbox_p' || to_char(month, 'YYYYMM'),
                    month::timestamp AT TIME ZONE 'UTC',
                    (month + interval '1 month') AT TIME ZONE 'UTC');
            END IF;
            month := month + interval '1 month';
        END LOOP;
    END $$""",
    "SELECT outbox_months(3)",
    """CREATE TABLE outbox_stream (
        aggregate_type text NOT NULL,
        aggregate_id text NOT NULL,
        last_sequence bigint NOT NULL,
        PRIMARY KEY (aggregate_type, aggregate_id)
    )""",
    "CREATE TABLE relay (owner uuid PRIMARY KEY, seen_at timestamptz NOT NULL)",
    """CREATE TABLE relay_lease (
        lane smallint PRIMARY KEY,
        owner uuid,
        token bigint NOT NULL DEFAULT 0,
        expires_at timestamptz NOT NULL DEFAULT '-infinity'
    )""",
    "INSERT INTO relay_lease (lane) SELECT generate_series(0, 15)",
    """CREATE TABLE inbox (
        stream text NOT NULL,
        sequence bigint NOT NULL,
        event_id uuid NOT NULL,
        type text NOT NULL,
        aggregate_type text NOT NULL,
        aggregate_id text NOT NULL,
        dealer_id text NOT NULL,
        occurred_at timestamptz NOT NULL,
        payload json NOT NULL,
        headers json NOT NULL,
        received_at timestamptz NOT NULL DEFAULT now(),
        state text NOT NULL DEFAULT 'waiting'
            CONSTRAINT inbox_state
            CHECK (state IN ('waiting', 'parked', 'dead', 'skipped')),
        due_at timestamptz NOT NULL DEFAULT now(),
        attempts integer NOT NULL DEFAULT 0,
        cause text,
        settled_at timestamptz,
        PRIMARY KEY (stream, sequence, event_id)
    )""",
    "CREATE INDEX inbox_waiting ON inbox (due_at) WHERE state = 'waiting'",
    "CREATE INDEX inbox_dead ON inbox (settled_at) WHERE state = 'dead'",
    """CREATE TABLE inbox_stream (
        stream text PRIMARY KEY,
        next_sequence bigint NOT NULL DEFAULT 1
    )""",
    """CREATE TABLE inbox_refused (
        refused_id uuid PRIMARY KEY,
        received_at timestamptz NOT NULL DEFAULT now(),
        reason text NOT NULL,
        routing_key text NOT NULL,
        headers jsonb NOT NULL,
        body bytea NOT NULL
    )""",
    """CREATE TABLE timer (
        kind text NOT NULL,
        key text NOT NULL,
        due_at timestamptz NOT NULL,
        payload jsonb NOT NULL,
        attempts integer NOT NULL DEFAULT 0,
        cause text,
        retry_at timestamptz,
        PRIMARY KEY (kind, key)
    )""",
    "CREATE INDEX timer_due ON timer (due_at)",
    """CREATE TABLE idempotency (
        owner text NOT NULL,
        key text NOT NULL,
        fingerprint text NOT NULL,
        answer jsonb,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (owner, key)
    )""",
    """CREATE FUNCTION ring() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_notify(TG_ARGV[0], '');
        RETURN NULL;
    END $$""",
    *(
        f"CREATE TRIGGER ring AFTER INSERT ON {table} FOR EACH STATEMENT"
        f" EXECUTE FUNCTION ring('{table}')"
        for table in ("outbox", "inbox", "timer")
    ),
]


def upgrade() -> None:
    """Create everything."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """A migration never deletes events."""
    raise RuntimeError("The event core has no earlier version.")
