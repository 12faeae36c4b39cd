"""Minutes, changes and labels of the candidate that was decided, beside its trains."""

from alembic import op

revision = "commuter_journey"
down_revision = "commuter_delegate_entry"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Without a default: an item decided before has none, and shows the trains worked out."""
    op.execute("ALTER TABLE slip_item ADD COLUMN journey jsonb")


def downgrade() -> None:
    """Drop it."""
    op.execute("ALTER TABLE slip_item DROP COLUMN journey")
