"""Cars that a dealer's own system reports as returned."""

from alembic import op

revision = "returns_3"
down_revision = "returns_2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A table of its own, out of reach of another dealer's transaction."""
    op.execute(
        """CREATE TABLE reported_car (
            dealer_id text NOT NULL,
            source_id text NOT NULL,
            contract_no text,
            registration_key text,
            received_on date NOT NULL,
            place text,
            odometer_km integer,
            told_at timestamptz NOT NULL,
            PRIMARY KEY (dealer_id, source_id)
        )"""
    )
    op.execute("CREATE INDEX reported_car_by_contract ON reported_car (dealer_id, contract_no)")
    op.execute("CREATE INDEX reported_car_by_plate ON reported_car (dealer_id, registration_key)")
    op.execute("ALTER TABLE reported_car ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE reported_car FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY own_dealer ON reported_car USING ("
        " dealer_id = current_setting('app.dealer', true)"
        " OR current_setting('app.dealer', true) = '*')"
    )


def downgrade() -> None:
    """Without."""
    op.execute("DROP TABLE reported_car")
