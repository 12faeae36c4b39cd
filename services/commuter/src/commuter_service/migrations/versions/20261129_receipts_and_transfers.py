"""Receipts of slip items with all their versions; a version is never changed.

Only the deletion after the years of retention, which says so in its transaction, removes one.
"""

from alembic import op

revision = "commuter_receipts_transfers"
down_revision = "commuter_journal_exports"
branch_labels = None
depends_on = None

TABLES = [
    """CREATE TABLE receipt (
        receipt_id uuid PRIMARY KEY,
        dealer_id text NOT NULL,
        employee_id text NOT NULL,
        slip_id uuid NOT NULL,
        item_id uuid NOT NULL,
        newest integer NOT NULL,
        handed_in_at timestamptz,
        item_on date,
        amount_yen integer,
        payee text NOT NULL,
        cancelled_at timestamptz,
        cancelled_by_name text,
        reason text
    )""",
    """CREATE TABLE receipt_version (
        receipt_id uuid NOT NULL REFERENCES receipt,
        number integer NOT NULL,
        dealer_id text NOT NULL,
        file_name text NOT NULL,
        media_type text NOT NULL,
        size integer NOT NULL,
        sha256 text NOT NULL,
        key text NOT NULL,
        stored_at timestamptz NOT NULL,
        stored_by text NOT NULL,
        stored_by_name text NOT NULL,
        PRIMARY KEY (receipt_id, number)
    )""",
    "CREATE INDEX receipt_by_slip ON receipt (slip_id)",
    "CREATE INDEX receipt_by_handing_in ON receipt (dealer_id, handed_in_at, receipt_id)",
    "CREATE UNIQUE INDEX receipt_version_by_key ON receipt_version (key)",
    "ALTER TABLE slip_item ADD COLUMN no_receipt_reason text NOT NULL DEFAULT ''",
    """CREATE FUNCTION keep_receipt_version() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND current_setting('app.retention', true) = 'over' THEN
                RETURN OLD;
            END IF;
            RAISE EXCEPTION 'a version of a receipt is never changed';
        END
    $$""",
    """CREATE TRIGGER receipt_version_stays BEFORE UPDATE OR DELETE ON receipt_version
        FOR EACH ROW EXECUTE FUNCTION keep_receipt_version()""",
]
OWNED = ("receipt", "receipt_version")


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
    """Drop them; the files stay in the store."""
    op.execute("DROP TABLE receipt_version")
    op.execute("DROP TABLE receipt")
    op.execute("DROP FUNCTION keep_receipt_version")
    op.execute("ALTER TABLE slip_item DROP COLUMN no_receipt_reason")
