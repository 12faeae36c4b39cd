"""Mails about slips: what a person does not want to get; the notifier learns of earlier slips."""

from alembic import op

revision = "commuter_slip_mails"
down_revision = "commuter_journey"
branch_labels = None
depends_on = "event_core_2"

OWN_DEALER = (
    "dealer_id = current_setting('app.dealer', true) OR current_setting('app.dealer', true) = '*'"
)


def upgrade() -> None:
    """Create the table, and send the log of slips again.

    The notifier subscribes from now on, and takes each slip's events by their numbers from 1.
    Events from before have no step, so that they cause no mail.
    """
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """CREATE TABLE mail_preference (
            employee_id text PRIMARY KEY,
            dealer_id text NOT NULL,
            version bigint NOT NULL,
            declined text[] NOT NULL
        )"""
    )
    op.execute("ALTER TABLE mail_preference ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE mail_preference FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own_dealer ON mail_preference USING ({OWN_DEALER})")
    op.execute(
        "INSERT INTO outbox_queue SELECT position, created_at, lane FROM outbox"
        " WHERE aggregate_type = 'slip' ON CONFLICT DO NOTHING"
    )


def downgrade() -> None:
    """Forget the wishes."""
    op.execute("DROP TABLE mail_preference")
