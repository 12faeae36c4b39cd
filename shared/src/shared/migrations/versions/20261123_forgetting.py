"""Indexes by age for the deletion of expired rows."""

from alembic import op

revision = "event_core_4"
down_revision = "event_core_3"
branch_labels = None
depends_on = None

STATEMENTS = (
    "CREATE INDEX idempotency_by_age ON idempotency (created_at)",
    """CREATE INDEX inbox_refused_settled ON inbox_refused (settled_at)
        WHERE settled_at IS NOT NULL""",
)


def upgrade() -> None:
    """Create the indexes."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP INDEX idempotency_by_age, inbox_refused_settled")
