"""The services that trains run: stop patterns over the lines of an edition."""

from alembic import op

revision = "commuter_network_4"
down_revision = "commuter_network_3"
branch_labels = None
depends_on = None

TABLES = [
    """CREATE TABLE network_service_stops (
        edition text NOT NULL,
        position integer NOT NULL,
        service integer NOT NULL,
        seq integer NOT NULL,
        operator text NOT NULL,
        line text NOT NULL,
        train text NOT NULL,
        station text NOT NULL,
        minutes10 integer NOT NULL,
        PRIMARY KEY (edition, position),
        FOREIGN KEY (edition) REFERENCES network_edition (edition)
    )""",
    """CREATE TABLE network_services (
        edition text NOT NULL,
        position integer NOT NULL,
        id integer NOT NULL,
        name text NOT NULL,
        runs integer NOT NULL,
        PRIMARY KEY (edition, position),
        FOREIGN KEY (edition) REFERENCES network_edition (edition)
    )""",
]


def upgrade() -> None:
    """Create the tables; no table belongs to a dealer."""
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables."""
    for statement in reversed(TABLES):
        op.execute(f"DROP TABLE {statement.split()[2]}")
