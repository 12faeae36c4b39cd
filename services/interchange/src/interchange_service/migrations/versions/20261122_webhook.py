"""Tables of webhooks: endpoints, deliveries and their log."""

from alembic import op

revision = "interchange_2"
down_revision = "interchange_1"
branch_labels = None
depends_on = None

OWN_DEALER = (
    "dealer_id = current_setting('app.dealer', true) OR current_setting('app.dealer', true) = '*'"
)

STATEMENTS = [
    """CREATE TABLE webhook_endpoint (
        endpoint_id uuid PRIMARY KEY,
        dealer_id text NOT NULL,
        label text NOT NULL,
        url text NOT NULL,
        events text[] NOT NULL,
        secret bytea NOT NULL,
        old_secret bytea,
        old_secret_until timestamptz,
        stopped_because text
            CONSTRAINT webhook_endpoint_stopped
                CHECK (stopped_because IN ('person', 'gone', 'failing')),
        failing_since timestamptz,
        version integer NOT NULL DEFAULT 1,
        made_at timestamptz NOT NULL,
        made_by text NOT NULL,
        changed_at timestamptz NOT NULL,
        changed_by text
    )""",
    "CREATE INDEX webhook_endpoint_by_dealer ON webhook_endpoint (dealer_id)",
    """CREATE TABLE webhook_delivery (
        delivery_id uuid PRIMARY KEY,
        endpoint_id uuid NOT NULL REFERENCES webhook_endpoint,
        dealer_id text NOT NULL,
        event_id uuid NOT NULL,
        kind text NOT NULL,
        application_id text,
        contract_no text,
        sequence bigint NOT NULL,
        body text NOT NULL,
        state text NOT NULL DEFAULT 'scheduled'
            CONSTRAINT webhook_delivery_state
                CHECK (state IN ('scheduled', 'delivered', 'failed', 'cancelled')),
        attempts integer NOT NULL DEFAULT 0,
        due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        claim uuid,
        last_status integer,
        last_trouble text,
        version integer NOT NULL DEFAULT 1,
        planned_at timestamptz NOT NULL,
        settled_at timestamptz,
        correlation_id text,
        traceparent text,
        CONSTRAINT webhook_delivery_once UNIQUE (event_id, endpoint_id)
    )""",
    "CREATE INDEX webhook_delivery_due ON webhook_delivery (due_at) WHERE state = 'scheduled'",
    """CREATE INDEX webhook_delivery_waiting
        ON webhook_delivery (endpoint_id, application_id, sequence) WHERE state = 'scheduled'""",
    """CREATE INDEX webhook_delivery_claimed ON webhook_delivery (endpoint_id)
        WHERE state = 'scheduled' AND claim IS NOT NULL""",
    "CREATE INDEX webhook_delivery_by_dealer ON webhook_delivery (dealer_id, delivery_id)",
    "CREATE INDEX webhook_delivery_by_endpoint ON webhook_delivery (endpoint_id, delivery_id)",
    "CREATE INDEX webhook_delivery_by_application ON webhook_delivery (application_id)",
    """CREATE TABLE webhook_delivery_log (
        webhook_delivery_log_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        delivery_id uuid NOT NULL REFERENCES webhook_delivery,
        dealer_id text NOT NULL,
        happened_at timestamptz NOT NULL,
        step text NOT NULL,
        actor text,
        attempt integer NOT NULL,
        status integer,
        trouble text,
        duration_ms integer,
        excerpt text
    )""",
    """CREATE INDEX webhook_delivery_log_by_delivery
        ON webhook_delivery_log (delivery_id, webhook_delivery_log_id)""",
    """CREATE TRIGGER ring AFTER INSERT ON webhook_delivery
        FOR EACH STATEMENT EXECUTE FUNCTION ring('webhook')""",
    *(
        statement
        for table in ("webhook_endpoint", "webhook_delivery", "webhook_delivery_log")
        for statement in (
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY own_dealer ON {table} USING ({OWN_DEALER}) WITH CHECK ({OWN_DEALER})",
        )
    ),
]


def upgrade() -> None:
    """Create the tables."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in STATEMENTS:
        op.execute(statement)
