"""The reading of an employee's name, by which 定期区間マスタ sorts and searches."""

from alembic import op

revision = "commuter_employee_reading"
down_revision = "commuter_source_fare"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Not known before the next event; the code before does not write it."""
    op.execute("ALTER TABLE employee ADD COLUMN name_kana text")


def downgrade() -> None:
    """As it was."""
    op.execute("ALTER TABLE employee DROP COLUMN name_kana")
