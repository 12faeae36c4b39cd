"""The tables of the returns service."""

from alembic import op

revision = "returns_1"
down_revision = None
branch_labels = ("returns",)
depends_on = "event_core_1"

STATUSES = (
    "'STAFF_REMANDED', 'STORE_PENDING', 'STORE_REMANDED', 'HQ_PENDING', 'HQ_REMANDED', "
    "'REQUESTED', 'TFC_PROCESSING', 'TFC_HOLD', 'TFC_CONTACT', 'COMPLETED', 'WITHDRAWN'"
)
TABLES = [
    """CREATE TABLE contract_view (
        contract_no text PRIMARY KEY,
        dealer_id text NOT NULL,
        product_code text NOT NULL,
        final_on date NOT NULL,
        vehicle_model text NOT NULL,
        registration_no text NOT NULL,
        first_registered_on date NOT NULL,
        store_code text NOT NULL,
        staff_code text,
        receivable_purchased boolean NOT NULL,
        tfc_handled boolean NOT NULL,
        customer_name text NOT NULL,
        selection text,
        completed_by text,
        pending_change_id text,
        hidden_from_on date
    )""",
    "CREATE INDEX contract_view_by_store ON contract_view (dealer_id, store_code)",
    """CREATE TABLE store (
        dealer_id text NOT NULL,
        store_code text NOT NULL,
        name text NOT NULL,
        unused boolean NOT NULL,
        phone text,
        PRIMARY KEY (dealer_id, store_code)
    )""",
    """CREATE TABLE staff (
        dealer_id text NOT NULL,
        staff_code text NOT NULL,
        name text NOT NULL,
        store_code text,
        role text NOT NULL CHECK (role IN ('sales', 'manager', 'hq')),
        active boolean NOT NULL,
        mobile text,
        PRIMARY KEY (dealer_id, staff_code)
    )""",
    """CREATE TABLE approval_flow (
        dealer_id text PRIMARY KEY,
        store_approval boolean NOT NULL,
        hq_approval boolean NOT NULL,
        hq_mails text[] NOT NULL,
        store_approver_notice boolean NOT NULL DEFAULT false,
        version integer NOT NULL,
        updated_at timestamptz NOT NULL,
        updated_by text NOT NULL
    )""",
    "CREATE SEQUENCE application_number",
    f"""CREATE TABLE application (
        application_id text PRIMARY KEY,
        dealer_id text NOT NULL,
        store_code text NOT NULL,
        contract_no text NOT NULL,
        contract_key text NOT NULL,
        customer_name text NOT NULL,
        name_key text NOT NULL,
        originator_id text NOT NULL,
        originator_name text NOT NULL,
        originator_role text NOT NULL CHECK (originator_role IN ('sales', 'manager', 'hq')),
        levels text[] NOT NULL,
        round integer NOT NULL,
        status text NOT NULL CHECK (status IN ({STATUSES})),
        is_past boolean NOT NULL
            GENERATED ALWAYS AS (status IN ('COMPLETED', 'WITHDRAWN')) STORED,
        status_version integer NOT NULL,
        version integer NOT NULL,
        entered_at timestamptz NOT NULL,
        submitted_at timestamptz NOT NULL,
        requested_at timestamptz,
        updated_at timestamptz NOT NULL,
        contact_1 text,
        contact_2 text,
        contact_3 text,
        completion_mail boolean NOT NULL,
        kind text NOT NULL,
        received_on date,
        unreturned_reason text,
        separate_procedure boolean NOT NULL,
        dealer_note text,
        dealer_note_version integer NOT NULL,
        CONSTRAINT one_result CHECK (
            (kind = 'RETURNED' AND received_on IS NOT NULL AND unreturned_reason IS NULL) OR
            (kind = 'UNRETURNED' AND received_on IS NULL AND unreturned_reason IS NOT NULL)),
        CONSTRAINT asked_before_tfc_acts CHECK (
            requested_at IS NOT NULL OR status NOT IN
            ('REQUESTED', 'TFC_PROCESSING', 'TFC_HOLD', 'TFC_CONTACT', 'COMPLETED'))
    )""",
    """CREATE UNIQUE INDEX one_open_application ON application (contract_no)
       WHERE status NOT IN ('COMPLETED', 'WITHDRAWN')""",
    "CREATE INDEX application_by_contract ON application (contract_no)",
    """CREATE INDEX application_by_dealer
       ON application (dealer_id, is_past, updated_at DESC, application_id DESC)""",
    """CREATE INDEX application_by_store
       ON application (dealer_id, store_code, is_past, updated_at DESC, application_id DESC)""",
    "CREATE INDEX application_status ON application (dealer_id, store_code, status)",
    "CREATE INDEX application_by_number ON application (dealer_id, contract_key)",
    """CREATE INDEX application_at_tfc
       ON application (is_past, updated_at DESC, application_id DESC)
       WHERE requested_at IS NOT NULL""",
    """CREATE TABLE approval (
        application_id text NOT NULL REFERENCES application,
        version integer NOT NULL,
        dealer_id text NOT NULL,
        round integer NOT NULL,
        level text NOT NULL CHECK (level IN ('store', 'hq')),
        approver_id text NOT NULL,
        approver_name text NOT NULL,
        on_behalf_of text,
        mail text,
        approved_at timestamptz NOT NULL,
        entry jsonb NOT NULL,
        PRIMARY KEY (application_id, version)
    )""",
    """CREATE TABLE history (
        line_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        application_id text NOT NULL REFERENCES application,
        dealer_id text NOT NULL,
        at timestamptz NOT NULL,
        action text NOT NULL,
        step text,
        actor_id text NOT NULL,
        actor_role text NOT NULL,
        actor_name text NOT NULL,
        on_behalf_of text,
        from_status text,
        to_status text NOT NULL,
        version integer NOT NULL,
        status_version integer NOT NULL,
        said text,
        changes jsonb NOT NULL,
        facts jsonb NOT NULL
    )""",
    "CREATE INDEX history_of ON history (application_id, line_id)",
    """CREATE TABLE substitute (
        line_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        dealer_id text NOT NULL,
        approver_id text NOT NULL,
        approver_role text NOT NULL CHECK (approver_role IN ('manager', 'hq')),
        approver_store text,
        substitute_id text NOT NULL,
        from_on date NOT NULL,
        to_on date NOT NULL CHECK (from_on <= to_on),
        registered_by text NOT NULL,
        registered_at timestamptz NOT NULL,
        ended_at timestamptz,
        version integer NOT NULL,
        CHECK (substitute_id <> approver_id)
    )""",
    f"""CREATE TABLE change_application (
        change_id text PRIMARY KEY,
        dealer_id text NOT NULL,
        store_code text NOT NULL,
        contract_no text NOT NULL,
        contract_key text NOT NULL,
        customer_name text NOT NULL,
        name_key text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('ADDRESS_CHANGE', 'NAME_CHANGE', 'OTHER')),
        status text NOT NULL CHECK (status IN ({STATUSES})),
        is_past boolean NOT NULL
            GENERATED ALWAYS AS (status IN ('COMPLETED', 'WITHDRAWN')) STORED,
        requested_at timestamptz,
        updated_at timestamptz NOT NULL
    )""",
    """CREATE INDEX change_application_by_dealer
       ON change_application (dealer_id, is_past, updated_at DESC, change_id DESC)""",
    "CREATE INDEX change_application_of ON change_application (contract_no)",
    "CREATE INDEX substitute_for ON substitute (dealer_id, substitute_id, to_on)",
    "CREATE INDEX substitute_of ON substitute (dealer_id, approver_id, to_on)",
]
OWNED_BY_DEALERS = (
    *("contract_view", "store", "staff", "approval_flow"),
    *("application", "approval", "history", "substitute", "change_application"),
)


def upgrade() -> None:
    """Create everything; a dealer's rows are out of reach of another dealer's transaction."""
    for statement in TABLES:
        op.execute(statement)
    for table in OWNED_BY_DEALERS:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_dealer ON {table} USING ("
            " dealer_id = current_setting('app.dealer', true)"
            " OR current_setting('app.dealer', true) = '*')"
        )


def downgrade() -> None:
    """Drop everything."""
    for table in reversed(OWNED_BY_DEALERS):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP SEQUENCE application_number")
