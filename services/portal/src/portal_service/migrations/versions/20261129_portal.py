"""Ended sessions, used logout tokens, and the access log."""

from alembic import op

revision = "portal_1"
down_revision = None
branch_labels = ("portal",)
depends_on = None

STATEMENTS = [
    """CREATE TABLE session_end (
        kind text NOT NULL
            CONSTRAINT session_end_kind
            CHECK (kind IN ('session', 'person', 'subject', 'provider_session')),
        key text NOT NULL,
        ended_at timestamptz NOT NULL,
        until timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (kind, key)
    )""",
    "CREATE INDEX session_end_by_record ON session_end (recorded_at)",
    "CREATE TABLE logout_token (jti text PRIMARY KEY, until timestamptz NOT NULL)",
    """CREATE TABLE access_log (
        position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at timestamptz NOT NULL,
        action text NOT NULL,
        outcome text NOT NULL
            CONSTRAINT access_log_outcome CHECK (outcome IN ('success', 'failure')),
        actor text,
        client text,
        session text,
        method text NOT NULL,
        route text NOT NULL,
        status smallint,
        code text,
        object_kind text,
        object_id text,
        row_count integer,
        request_id text
    )""",
    "CREATE INDEX access_log_by_time ON access_log (at)",
    "CREATE INDEX access_log_by_actor ON access_log (actor, position)",
    "CREATE INDEX access_log_by_object ON access_log (object_id, position)",
    """CREATE FUNCTION announce_session_end() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN NOTIFY session_end; RETURN NULL; END $$""",
    """CREATE TRIGGER announce AFTER INSERT OR UPDATE ON session_end
        FOR EACH STATEMENT EXECUTE FUNCTION announce_session_end()""",
    # Thirty days is the shortest retention that the settings accept.
    """CREATE FUNCTION refuse_changes_of_access_log() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' THEN
                IF OLD.at < clock_timestamp() - interval '30 days' THEN RETURN OLD; END IF;
            END IF;
            RAISE EXCEPTION 'access_log: rows can only be added' USING ERRCODE = '42501';
        END $$""",
    """CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON access_log
        FOR EACH ROW EXECUTE FUNCTION refuse_changes_of_access_log()""",
    """CREATE TRIGGER never_emptied BEFORE TRUNCATE ON access_log
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_changes_of_access_log()""",
]


def upgrade() -> None:
    """Create the tables."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in STATEMENTS:
        op.execute(statement)
