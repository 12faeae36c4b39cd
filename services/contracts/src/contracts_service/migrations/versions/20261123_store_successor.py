"""Successor of a closed store, which takes over its customers."""

from alembic import op

revision = "contracts_5"
down_revision = "contracts_4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE store ADD successor text")


def downgrade() -> None:
    """Drop it."""
    op.execute("ALTER TABLE store DROP successor")
