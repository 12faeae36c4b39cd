"""Converted kilometres of JR's local lines, beside the kilometres of every interval."""

from alembic import op

revision = "commuter_network_2"
down_revision = "commuter_network_1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty for every line of the editions before."""
    op.execute("ALTER TABLE network_intervals ADD COLUMN calc_km10 integer")


def downgrade() -> None:
    """As it was."""
    op.execute("ALTER TABLE network_intervals DROP COLUMN calc_km10")
