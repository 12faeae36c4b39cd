"""Who may send, what was accepted, what lies in quarantine."""

from alembic import op

revision = "interchange_1"
down_revision = None
branch_labels = ("interchange",)
depends_on = "event_core_1"

OWN_DEALER = (
    "dealer_id = current_setting('app.dealer', true) OR current_setting('app.dealer', true) = '*'"
)

STATEMENTS = [
    """CREATE TABLE dealer_account (
        dealer_id text PRIMARY KEY
            CONSTRAINT dealer_account_code CHECK (dealer_id ~ '^[A-Za-z0-9_]{1,32}$'),
        name text NOT NULL,
        active boolean NOT NULL DEFAULT true,
        amqp_password_hash text,
        added_at timestamptz NOT NULL
    )""",
    """CREATE TABLE api_key (
        key_id text PRIMARY KEY,
        dealer_id text NOT NULL REFERENCES dealer_account,
        label text NOT NULL,
        secret_hash bytea NOT NULL,
        made_at timestamptz NOT NULL,
        made_by text NOT NULL,
        expires_at timestamptz,
        revoked_at timestamptz,
        revoked_by text,
        last_used_at timestamptz
    )""",
    "CREATE INDEX api_key_by_dealer ON api_key (dealer_id)",
    """CREATE TABLE accepted (
        dealer_id text NOT NULL,
        message_id text NOT NULL,
        digest bytea NOT NULL,
        accepted_at timestamptz NOT NULL,
        PRIMARY KEY (dealer_id, message_id)
    )""",
    "CREATE INDEX accepted_by_time ON accepted (accepted_at)",
    """CREATE TABLE quarantined (
        quarantined_id uuid PRIMARY KEY,
        dealer_id text NOT NULL,
        channel text NOT NULL
            CONSTRAINT quarantined_channel CHECK (channel IN ('amqp', 'https')),
        reason text NOT NULL,
        detail text NOT NULL,
        address text NOT NULL,
        addressed text,
        headers jsonb NOT NULL,
        content_type text,
        body bytea NOT NULL,
        size integer NOT NULL,
        received_at timestamptz NOT NULL,
        settled_at timestamptz,
        settled_as text
            CONSTRAINT quarantined_settled_as CHECK (settled_as IN ('released', 'discarded')),
        settled_by text,
        note text
    )""",
    """CREATE INDEX quarantined_open ON quarantined (dealer_id, received_at)
        WHERE settled_at IS NULL""",
    *(
        statement
        for table in ("dealer_account", "api_key", "accepted", "quarantined")
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
