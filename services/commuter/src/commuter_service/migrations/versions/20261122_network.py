"""The editions of network and tariffs: everything that the fare engine reads."""

from alembic import op

revision = "commuter_network_1"
down_revision = None
branch_labels = ("commuter_network",)
depends_on = "event_core_1"

TABLES = [
    """CREATE TABLE network_edition (
        edition text NOT NULL,
        loaded_at timestamptz NOT NULL,
        PRIMARY KEY (edition)
    )""",
    """CREATE TABLE network_ambiguous_names (
        edition text NOT NULL,
        position integer NOT NULL,
        station text NOT NULL,
        why text NOT NULL,
        source text NOT NULL,
        PRIMARY KEY (edition, position),
        FOREIGN KEY (edition) REFERENCES network_edition (edition)
    )""",
    """CREATE TABLE network_bus_lines (
        edition text NOT NULL,
        position integer NOT NULL,
        operator text NOT NULL,
        line text NOT NULL,
        source text NOT NULL,
        PRIMARY KEY (edition, position),
        FOREIGN KEY (edition) REFERENCES network_edition (edition)
    )""",
    """CREATE TABLE network_interchanges (
        edition text NOT NULL,
        position integer NOT NULL,
        operator_a text NOT NULL,
        station_a text NOT NULL,
        operator_b text NOT NULL,
        station_b text NOT NULL,
        kind text NOT NULL,
        walk_minutes integer,
        source text NOT NULL,
        PRIMARY KEY (edition, position),
        FOREIGN KEY (edition) REFERENCES network_edition (edition)
    )""",
    """CREATE TABLE network_intervals (
        edition text NOT NULL,
        position integer NOT NULL,
        operator text NOT NULL,
        line text NOT NULL,
        seq integer NOT NULL,
        station text NOT NULL,
        km10 integer NOT NULL,
        source text NOT NULL,
        PRIMARY KEY (edition, position),
        FOREIGN KEY (edition) REFERENCES network_edition (edition)
    )""",
    """CREATE TABLE network_line_tables (
        edition text NOT NULL,
        position integer NOT NULL,
        operator text NOT NULL,
        line text NOT NULL,
        "table" text NOT NULL,
        source text NOT NULL,
        PRIMARY KEY (edition, position),
        FOREIGN KEY (edition) REFERENCES network_edition (edition)
    )""",
    """CREATE TABLE network_line_totals (
        edition text NOT NULL,
        position integer NOT NULL,
        operator text NOT NULL,
        line text NOT NULL,
        stations integer NOT NULL,
        km10 integer NOT NULL,
        PRIMARY KEY (edition, position),
        FOREIGN KEY (edition) REFERENCES network_edition (edition)
    )""",
    """CREATE TABLE network_readings (
        edition text NOT NULL,
        position integer NOT NULL,
        station text NOT NULL,
        kana text NOT NULL,
        PRIMARY KEY (edition, position),
        FOREIGN KEY (edition) REFERENCES network_edition (edition)
    )""",
    """CREATE TABLE network_shared_tracks (
        edition text NOT NULL,
        position integer NOT NULL,
        operator text NOT NULL,
        line text NOT NULL,
        station_a text NOT NULL,
        station_b text NOT NULL,
        counts_as text NOT NULL,
        source text NOT NULL,
        PRIMARY KEY (edition, position),
        FOREIGN KEY (edition) REFERENCES network_edition (edition)
    )""",
    """CREATE TABLE network_special_fares (
        edition text NOT NULL,
        position integer NOT NULL,
        operator text NOT NULL,
        station_a text NOT NULL,
        station_b text NOT NULL,
        valid_from date NOT NULL,
        valid_to date,
        ic_yen integer,
        source text NOT NULL,
        PRIMARY KEY (edition, position),
        FOREIGN KEY (edition) REFERENCES network_edition (edition)
    )""",
    """CREATE TABLE network_station_dates (
        edition text NOT NULL,
        position integer NOT NULL,
        operator text NOT NULL,
        station text NOT NULL,
        opened date,
        closed date,
        source text NOT NULL,
        PRIMARY KEY (edition, position),
        FOREIGN KEY (edition) REFERENCES network_edition (edition)
    )""",
    """CREATE TABLE network_surcharges (
        edition text NOT NULL,
        position integer NOT NULL,
        operator text NOT NULL,
        line text NOT NULL,
        station_a text NOT NULL,
        station_b text NOT NULL,
        valid_from date NOT NULL,
        ic_yen integer,
        source text NOT NULL,
        PRIMARY KEY (edition, position),
        FOREIGN KEY (edition) REFERENCES network_edition (edition)
    )""",
    """CREATE TABLE network_tariff_areas (
        edition text NOT NULL,
        position integer NOT NULL,
        operator text NOT NULL,
        "table" text NOT NULL,
        line text NOT NULL,
        station_a text NOT NULL,
        station_b text NOT NULL,
        source text NOT NULL,
        PRIMARY KEY (edition, position),
        FOREIGN KEY (edition) REFERENCES network_edition (edition)
    )""",
    """CREATE TABLE network_tariff_bands (
        edition text NOT NULL,
        position integer NOT NULL,
        operator text NOT NULL,
        "table" text NOT NULL,
        valid_from date NOT NULL,
        km_up_to integer NOT NULL,
        ic_yen integer NOT NULL,
        PRIMARY KEY (edition, position),
        FOREIGN KEY (edition) REFERENCES network_edition (edition)
    )""",
    """CREATE TABLE network_tariff_tables (
        edition text NOT NULL,
        position integer NOT NULL,
        operator text NOT NULL,
        "table" text NOT NULL,
        valid_from date NOT NULL,
        valid_to date,
        ticket_rounding text NOT NULL,
        child_ticket_rounding text NOT NULL,
        source text NOT NULL,
        PRIMARY KEY (edition, position),
        FOREIGN KEY (edition) REFERENCES network_edition (edition)
    )""",
    """CREATE TABLE network_transfer_discounts (
        edition text NOT NULL,
        position integer NOT NULL,
        operator_a text NOT NULL,
        operator_b text NOT NULL,
        valid_from date NOT NULL,
        valid_to date,
        medium text NOT NULL,
        adult_yen integer NOT NULL,
        child_yen integer NOT NULL,
        source text NOT NULL,
        PRIMARY KEY (edition, position),
        FOREIGN KEY (edition) REFERENCES network_edition (edition)
    )""",
    """CREATE TABLE network_travel_speeds (
        edition text NOT NULL,
        position integer NOT NULL,
        operator text NOT NULL,
        line text NOT NULL,
        seconds_per_km integer NOT NULL,
        source text NOT NULL,
        PRIMARY KEY (edition, position),
        FOREIGN KEY (edition) REFERENCES network_edition (edition)
    )""",
]


def upgrade() -> None:
    """Create everything; no table belongs to a dealer."""
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    """Drop everything, the editions last."""
    for statement in reversed(TABLES):
        op.execute(f"DROP TABLE {statement.split()[2]}")
