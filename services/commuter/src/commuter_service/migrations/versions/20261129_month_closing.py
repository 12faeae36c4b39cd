"""Months that accounting closed."""

from alembic import op

revision = "commuter_month_closing"
down_revision = "commuter_slip_desk"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Each dealer sees its own months only."""
    op.execute("""CREATE TABLE month_closing (
        dealer_id text NOT NULL,
        month date NOT NULL CONSTRAINT month_closing_first_day
            CHECK (extract(day FROM month) = 1),
        version bigint NOT NULL,
        closed boolean NOT NULL,
        changed_at timestamptz NOT NULL,
        changed_by text NOT NULL,
        changed_by_name text NOT NULL,
        reason text,
        PRIMARY KEY (dealer_id, month)
    )""")
    op.execute("ALTER TABLE month_closing ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE month_closing FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY own_dealer ON month_closing USING ("
        "dealer_id = current_setting('app.dealer', true)"
        " OR current_setting('app.dealer', true) = '*')"
    )


def downgrade() -> None:
    """Without closed months, as before."""
    op.execute("DROP TABLE month_closing")
