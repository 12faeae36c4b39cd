"""When the early payoff was requested, so that its screen can say what happens next."""

from alembic import op

revision = "contracts_7"
down_revision = "contracts_6"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE contract ADD payoff_requested_at timestamptz")


def downgrade() -> None:
    """Drop it."""
    op.execute("ALTER TABLE contract DROP payoff_requested_at")
