"""Receipts of slip items with all their versions, bank accounts, and transfers.

A version of a receipt is never changed: only the deletion after the years of retention, which says
so in its transaction, removes one.
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
    "ALTER TABLE slip ADD COLUMN settled_at timestamptz",
    "ALTER TABLE slip_item ADD COLUMN no_receipt_reason text NOT NULL DEFAULT ''",
    """CREATE TABLE bank_account (
        employee_id text PRIMARY KEY,
        dealer_id text NOT NULL,
        version bigint NOT NULL,
        bank_code text NOT NULL,
        branch_code text NOT NULL,
        account_type text NOT NULL,
        number text NOT NULL,
        holder text NOT NULL
    )""",
    """CREATE TABLE transfer_setting (
        dealer_id text PRIMARY KEY,
        version bigint NOT NULL,
        enabled boolean NOT NULL,
        payer jsonb
    )""",
    """CREATE TABLE transfer (
        transfer_id uuid PRIMARY KEY,
        dealer_id text NOT NULL,
        number integer NOT NULL,
        pay_on date NOT NULL,
        payer jsonb NOT NULL,
        slips integer NOT NULL,
        payments integer NOT NULL,
        total_yen bigint NOT NULL,
        made_at timestamptz NOT NULL,
        made_by text NOT NULL,
        made_by_name text NOT NULL,
        cancelled_at timestamptz,
        cancelled_by_name text,
        reason text,
        UNIQUE (dealer_id, number)
    )""",
    """CREATE TABLE transfer_payment (
        transfer_id uuid NOT NULL REFERENCES transfer,
        employee_id text NOT NULL,
        dealer_id text NOT NULL,
        yen bigint NOT NULL,
        bank_code text NOT NULL,
        branch_code text NOT NULL,
        account_type text NOT NULL,
        number text NOT NULL,
        holder text NOT NULL,
        PRIMARY KEY (transfer_id, employee_id)
    )""",
    """CREATE TABLE transferred_slip (
        transfer_id uuid NOT NULL REFERENCES transfer,
        slip_id uuid NOT NULL,
        dealer_id text NOT NULL,
        counts boolean NOT NULL,
        PRIMARY KEY (transfer_id, slip_id)
    )""",
    "CREATE UNIQUE INDEX transferred_once ON transferred_slip (slip_id) WHERE counts",
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
OWNED = (
    *("receipt", "receipt_version", "bank_account", "transfer_setting"),
    *("transfer", "transfer_payment", "transferred_slip"),
)


def upgrade() -> None:
    """Create them; each dealer sees its own rows only."""
    for statement in TABLES:
        op.execute(statement)
    op.execute("SELECT set_config('app.dealer', '*', true)")
    op.execute("UPDATE slip SET settled_at = updated_at WHERE status = 'settled'")
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
    for table in reversed(OWNED):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION keep_receipt_version")
    op.execute("ALTER TABLE slip DROP COLUMN settled_at")
    op.execute("ALTER TABLE slip_item DROP COLUMN no_receipt_reason")
