"""Passes from files: whether a company allows them, and the report of each import."""

from alembic import op

revision = "commuter_pass_imports"
down_revision = "commuter_favourite_ride"
branch_labels = None
depends_on = None

IMPORTS = """CREATE TABLE pass_import (
    import_id uuid PRIMARY KEY,
    dealer_id text NOT NULL,
    made_at timestamptz NOT NULL,
    made_by text NOT NULL,
    made_by_name text NOT NULL,
    report jsonb NOT NULL,
    undone_at timestamptz,
    undone_by_name text
)"""


def upgrade() -> None:
    """The manual's refusal stays the default; each dealer sees its own rows only."""
    op.execute("ALTER TABLE company_setting ADD COLUMN bulk_passes boolean NOT NULL DEFAULT false")
    op.execute(IMPORTS)
    op.execute("ALTER TABLE pass_import ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE pass_import FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY own_dealer ON pass_import USING ("
        "dealer_id = current_setting('app.dealer', true)"
        " OR current_setting('app.dealer', true) = '*')"
    )


def downgrade() -> None:
    """As it was."""
    op.execute("DROP TABLE pass_import")
    op.execute("ALTER TABLE company_setting DROP COLUMN bulk_passes")
