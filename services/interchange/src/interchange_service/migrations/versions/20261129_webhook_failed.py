"""Webhooks that did not get through are counted without looking at the rest."""

from alembic import op

revision = "interchange_4"
down_revision = "interchange_3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        "CREATE INDEX webhook_delivery_failed ON webhook_delivery (delivery_id)"
        " WHERE state = 'failed'"
    )


def downgrade() -> None:
    """Drop the index."""
    op.execute("DROP INDEX webhook_delivery_failed")
