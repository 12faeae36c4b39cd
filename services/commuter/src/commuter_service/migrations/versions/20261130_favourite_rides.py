"""Favourite rides (よく使う経路) of an employee."""

from alembic import op

revision = "commuter_favourite_ride"
down_revision = "commuter_receipt_deletion"
branch_labels = None
depends_on = None

TABLE = """CREATE TABLE favourite_ride (
    favourite_id uuid PRIMARY KEY,
    dealer_id text NOT NULL,
    employee_id text NOT NULL,
    route text NOT NULL,
    medium text NOT NULL,
    round_trip boolean NOT NULL,
    kept_at timestamptz NOT NULL,
    UNIQUE (employee_id, route, medium, round_trip)
)"""
POLICY = """CREATE POLICY own_dealer ON favourite_ride USING (
    dealer_id = current_setting('app.dealer', true) OR current_setting('app.dealer', true) = '*')"""


def upgrade() -> None:
    """Create it; each dealer sees its own rows only."""
    op.execute(TABLE)
    op.execute("ALTER TABLE favourite_ride ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE favourite_ride FORCE ROW LEVEL SECURITY")
    op.execute(POLICY)


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP TABLE favourite_ride")
