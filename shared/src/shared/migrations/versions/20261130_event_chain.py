"""Links between the events of an aggregate, so that a changed log is noticed.

Events of before have no link; the chain begins with the next event of each aggregate.
"""

from alembic import op

revision = "event_core_6"
down_revision = "event_core_5"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; no row is written."""
    op.execute("ALTER TABLE outbox ADD payload_hash bytea, ADD link bytea")
    op.execute("ALTER TABLE outbox_stream ADD link bytea, ADD linked_at timestamptz")


def downgrade() -> None:
    """Remove them."""
    op.execute("ALTER TABLE outbox DROP payload_hash, DROP link")
    op.execute("ALTER TABLE outbox_stream DROP link, DROP linked_at")
