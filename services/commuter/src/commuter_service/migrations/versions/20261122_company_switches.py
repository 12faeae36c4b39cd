"""Three more decisions of a company: fare media, rides without the pass, roundabout ways."""

from alembic import op

revision = "commuter_2"
down_revision = "commuter_1"
branch_labels = None
depends_on = None

COLUMNS = {
    "media": "text NOT NULL DEFAULT 'both' "
    "CONSTRAINT company_setting_media CHECK (media IN ('both', 'ic', 'ticket'))",
    "without_pass_allowed": "boolean NOT NULL DEFAULT true",
    "roundabout_blocks": "boolean NOT NULL DEFAULT false",
}


def upgrade() -> None:
    """With defaults, so that the code before goes on writing."""
    for name, column in COLUMNS.items():
        op.execute(f"ALTER TABLE company_setting ADD COLUMN {name} {column}")


def downgrade() -> None:
    """As it was."""
    for name in COLUMNS:
        op.execute(f"ALTER TABLE company_setting DROP COLUMN {name}")
