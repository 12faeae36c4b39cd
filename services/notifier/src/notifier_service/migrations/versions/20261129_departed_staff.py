"""Who has left, so that their access ends here too."""

from alembic import op

revision = "notifier_5"
down_revision = "notifier_4"
branch_labels = None
depends_on = None

OWN_DEALER = (
    "dealer_id = current_setting('app.dealer', true) OR current_setting('app.dealer', true) = '*'"
)


def upgrade() -> None:
    """Create the table; a dealer's rows are out of reach of another dealer's transaction."""
    op.execute(
        "CREATE TABLE departed_staff (dealer_id text NOT NULL, staff_code text NOT NULL,"
        " PRIMARY KEY (dealer_id, staff_code))"
    )
    op.execute("ALTER TABLE departed_staff ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE departed_staff FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY own_dealer ON departed_staff USING ({OWN_DEALER}) WITH CHECK ({OWN_DEALER})"
    )


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP TABLE departed_staff")
