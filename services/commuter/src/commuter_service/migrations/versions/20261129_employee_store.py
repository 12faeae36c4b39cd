"""The store of an employee, which a printed slip names."""

from alembic import op

revision = "commuter_4"
down_revision = "commuter_3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Not known before the next event or visit; the code before does not write it."""
    op.execute("ALTER TABLE employee ADD COLUMN store_code text")


def downgrade() -> None:
    """As it was."""
    op.execute("ALTER TABLE employee DROP COLUMN store_code")
