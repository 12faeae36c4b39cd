"""Fares that 駅すぱあと quoted in a look-up: what its rides are priced by."""

from alembic import op

revision = "commuter_source_fare"
down_revision = "commuter_4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; fares are no dealer's."""
    op.execute(
        """CREATE TABLE source_fare (
            route text NOT NULL,
            fare_on date NOT NULL,
            medium text NOT NULL,
            yen integer,
            minutes integer[] NOT NULL,
            quoted_at timestamptz NOT NULL,
            PRIMARY KEY (route, fare_on, medium)
        )"""
    )


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP TABLE source_fare")
