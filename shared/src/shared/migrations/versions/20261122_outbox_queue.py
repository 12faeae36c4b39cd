"""Unconfirmed events move to a table of their own; the outbox log is never updated again."""

from alembic import op

revision = "event_core_2"
down_revision = "event_core_1"
branch_labels = None
depends_on = None

STATEMENTS = [
    """CREATE TABLE outbox_queue (
        position bigint PRIMARY KEY,
        created_at timestamptz NOT NULL,
        lane smallint NOT NULL
    )""",
    """INSERT INTO outbox_queue SELECT position, created_at, lane FROM outbox
       WHERE published_at IS NULL""",
    "DROP INDEX outbox_unpublished",
    "ALTER TABLE outbox DROP COLUMN published_at",
]


def upgrade() -> None:
    """Move the pending events."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """A migration never deletes events."""
    raise RuntimeError("The log no longer records when an event was published.")
