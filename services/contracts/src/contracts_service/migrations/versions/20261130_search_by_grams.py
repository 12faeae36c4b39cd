"""Names and plates are found by their characters and pairs of characters (grams).

Row-level security lets no operator on arrays or parts of texts come before it, so no index on grams
could serve a query on `contract`. `contract_search` is a parent without rows of its own: read
through it, the same contracts have another wall, which names the dealer and the grams together.
"""

from alembic import op

revision = "contracts_9"
down_revision = "contracts_8"
branch_labels = None
depends_on = None

GRAMS = """
    CREATE FUNCTION contract_grams(dealer text, names text, plate text) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $grams$
    DECLARE
        prefix text := dealer || ':';
        before text := E'\\n';
        sign text;
        found text[] := '{}';
    BEGIN
        FOREACH sign IN ARRAY string_to_array(names || E'\\n' || plate, NULL) LOOP
            IF sign <> E'\\n' THEN
                found := found || (prefix || sign);
                IF before <> E'\\n' THEN
                    found := found || (prefix || before || sign);
                END IF;
            END IF;
            before := sign;
        END LOOP;
        RETURN found;
    END $grams$
"""
# Null where nothing is sought: then the wall shows no row.
SOUGHT = """
    CREATE FUNCTION contract_grams_sought() RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE AS $sought$
        SELECT array_agg(current_setting('app.dealer', true) || ':' || gram)
        FROM unnest(string_to_array(current_setting('app.sought', true), E'\\n')) AS gram
    $sought$
"""
GRAMS_OF_ROW = "contract_grams(dealer_id, customer_folded, registration_folded)"
PARENT = """
    CREATE TABLE contract_search (
        contract_no text NOT NULL,
        dealer_id text NOT NULL,
        version bigint NOT NULL,
        product_code text NOT NULL,
        final_on date NOT NULL,
        model_code text,
        model text NOT NULL,
        registration_no text NOT NULL,
        registration_folded text NOT NULL,
        first_registered_month date NOT NULL,
        customer_name text NOT NULL,
        customer_folded text NOT NULL,
        store_code text NOT NULL,
        staff_code text,
        transferred_in_on date,
        pending_change_id uuid,
        hidden_from_store_on date,
        tfc_handled boolean NOT NULL,
        selection text,
        own_replacement boolean,
        replacement_vehicle_code text,
        replacement_other_text text,
        completion_basis text
    )
"""


def upgrade() -> None:
    """Index the grams; make the contracts readable through the parent."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SET LOCAL maintenance_work_mem = '256MB'")
    op.execute(GRAMS)
    op.execute(SOUGHT)
    op.execute(
        f"CREATE INDEX contract_by_gram ON contract USING gin ({GRAMS_OF_ROW})"
        " WITH (gin_pending_list_limit = 512)"
    )
    op.execute(PARENT)
    # IS NOT DISTINCT FROM, since an index on the dealer would otherwise be read beside the grams.
    op.execute("ALTER TABLE contract_search ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE contract_search FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY own_dealer_by_gram ON contract_search FOR SELECT USING ("
        "dealer_id IS NOT DISTINCT FROM current_setting('app.dealer', true)"
        f" AND {GRAMS_OF_ROW} @> contract_grams_sought())"
    )
    op.execute("ALTER TABLE contract INHERIT contract_search")


def downgrade() -> None:
    """Drop them."""
    op.execute("ALTER TABLE contract NO INHERIT contract_search")
    op.execute("DROP TABLE contract_search")
    op.execute("DROP INDEX contract_by_gram")
    op.execute("DROP FUNCTION contract_grams_sought")
    op.execute("DROP FUNCTION contract_grams")
