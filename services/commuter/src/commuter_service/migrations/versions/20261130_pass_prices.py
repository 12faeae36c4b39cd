"""Prices of passes: with each version as it was typed, and from which day they count."""

from alembic import op

revision = "commuter_pass_prices"
down_revision = "commuter_receipts_transfers"
branch_labels = None
depends_on = None

COLUMNS = (
    *("one_month_yen integer", "three_months_yen integer", "six_months_yen integer"),
    *("paid_every integer", "priced_from date"),
)
PRICES = """CREATE TABLE pass_price (
    pass_id uuid NOT NULL REFERENCES commuter_pass,
    from_on date NOT NULL,
    dealer_id text NOT NULL,
    one_month_yen integer,
    three_months_yen integer,
    six_months_yen integer,
    paid_every integer,
    made_at timestamptz NOT NULL,
    made_by_name text NOT NULL,
    PRIMARY KEY (pass_id, from_on)
)"""


def upgrade() -> None:
    """Without values: the code before goes on writing."""
    for column in COLUMNS:
        op.execute(f"ALTER TABLE pass_version ADD COLUMN {column}")
    op.execute(PRICES)
    op.execute("ALTER TABLE pass_price ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE pass_price FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY own_dealer ON pass_price USING ("
        "dealer_id = current_setting('app.dealer', true)"
        " OR current_setting('app.dealer', true) = '*')"
    )


def downgrade() -> None:
    """As it was."""
    op.execute("DROP TABLE pass_price")
    for column in COLUMNS:
        op.execute(f"ALTER TABLE pass_version DROP COLUMN {column.split()[0]}")
