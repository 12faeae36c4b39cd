"""Platforms that are far from the others of their station."""

from alembic import op

revision = "commuter_network_6"
down_revision = "commuter_network_5"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """None for the editions before."""
    op.execute(
        """CREATE TABLE network_far_platforms (
            edition text NOT NULL,
            position integer NOT NULL,
            operator text NOT NULL,
            station text NOT NULL,
            line text NOT NULL,
            minutes integer NOT NULL,
            source text NOT NULL,
            PRIMARY KEY (edition, position),
            FOREIGN KEY (edition) REFERENCES network_edition (edition)
        )"""
    )


def downgrade() -> None:
    """As it was."""
    op.execute("DROP TABLE network_far_platforms")
