"""代理申請: who entered a slip for its owner, and whether the company allows it."""

from alembic import op

revision = "commuter_delegate_entry"
down_revision = "commuter_month_closing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """With a default, so that the code before goes on writing."""
    op.execute("ALTER TABLE slip ADD COLUMN entered_by text")
    op.execute(
        "ALTER TABLE company_setting ADD COLUMN delegate_entry boolean NOT NULL DEFAULT false"
    )


def downgrade() -> None:
    """As it was."""
    op.execute("ALTER TABLE company_setting DROP COLUMN delegate_entry")
    op.execute("ALTER TABLE slip DROP COLUMN entered_by")
