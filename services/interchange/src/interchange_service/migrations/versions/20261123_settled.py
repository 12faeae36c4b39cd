"""What is long settled is found without looking at the rest."""

from alembic import op

revision = "interchange_3"
down_revision = "interchange_2"
branch_labels = None
depends_on = None

STATEMENTS = (
    """CREATE INDEX quarantined_settled ON quarantined (settled_at)
        WHERE settled_at IS NOT NULL""",
    """CREATE INDEX webhook_delivery_settled ON webhook_delivery (settled_at)
        WHERE state <> 'scheduled'""",
)


def upgrade() -> None:
    """Create the indexes."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in STATEMENTS:
        op.execute(statement)
