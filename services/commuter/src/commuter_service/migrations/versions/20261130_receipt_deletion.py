"""Files of deleted receipts that are still to be removed from the store."""

from alembic import op

revision = "commuter_receipt_deletion"
down_revision = "commuter_pass_endings"
branch_labels = None
depends_on = None

TABLE = """CREATE TABLE receipt_deletion (
    key text PRIMARY KEY,
    dealer_id text NOT NULL,
    deleted_at timestamptz NOT NULL
)"""
POLICY = """CREATE POLICY own_dealer ON receipt_deletion USING (
    dealer_id = current_setting('app.dealer', true) OR current_setting('app.dealer', true) = '*')"""


def upgrade() -> None:
    """Create it; each dealer sees its own rows only."""
    op.execute(TABLE)
    op.execute("ALTER TABLE receipt_deletion ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE receipt_deletion FORCE ROW LEVEL SECURITY")
    op.execute(POLICY)


def downgrade() -> None:
    """Drop it: what it still names stays in the store."""
    op.execute("DROP TABLE receipt_deletion")
