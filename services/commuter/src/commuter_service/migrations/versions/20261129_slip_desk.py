"""Indexes for accounting's list of slips: pages by submission, sums by slip."""

from alembic import op

revision = "commuter_slip_desk"
down_revision = "commuter_employee_reading"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Sums are read from the index alone, without the explanations beside them."""
    op.execute("CREATE INDEX slip_by_submission ON slip (dealer_id, submitted_at, slip_id)")
    op.execute(
        "CREATE INDEX slip_item_sums ON slip_item (slip_id)"
        " INCLUDE (dealer_id, amount_yen, item_on)"
    )


def downgrade() -> None:
    """As it was."""
    op.execute("DROP INDEX slip_item_sums")
    op.execute("DROP INDEX slip_by_submission")
