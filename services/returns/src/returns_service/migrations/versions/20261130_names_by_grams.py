"""Applications are found by the characters and pairs of characters (grams) of a name.

As in the contracts service: an index on grams serves only the policy of a table, so the
applications are read through parents without rows of their own, whose walls name dealer and grams
together.
"""

from alembic import op

revision = "returns_6"
down_revision = "returns_5"
branch_labels = None
depends_on = None

GRAMS = """
    CREATE FUNCTION name_grams(dealer text, name text, at_tfc boolean) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $grams$
    DECLARE
        behind text;
        before text;
        sign text;
        found text[] := '{}';
    BEGIN
        FOREACH behind IN ARRAY
            CASE WHEN at_tfc THEN ARRAY[dealer || ':', '*:'] ELSE ARRAY[dealer || ':'] END
        LOOP
            before := NULL;
            FOREACH sign IN ARRAY string_to_array(name, NULL) LOOP
                found := found || (behind || sign);
                IF before IS NOT NULL THEN
                    found := found || (behind || before || sign);
                END IF;
                before := sign;
            END LOOP;
        END LOOP;
        RETURN found;
    END $grams$
"""
# Null where nothing is sought: then the walls show no row.
SOUGHT = """
    CREATE FUNCTION name_grams_sought() RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE AS $sought$
        SELECT array_agg(current_setting('app.dealer', true) || ':' || gram)
        FROM unnest(string_to_array(current_setting('app.sought', true), E'\\n')) AS gram
    $sought$
"""
# The lists run without bitmap scans (ADR 14), by which alone an index on grams can be read. What is
# switched off here counts as so expensive that PostgreSQL would compile the query first.
NAMED = """
    CREATE FUNCTION applications_named(grams text, most integer) RETURNS SETOF text
    LANGUAGE plpgsql
    SET enable_bitmapscan = on SET enable_seqscan = off
    SET enable_indexscan = off SET enable_indexonlyscan = off SET jit = off
    AS $named$
    BEGIN
        PERFORM set_config('app.sought', grams, true);
        RETURN QUERY
            SELECT application_id FROM application_search
            UNION ALL SELECT change_id FROM change_application_search
            LIMIT most;
    END $named$
"""
KEYS = {"application": "application_id", "change_application": "change_id"}
GRAMS_OF = {
    "application": "name_grams(dealer_id, name_key, requested_at IS NOT NULL)",
    "change_application": "name_grams(dealer_id, name_key, false)",
}


def upgrade() -> None:
    """Index the grams; make the applications readable through the parents."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SET LOCAL maintenance_work_mem = '256MB'")
    op.execute(GRAMS)
    op.execute(SOUGHT)
    for table, key in KEYS.items():
        op.execute(
            f"CREATE INDEX {table}_by_gram ON {table} USING gin (({GRAMS_OF[table]}))"
            " WITH (gin_pending_list_limit = 512)"
        )
        op.execute(
            f"CREATE TABLE {table}_search ({key} text NOT NULL, dealer_id text NOT NULL,"
            " name_key text NOT NULL, requested_at timestamptz)"
        )
        op.execute(f"ALTER TABLE {table}_search ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table}_search FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_dealer_by_gram ON {table}_search FOR SELECT"
            f" USING ({GRAMS_OF[table]} @> name_grams_sought())"
        )
        op.execute(f"ALTER TABLE {table} INHERIT {table}_search")
    op.execute(NAMED)


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP FUNCTION applications_named")
    for table in KEYS:
        op.execute(f"ALTER TABLE {table} NO INHERIT {table}_search")
        op.execute(f"DROP TABLE {table}_search")
        op.execute(f"DROP INDEX {table}_by_gram")
    op.execute("DROP FUNCTION name_grams_sought")
    op.execute("DROP FUNCTION name_grams")
