"""Contracts, their memos, entries and assignment changes, and the masters."""

from alembic import op

revision = "contracts_1"
down_revision = None
branch_labels = ("contracts",)
depends_on = "event_core_1"

MASTERS = [
    """CREATE TABLE dealer (
        dealer_id text PRIMARY KEY,
        name text NOT NULL
    )""",
    """CREATE TABLE store (
        dealer_id text NOT NULL,
        store_code text NOT NULL,
        name text NOT NULL,
        phone text,
        unused boolean NOT NULL,
        PRIMARY KEY (dealer_id, store_code)
    )""",
    """CREATE TABLE staff (
        dealer_id text NOT NULL,
        staff_code text NOT NULL,
        name text NOT NULL,
        name_kana text,
        store_code text,
        role text NOT NULL CONSTRAINT staff_role CHECK (role IN ('sales', 'manager', 'hq')),
        mobile_phone text,
        mail text,
        active boolean NOT NULL,
        PRIMARY KEY (dealer_id, staff_code)
    )""",
    """CREATE TABLE product (
        product_code text PRIMARY KEY,
        name text NOT NULL,
        return_allowed boolean NOT NULL,
        separate_procedure boolean NOT NULL,
        transferable boolean NOT NULL,
        is_lease boolean NOT NULL
    )""",
    # Models of every dealer have the dealer '*'; a dealer may add its own.
    """CREATE TABLE vehicle (
        dealer_id text NOT NULL,
        vehicle_code text NOT NULL,
        name text NOT NULL,
        active boolean NOT NULL,
        PRIMARY KEY (dealer_id, vehicle_code)
    )""",
    """CREATE TABLE calendar_exception (
        exception_on date PRIMARY KEY,
        is_open boolean NOT NULL
    )""",
]

CONTRACT = """CREATE TABLE contract (
    contract_no text PRIMARY KEY,
    dealer_id text NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    product_code text NOT NULL REFERENCES product,
    final_on date NOT NULL,
    last_instalment_yen bigint,
    balance_yen bigint,
    instalments integer,
    monthly_yen bigint,
    yearly_rate_percent numeric(5, 3),
    model_code text,
    model text NOT NULL,
    registration_no text NOT NULL,
    registration_folded text NOT NULL,
    first_registered_month date NOT NULL,
    first_registered_on date,
    commercial boolean NOT NULL,
    customer_name text NOT NULL,
    customer_name_kana text,
    customer_folded text NOT NULL,
    postal_code text,
    address text NOT NULL,
    phone text,
    store_code text NOT NULL,
    staff_code text,
    transferred_in_on date,
    pending_change_id uuid,
    hidden_from_store_on date,
    receivable_purchased boolean NOT NULL,
    tfc_handled boolean NOT NULL,
    customer_change_pending boolean NOT NULL,
    sold_vehicle_code text,
    sold_on date,
    selection text CONSTRAINT contract_selection CHECK (
        selection IN ('early_payoff', 'cash_settlement', 're_split', 'vehicle_return')),
    selection_before_resplit text,
    late boolean NOT NULL DEFAULT false,
    confirmation_received_on date,
    own_replacement boolean,
    replacement_vehicle_code text,
    replacement_other_text text,
    replacement_source text,
    replacement_recorded_at timestamptz,
    payoff_settled boolean NOT NULL DEFAULT false,
    resplit_approved boolean NOT NULL DEFAULT false,
    open_return_id text,
    return_completed boolean NOT NULL DEFAULT false,
    separate_procedure_completed boolean NOT NULL DEFAULT false,
    completed_by_tfc boolean NOT NULL DEFAULT false,
    completion_basis text,
    completed_on date,
    imported_store_code text,
    imported_staff_code text,
    import_fingerprint bytea,
    CONSTRAINT contract_replacement_vehicle CHECK (
        (replacement_vehicle_code IS NOT NULL) = (own_replacement IS TRUE)),
    CONSTRAINT contract_completed CHECK ((completion_basis IS NULL) = (completed_on IS NULL)),
    CONSTRAINT contract_hidden CHECK (
        pending_change_id IS NOT NULL OR hidden_from_store_on IS NULL)
)"""

