"""The ledger of mails."""

from alembic import op

revision = "notifier_1"
down_revision = None
branch_labels = ("notifier",)
depends_on = "event_core_1"

OWN_DEALER = (
    "dealer_id = current_setting('app.dealer', true) OR current_setting('app.dealer', true) = '*'"
)

STATEMENTS = [
    """CREATE TABLE mail (
        mail_id uuid PRIMARY KEY,
        dealer_id text NOT NULL,
        mail_kind text NOT NULL,
        cause text NOT NULL,
        subject_id text NOT NULL,
        contract_no text NOT NULL,
        recipient_role text NOT NULL,
        place smallint NOT NULL,
        facts jsonb NOT NULL,
        state text NOT NULL DEFAULT 'scheduled'
            CONSTRAINT mail_state CHECK (state IN
                ('scheduled', 'sending', 'sent', 'suppressed', 'failed', 'unknown')),
        reason text,
        address text,
        subject text,
        body text,
        message_id text,
        attempts integer NOT NULL DEFAULT 0,
        copies integer NOT NULL DEFAULT 0,
        last_error text,
        due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        claim uuid,
        version integer NOT NULL DEFAULT 1,
        planned_at timestamptz NOT NULL,
        settled_at timestamptz,
        correlation_id text,
        traceparent text,
        CONSTRAINT mail_reason CHECK ((state = 'suppressed') = (reason IS NOT NULL)),
        CONSTRAINT mail_once UNIQUE (cause, mail_kind, recipient_role, place)
    )""",
    """CREATE UNIQUE INDEX mail_once_per_address ON mail (cause, mail_kind, lower(address))
        WHERE state IN ('sending', 'sent', 'unknown')""",
    "CREATE INDEX mail_due ON mail (due_at) WHERE state IN ('scheduled', 'sending')",
    "CREATE INDEX mail_by_dealer ON mail (dealer_id, planned_at, mail_id)",
    "CREATE INDEX mail_by_time ON mail (planned_at, mail_id)",
    "CREATE INDEX mail_by_subject ON mail (subject_id)",
    "CREATE INDEX mail_by_contract ON mail (contract_no)",
    """CREATE TABLE mail_log (
        mail_log_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        mail_id uuid NOT NULL REFERENCES mail,
        dealer_id text NOT NULL,
        happened_at timestamptz NOT NULL,
        step text NOT NULL,
        actor text,
        detail text
    )""",
    "CREATE INDEX mail_log_by_mail ON mail_log (mail_id, mail_log_id)",
    "CREATE TRIGGER ring AFTER INSERT ON mail FOR EACH STATEMENT EXECUTE FUNCTION ring('mail')",
    *(
        statement
        for table in ("mail", "mail_log")
        for statement in (
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY own_dealer ON {table} USING ({OWN_DEALER}) WITH CHECK ({OWN_DEALER})",
        )
    ),
]


def upgrade() -> None:
    """Create the ledger."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """What was sent is never forgotten by a migration."""
    raise RuntimeError("The ledger of mails has nothing before it.")
