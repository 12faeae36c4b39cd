"""The dealers who wish a notice to the store's approvers."""

from alembic import op

revision = "notifier_2"
down_revision = "notifier_1"
branch_labels = None
depends_on = None

OWN_DEALER = (
    "dealer_id = current_setting('app.dealer', true) OR current_setting('app.dealer', true) = '*'"
)


def upgrade() -> None:
    """Create the table."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("CREATE TABLE store_notice (dealer_id text PRIMARY KEY)")
    op.execute("ALTER TABLE store_notice ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE store_notice FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY own_dealer ON store_notice USING ({OWN_DEALER}) WITH CHECK ({OWN_DEALER})"
    )


def downgrade() -> None:
    """Forget the wishes."""
    op.execute("DROP TABLE store_notice")
