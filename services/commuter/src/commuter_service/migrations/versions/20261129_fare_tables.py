"""Fares without an IC amount, recorded tickets, surcharges by kilometres, unknown discounts."""

from alembic import op

revision = "commuter_network_5"
down_revision = "commuter_network_4"
branch_labels = None
depends_on = None

ADDED = {
    "network_tariff_tables": "unconfirmed text NOT NULL DEFAULT ''",
    "network_tariff_bands": "ticket_yen integer",
    "network_special_fares": "ticket_yen integer",
    "network_surcharges": "km_up_to integer",
    "network_transfer_discounts": "km_up_to integer",
}
MAY_BE_EMPTY = (
    ("network_tariff_bands", "ic_yen"),
    ("network_transfer_discounts", "adult_yen"),
    ("network_transfer_discounts", "child_yen"),
)


def upgrade() -> None:
    """With a default, so that the code before goes on writing."""
    for table, column in ADDED.items():
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
    for table, column in MAY_BE_EMPTY:
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL")


def downgrade() -> None:
    """As it was; an edition with fares that the code before cannot hold stops it."""
    for table, column in MAY_BE_EMPTY:
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL")
    for table, column in ADDED.items():
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column.split()[0]}")