# Every search names its dealer, and row-level security lets no index on a part of a name come
# before it: LIKE is not leakproof. The dealer's own rows are therefore read in order and filtered.
INDEXES = [
    "CREATE INDEX contract_by_final_on ON contract (dealer_id, final_on, contract_no)",
    "CREATE INDEX contract_by_store ON contract (dealer_id, store_code, final_on, contract_no)",
    "CREATE INDEX contract_by_staff ON contract (dealer_id, staff_code, final_on, contract_no)",
    "CREATE INDEX contract_by_registration ON contract (dealer_id, first_registered_month)",
]

HISTORY = [
    """CREATE TABLE memo (
        contract_no text NOT NULL REFERENCES contract,
        version integer NOT NULL,
        dealer_id text NOT NULL,
        text text NOT NULL,
        saved_at timestamptz NOT NULL,
        saved_by text NOT NULL,
        PRIMARY KEY (contract_no, version)
    )""",
    """CREATE TABLE entry (
        entry_id uuid PRIMARY KEY,
        dealer_id text NOT NULL,
        contract_no text NOT NULL REFERENCES contract,
        recorded_at timestamptz NOT NULL,
        recorded_by text NOT NULL,
        source text NOT NULL,
        selection text,
        own_replacement boolean,
        vehicle_code text,
        other_text text,
        late boolean NOT NULL,
        confirmation_received_on date
    )""",
    "CREATE INDEX entry_by_contract ON entry (contract_no, recorded_at)",
    """CREATE TABLE assignment_change (
        change_id uuid PRIMARY KEY,
        dealer_id text NOT NULL,
        contract_no text NOT NULL REFERENCES contract,
        from_store text NOT NULL,
        to_store text,
        from_staff text,
        to_staff text,
        reason text,
        registered_on date NOT NULL,
        registered_at timestamptz NOT NULL,
        registered_by text NOT NULL,
        hidden_from_old_store_on date,
        reflect_earliest_on date NOT NULL,
        reflect_latest_on date NOT NULL,
        batch_id uuid,
        state text NOT NULL CONSTRAINT assignment_change_state CHECK (
            state IN ('pending', 'replaced', 'cancelled', 'rejected', 'reflected')),
        settled_on date,
        rejected_because text
    )""",
    "CREATE INDEX assignment_change_by_contract ON assignment_change (contract_no, registered_at)",
    """CREATE UNIQUE INDEX assignment_change_pending ON assignment_change (contract_no)
       WHERE state = 'pending'""",
    """CREATE TABLE customer_change_release (
        release_id uuid PRIMARY KEY,
        dealer_id text NOT NULL,
        contract_no text NOT NULL REFERENCES contract,
        reason text NOT NULL,
        released_at timestamptz NOT NULL,
        released_by text NOT NULL
    )""",
    """CREATE TABLE customer_list_export (
        export_id uuid PRIMARY KEY,
        dealer_id text NOT NULL,
        store_code text,
        exported_at timestamptz NOT NULL,
        exported_by text NOT NULL,
        conditions jsonb NOT NULL,
        rows integer NOT NULL
    )""",
]

OWNED_BY_DEALERS = (
    *("dealer", "store", "staff", "vehicle", "contract", "memo", "entry", "assignment_change"),
    *("customer_change_release", "customer_list_export"),
)


def upgrade() -> None:
    """Create the tables; row-level security shows each dealer its own rows only."""
    for statement in (*MASTERS, CONTRACT, *INDEXES, *HISTORY):
        op.execute(statement)
    for table in OWNED_BY_DEALERS:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_dealer ON {table} USING ("
            "dealer_id = current_setting('app.dealer', true)"
            " OR current_setting('app.dealer', true) = '*')"
        )
    op.execute("CREATE POLICY of_every_dealer ON vehicle FOR SELECT USING (dealer_id = '*')")


def downgrade() -> None:
    """A migration never deletes contracts."""
    raise RuntimeError("Contracts have nothing before them.")
