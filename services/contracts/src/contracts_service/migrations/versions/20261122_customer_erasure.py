"""Customer erasures: contract, person, instant and reason."""

from alembic import op

revision = "contracts_4"
down_revision = "contracts_3"
branch_labels = None
depends_on = None

OWN_DEALER = """CASE current_setting('app.dealer', true)
    WHEN '*' THEN true ELSE dealer_id = current_setting('app.dealer', true) END"""


def upgrade() -> None:
    """Create the table; each dealer sees its own rows only."""
    op.execute(
        """CREATE TABLE customer_erasure (
            contract_no text PRIMARY KEY REFERENCES contract,
            dealer_id text NOT NULL,
            reason text NOT NULL,
            erased_at timestamptz NOT NULL,
            erased_by text NOT NULL
        )"""
    )
    op.execute("ALTER TABLE customer_erasure ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE customer_erasure FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own_dealer ON customer_erasure USING ({OWN_DEALER})")


def downgrade() -> None:
    """Erased data must remain erased."""
    raise RuntimeError("Without this table a file would bring erased customers back.")
