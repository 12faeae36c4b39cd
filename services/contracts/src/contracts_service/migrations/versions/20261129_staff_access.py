"""Announces the staff who had left before services were notified of each."""

from alembic import op

revision = "contracts_8"
down_revision = "contracts_7"
branch_labels = None
depends_on = None

ANNOUNCE = """
    DO $announce$ BEGIN IF to_regclass('outbox_queue') IS NOT NULL THEN
    PERFORM outbox_months(3);
    WITH numbered AS (
        INSERT INTO outbox_stream (aggregate_type, aggregate_id, last_sequence)
        SELECT 'staff_access', dealer_id || '-' || staff_code, 1 FROM staff WHERE NOT active
        ON CONFLICT DO NOTHING
        RETURNING aggregate_id
    ), logged AS (
        INSERT INTO outbox (event_id, lane, type, aggregate_type, aggregate_id, sequence,
                            dealer_id, occurred_at, payload, headers)
        SELECT gen_random_uuid(), 0, 'staff_access.changed.v1', 'staff_access', aggregate_id, 1,
               dealer_id, now(), json_build_object('dealer_id', dealer_id,
                   'staff_code', staff_code, 'active', false), '{}'::json
        FROM staff JOIN numbered ON aggregate_id = dealer_id || '-' || staff_code
        RETURNING position, created_at, lane
    )
    INSERT INTO outbox_queue SELECT * FROM logged;
    END IF; END $announce$
"""
"""A new database has no staff yet, and no outbox."""


def upgrade() -> None:
    """Emit one event for each of them; their number in the stream is the first."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SET LOCAL app.dealer = '*'")
    op.execute(ANNOUNCE)


def downgrade() -> None:
    """Nothing to undo: what was announced stays true."""
