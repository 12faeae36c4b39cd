"""First timer of the daily urgency events."""

from alembic import op

revision = "contracts_3"
down_revision = "contracts_2"
branch_labels = None
depends_on = None

FIRST = """
    INSERT INTO timer (kind, key, due_at, payload)
    SELECT 'tell_urgency', 'daily', tomorrow AT TIME ZONE 'Asia/Tokyo',
           jsonb_build_object('day', CAST(tomorrow AS date))
    FROM (SELECT date_trunc('day', now() AT TIME ZONE 'Asia/Tokyo') + interval '1 day' AS tomorrow)
        AS next
"""


def upgrade() -> None:
    """Set the timer for the next day in Japan."""
    op.execute(FIRST)


def downgrade() -> None:
    """Delete the timer."""
    op.execute("DELETE FROM timer WHERE kind = 'tell_urgency'")
