"""Mails that wait for operators are counted without looking at the rest."""

from alembic import op

revision = "notifier_4"
down_revision = "notifier_3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        "CREATE INDEX mail_troubles ON mail (state, planned_at, mail_id)"
        " WHERE state IN ('failed', 'unknown')"
    )


def downgrade() -> None:
    """Drop the index."""
    op.execute("DROP INDEX mail_troubles")
