"""A store knows the name of its dealer, as mails greet by it."""

from alembic import op

revision = "returns_5"
down_revision = "returns_4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty until the stores are told again."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE store ADD COLUMN dealer_name text")


def downgrade() -> None:
    """Without."""
    op.execute("ALTER TABLE store DROP COLUMN dealer_name")
