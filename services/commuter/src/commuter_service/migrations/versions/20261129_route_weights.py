"""What a minute and a change are worth to a company, for the recommended order of routes."""

from alembic import op

revision = "commuter_3"
down_revision = "commuter_2"
branch_labels = None
depends_on = None

COLUMNS = {"yen_per_minute": 30, "yen_per_change": 100}


def upgrade() -> None:
    """With defaults, so that the code before goes on writing."""
    for name, usual in COLUMNS.items():
        op.execute(
            f"ALTER TABLE company_setting ADD COLUMN {name} integer NOT NULL DEFAULT {usual} "
            f"CONSTRAINT company_setting_{name} CHECK ({name} BETWEEN 0 AND 1000)"
        )


def downgrade() -> None:
    """As it was."""
    for name in COLUMNS:
        op.execute(f"ALTER TABLE company_setting DROP COLUMN {name}")
