"""The event of a stay says whether its dealer wishes the notice: no table of wishes any more."""

from alembic import op

revision = "notifier_3"
down_revision = "notifier_2"
branch_labels = None
depends_on = None

OWN_DEALER = (
    "dealer_id = current_setting('app.dealer', true) OR current_setting('app.dealer', true) = '*'"
)


def upgrade() -> None:
    """Drop it."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP TABLE store_notice")


def downgrade() -> None:
    """An empty one, as before the first wish."""
    op.execute("CREATE TABLE store_notice (dealer_id text PRIMARY KEY)")
    op.execute("ALTER TABLE store_notice ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE store_notice FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY own_dealer ON store_notice USING ({OWN_DEALER}) WITH CHECK ({OWN_DEALER})"
    )
