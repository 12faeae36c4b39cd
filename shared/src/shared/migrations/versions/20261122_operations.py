"""Operator data: how refused messages were settled, and lag samples of the last hour."""

from alembic import op

revision = "event_core_3"
down_revision = "event_core_2"
branch_labels = None
depends_on = None

STATEMENTS = [
    "ALTER TABLE inbox_refused ADD settled_at timestamptz, ADD settled_as text",
    """CREATE TABLE lag_sample (
        taken_at timestamptz PRIMARY KEY DEFAULT clock_timestamp(),
        outbox_waiting bigint NOT NULL,
        outbox_age_s double precision NOT NULL,
        inbox_waiting bigint NOT NULL,
        inbox_lag_s double precision NOT NULL
    )""",
]


def upgrade() -> None:
    """Add them."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP TABLE lag_sample")
    op.execute("ALTER TABLE inbox_refused DROP settled_at, DROP settled_as")
