"""Stores and the store of an employee: the department that a printed slip names."""

from alembic import op

revision = "commuter_3"
down_revision = "commuter_2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the stores; an employee's store is not known before the next event or visit."""
    op.execute("ALTER TABLE employee ADD COLUMN store_code text")
    op.execute(
        """CREATE TABLE store (
            dealer_id text NOT NULL,
            store_code text NOT NULL,
            name text NOT NULL,
            PRIMARY KEY (dealer_id, store_code)
        )"""
    )
    op.execute("ALTER TABLE store ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE store FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY own_dealer ON store USING ("
        "dealer_id = current_setting('app.dealer', true)"
        " OR current_setting('app.dealer', true) = '*')"
    )


def downgrade() -> None:
    """As it was."""
    op.execute("DROP TABLE store")
    op.execute("ALTER TABLE employee DROP COLUMN store_code")
