"""Other names that people type for a line."""

from alembic import op

revision = "commuter_network_3"
down_revision = "commuter_network_2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """None for the editions before."""
    op.execute(
        """CREATE TABLE network_line_aliases (
            edition text NOT NULL,
            position integer NOT NULL,
            operator text NOT NULL,
            line text NOT NULL,
            alias text NOT NULL,
            source text NOT NULL,
            PRIMARY KEY (edition, position),
            FOREIGN KEY (edition) REFERENCES network_edition (edition)
        )"""
    )


def downgrade() -> None:
    """As it was."""
    op.execute("DROP TABLE network_line_aliases")
