"""What proves the input tax of an item: kind of cost, payee, registration number or reason."""

from alembic import op

revision = "commuter_invoice_basis"
down_revision = "commuter_slip_mails"
branch_labels = None
depends_on = None

COLUMNS = (
    "cost_kind text NOT NULL DEFAULT 'other'",
    "payee text NOT NULL DEFAULT ''",
    "registration_no text NOT NULL DEFAULT ''",
    "no_invoice_reason text NOT NULL DEFAULT ''",
    "invoice_basis text",
)


def upgrade() -> None:
    """Rides that were found or read from a card are public transport."""
    for column in COLUMNS:
        op.execute(f"ALTER TABLE slip_item ADD COLUMN {column}")
    op.execute("SELECT set_config('app.dealer', '*', true)")
    op.execute(
        "UPDATE slip_item SET cost_kind = 'public_transport', invoice_basis ="
        " CASE WHEN coalesce(amount_yen, 0) < 30000 THEN 'public_transport' END"
        " WHERE source IN ('look_up', 'ic_card')"
    )


def downgrade() -> None:
    """Forget it; what was entered is lost."""
    for column in COLUMNS:
        op.execute(f"ALTER TABLE slip_item DROP COLUMN {column.split()[0]}")
