"""Accounts of a company, exports of its journals, and which slips stand in them."""

from alembic import op

revision = "commuter_journal_exports"
down_revision = "commuter_invoice_basis"
branch_labels = None
depends_on = None

TABLES = [
    """CREATE TABLE accounting_setting (
        dealer_id text PRIMARY KEY,
        version bigint NOT NULL,
        target text NOT NULL,
        debits jsonb NOT NULL,
        credit jsonb NOT NULL,
        tax_words jsonb NOT NULL,
        departments jsonb NOT NULL
    )""",
    """CREATE TABLE journal_export (
        export_id uuid PRIMARY KEY,
        dealer_id text NOT NULL,
        number integer NOT NULL,
        target text NOT NULL,
        accounts jsonb NOT NULL,
        first_on date,
        last_on date,
        slips integer NOT NULL,
        lines integer NOT NULL,
        total_yen bigint NOT NULL,
        made_at timestamptz NOT NULL,
        made_by text NOT NULL,
        made_by_name text NOT NULL,
        cancelled_at timestamptz,
        cancelled_by_name text,
        reason text,
        UNIQUE (dealer_id, number)
    )""",
    """CREATE TABLE exported_slip (
        export_id uuid NOT NULL REFERENCES journal_export,
        slip_id uuid NOT NULL,
        dealer_id text NOT NULL,
        slip_version bigint NOT NULL,
        counts boolean NOT NULL,
        PRIMARY KEY (export_id, slip_id)
    )""",
    "CREATE UNIQUE INDEX exported_once ON exported_slip (slip_id) WHERE counts",
]
OWNED = ("accounting_setting", "journal_export", "exported_slip")


def upgrade() -> None:
    """Create them; each dealer sees its own rows only."""
    for statement in TABLES:
        op.execute(statement)
    for table in OWNED:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_dealer ON {table} USING ("
            "dealer_id = current_setting('app.dealer', true)"
            " OR current_setting('app.dealer', true) = '*')"
        )


def downgrade() -> None:
    """Drop them; the record of exports is lost."""
    for table in reversed(OWNED):
        op.execute(f"DROP TABLE {table}")
