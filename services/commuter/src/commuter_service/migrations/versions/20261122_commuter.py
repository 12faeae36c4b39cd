"""Employees, company settings, permissions, passes, slips and the trail."""

from alembic import op

revision = "commuter_1"
down_revision = None
branch_labels = ("commuter",)
depends_on = "event_core_1"

PEOPLE = [
    """CREATE TABLE employee (
        employee_id text PRIMARY KEY,
        dealer_id text NOT NULL,
        name text NOT NULL,
        mail text,
        active boolean NOT NULL
    )""",
    """CREATE TABLE company_setting (
        dealer_id text PRIMARY KEY,
        version bigint NOT NULL,
        applications_allowed boolean NOT NULL,
        retention_days integer NOT NULL
            CONSTRAINT company_setting_retention CHECK (retention_days IN (40, 60, 90, 180)),
        admin_mail text,
        bus_policy text NOT NULL
            CONSTRAINT company_setting_bus CHECK (bus_policy IN ('rail_only', 'none')),
        warning_blocks boolean NOT NULL,
        amount_change_allowed boolean NOT NULL,
        approvers text[] NOT NULL
            CONSTRAINT company_setting_approvers CHECK (cardinality(approvers) <= 2)
    )""",
    """CREATE TABLE permission (
        employee_id text PRIMARY KEY,
        dealer_id text NOT NULL,
        version bigint NOT NULL,
        pass_master boolean NOT NULL,
        edit_at_approval boolean NOT NULL,
        edit_after_approval boolean NOT NULL,
        mail text
    )""",
]

PASSES = [
    """CREATE TABLE commuter_pass (
        pass_id uuid PRIMARY KEY,
        dealer_id text NOT NULL,
        employee_id text NOT NULL,
        version bigint NOT NULL,
        status text NOT NULL
            CONSTRAINT commuter_pass_status CHECK (
                status IN ('confirmed', 'applied', 'withdrawn', 'rejected')),
        newest integer NOT NULL,
        confirmed integer,
        applied_on date,
        reason text,
        CONSTRAINT commuter_pass_confirmed CHECK (status <> 'confirmed' OR confirmed IS NOT NULL)
    )""",
    "CREATE INDEX commuter_pass_by_employee ON commuter_pass (dealer_id, employee_id)",
    """CREATE TABLE pass_version (
        pass_id uuid NOT NULL REFERENCES commuter_pass,
        number integer NOT NULL,
        dealer_id text NOT NULL,
        route text NOT NULL,
        starts_on date,
        ends_on date,
        has_bus boolean NOT NULL,
        made_at timestamptz NOT NULL,
        made_by text NOT NULL,
        PRIMARY KEY (pass_id, number),
        CONSTRAINT pass_version_period CHECK (starts_on <= ends_on)
    )""",
]

SLIPS = [
    """CREATE TABLE slip (
        slip_id uuid PRIMARY KEY,
        dealer_id text NOT NULL,
        employee_id text NOT NULL,
        version bigint NOT NULL,
        kind text NOT NULL,
        title text NOT NULL,
        purpose text NOT NULL,
        trip_from date,
        trip_to date,
        status text NOT NULL CONSTRAINT slip_status CHECK (status IN ('draft', 'pending',
            'remanded', 'withdrawn', 'approved', 'rejected', 'settled')),
        chain text[] NOT NULL,
        step integer NOT NULL,
        copied_from uuid,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        submitted_at timestamptz,
        CONSTRAINT slip_step CHECK (status <> 'pending' OR step < cardinality(chain))
    )""",
    "CREATE INDEX slip_by_employee ON slip (dealer_id, employee_id, updated_at)",
    "CREATE INDEX slip_by_status ON slip (dealer_id, status, updated_at)",
    """CREATE TABLE slip_item (
        item_id uuid PRIMARY KEY,
        slip_id uuid NOT NULL REFERENCES slip ON DELETE CASCADE,
        position integer NOT NULL,
        dealer_id text NOT NULL,
        employee_id text NOT NULL,
        item_on date,
        purpose text NOT NULL,
        source text NOT NULL
            CONSTRAINT slip_item_source CHECK (source IN ('typed', 'look_up', 'ic_card')),
        words text NOT NULL,
        route text,
        medium text,
        round_trip boolean NOT NULL,
        amount_yen integer CONSTRAINT slip_item_amount CHECK (amount_yen >= 0),
        through_yen integer,
        receipt boolean NOT NULL,
        searched_on date,
        item_on_at_decision date,
        passes_at_search jsonb NOT NULL,
        explanation jsonb,
        without_pass_reason text,
        picture text,
        CONSTRAINT slip_item_look_up CHECK ((source = 'look_up') = (searched_on IS NOT NULL)),
        CONSTRAINT slip_item_deduction CHECK (amount_yen <= through_yen)
    )""",
    "CREATE INDEX slip_item_by_slip ON slip_item (slip_id, position)",
    "CREATE INDEX slip_item_by_day ON slip_item (dealer_id, employee_id, item_on)",
    """CREATE TABLE trail (
        trail_id uuid PRIMARY KEY,
        dealer_id text NOT NULL,
        employee_id text NOT NULL,
        subject_id uuid NOT NULL,
        action text NOT NULL,
        at timestamptz NOT NULL,
        actor text NOT NULL,
        actor_name text NOT NULL,
        before jsonb NOT NULL DEFAULT '{}',
        after jsonb NOT NULL DEFAULT '{}',
        said text
    )""",
    "CREATE INDEX trail_by_subject ON trail (subject_id, trail_id)",
]

OWNED_BY_DEALERS = (
    *("employee", "company_setting", "permission", "commuter_pass", "pass_version", "slip"),
    *("slip_item", "trail"),
)


def upgrade() -> None:
    """Create everything, and let each dealer see its own rows only."""
    for statement in (*PEOPLE, *PASSES, *SLIPS):
        op.execute(statement)
    for table in OWNED_BY_DEALERS:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_dealer ON {table} USING ("
            "dealer_id = current_setting('app.dealer', true)"
            " OR current_setting('app.dealer', true) = '*')"
        )


def downgrade() -> None:
    """Slips are never thrown away by a migration."""
    raise RuntimeError("Passes and slips have nothing before them.")
