"""Row-level security on the event core's tables, and what least rights in the database need.

Rows of `outbox`, `inbox` and `idempotency` are visible to their dealer only, refused messages to
transactions over every dealer only. `erase_only` is the trigger of append-only tables (see
`shared.database_rights`): a row may be erased, never rewritten. An idempotency record of before has
no dealer and is deleted within a week.
"""

from alembic import op

revision = "event_core_5"
down_revision = "event_core_4"
branch_labels = None
depends_on = None

OWN_DEALER = """CASE current_setting('app.dealer', true)
    WHEN '*' THEN true ELSE dealer_id = current_setting('app.dealer', true) END"""
OWN_ANSWER = """CASE current_setting('app.dealer', true) WHEN '*' THEN true
    ELSE dealer_id IN ('', current_setting('app.dealer', true)) END"""
EVERY_DEALER = "current_setting('app.dealer', true) = '*'"
POLICIES = {
    "outbox": OWN_DEALER,
    "inbox": OWN_DEALER,
    "idempotency": OWN_ANSWER,
    "inbox_refused": EVERY_DEALER,
}

STATEMENTS = (
    "ALTER TABLE idempotency ADD dealer_id text NOT NULL DEFAULT ''",
    """ALTER TABLE idempotency ALTER dealer_id
        SET DEFAULT coalesce(current_setting('app.dealer', true), '')""",
    "ALTER FUNCTION outbox_months(integer) SECURITY DEFINER SET search_path = public, pg_temp",
    # For clients whose transactions name no dealer, such as the scaler of the workers.
    """CREATE FUNCTION inbox_waiting() RETURNS bigint LANGUAGE plpgsql AS $$
    DECLARE
        dealer text := coalesce(current_setting('app.dealer', true), '');
        counted bigint;
    BEGIN
        PERFORM set_config('app.dealer', '*', true);
        SELECT count(*) INTO counted FROM inbox WHERE state = 'waiting';
        PERFORM set_config('app.dealer', dealer, true);
        RETURN counted;
    END $$""",
    """CREATE FUNCTION is_erasure(before jsonb, after jsonb) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE SET search_path = public, pg_temp AS $$
    BEGIN
        IF before IS NOT DISTINCT FROM after OR after IS NULL
           OR after IN ('null', to_jsonb('（消去済み）'::text)) THEN
            RETURN true;
        ELSIF jsonb_typeof(before) = 'object' AND jsonb_typeof(after) = 'object' THEN
            RETURN NOT EXISTS (
                SELECT FROM jsonb_each(before) b FULL JOIN jsonb_each(after) a USING (key)
                WHERE b.value IS NULL OR a.value IS NULL OR NOT is_erasure(b.value, a.value));
        ELSIF jsonb_typeof(before) = 'array' AND jsonb_typeof(after) = 'array' THEN
            RETURN NOT EXISTS (
                SELECT FROM jsonb_array_elements(before) WITH ORDINALITY b (value, place)
                FULL JOIN jsonb_array_elements(after) WITH ORDINALITY a (value, place)
                    USING (place)
                WHERE b.value IS NULL OR a.value IS NULL OR NOT is_erasure(b.value, a.value));
        ELSIF jsonb_typeof(before) = 'string' AND jsonb_typeof(after) = 'string' THEN
            -- Words of a text may be erased: what stands around them stays.
            RETURN position('（消去済み）' IN after #>> '{}') > 0 AND before #>> '{}' LIKE replace(
                regexp_replace(after #>> '{}', '([\\\\%_])', '\\\\\\1', 'g'), '（消去済み）', '%');
        END IF;
        RETURN false;
    END $$""",
    """CREATE FUNCTION erase_only() RETURNS trigger
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
    BEGIN
        IF NOT is_erasure(to_jsonb(OLD), to_jsonb(NEW)) THEN
            RAISE insufficient_privilege
                USING MESSAGE = 'rows of ' || TG_TABLE_NAME || ' are only added or erased';
        END IF;
        RETURN NEW;
    END $$""",
)


def upgrade() -> None:
    """Add them."""
    for statement in STATEMENTS:
        op.execute(statement)
    for table, policy in POLICIES.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own_dealer ON {table} USING ({policy})")


def downgrade() -> None:
    """Remove them, with the triggers that the rights added."""
    for table in POLICIES:
        op.execute(f"DROP POLICY own_dealer ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    op.execute("DROP FUNCTION erase_only() CASCADE")
    op.execute("DROP FUNCTION inbox_waiting()")
    op.execute("DROP FUNCTION is_erasure(jsonb, jsonb)")
    op.execute("ALTER FUNCTION outbox_months(integer) SECURITY INVOKER RESET search_path")
    op.execute("ALTER TABLE idempotency DROP dealer_id")
