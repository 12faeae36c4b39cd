"""How many days before its end the holder of a pass is reminded, and for which end it was done."""

from alembic import op

revision = "commuter_pass_endings"
down_revision = "commuter_car_commutes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """With a default, so that the code before goes on writing."""
    op.execute(
        "ALTER TABLE company_setting ADD COLUMN ending_notice_days integer NOT NULL DEFAULT 0"
    )
    op.execute("ALTER TABLE commuter_pass ADD COLUMN announced_end date")


def downgrade() -> None:
    """As it was."""
    op.execute("ALTER TABLE commuter_pass DROP COLUMN announced_end")
    op.execute("ALTER TABLE company_setting DROP COLUMN ending_notice_days")
