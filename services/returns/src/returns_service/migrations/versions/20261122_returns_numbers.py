"""Numbers are found, and TFC's applications counted, along an index of their own."""

from alembic import op

revision = "returns_2"
down_revision = "returns_1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A number is almost unique by itself; the dealer is checked on the row that is found."""
    op.execute("CREATE INDEX application_by_key ON application (contract_key)")
    op.execute("CREATE INDEX change_application_by_key ON change_application (contract_key)")
    op.execute(
        """CREATE INDEX application_status_at_tfc ON application (status, dealer_id)
           WHERE requested_at IS NOT NULL"""
    )
    op.execute("DROP INDEX application_by_number")


def downgrade() -> None:
    """As before."""
    op.execute("CREATE INDEX application_by_number ON application (dealer_id, contract_key)")
    op.execute("DROP INDEX application_status_at_tfc")
    op.execute("DROP INDEX change_application_by_key")
    op.execute("DROP INDEX application_by_key")
