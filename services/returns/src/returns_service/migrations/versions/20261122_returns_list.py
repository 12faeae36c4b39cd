"""Status and name searches of 進捗一覧, and its counts, along indices that hold what they need."""

from alembic import op

revision = "returns_4"
down_revision = "returns_3"
branch_labels = None
depends_on = None

NEWEST_FIRST = "updated_at DESC, application_id DESC"
CHANGES_FIRST = "updated_at DESC, change_id DESC"
# What is there already and only gets further columns: table, columns, included, condition.
WIDENED = {
    "application_by_dealer": ("application", f"dealer_id, is_past, {NEWEST_FIRST}", "name_key", ""),
    "application_by_store": (
        "application", f"dealer_id, store_code, is_past, {NEWEST_FIRST}", "name_key", "",
    ),
    "application_at_tfc": (
        "application", f"is_past, {NEWEST_FIRST}", "dealer_id, name_key",
        "WHERE requested_at IS NOT NULL",
    ),
    "change_application_by_dealer": (
        "change_application", f"dealer_id, is_past, {CHANGES_FIRST}", "store_code, name_key", "",
    ),
}  # fmt: skip


def upgrade() -> None:
    """A name is looked for in the index alone; open applications stand there by status."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    for name, (table, columns, included, condition) in WIDENED.items():
        op.execute(f"DROP INDEX {name}")
        op.execute(f"CREATE INDEX {name} ON {table} ({columns}) INCLUDE ({included}) {condition}")
    op.execute(
        "CREATE INDEX application_open_by_status"
        f" ON application (dealer_id, status, {NEWEST_FIRST}) WHERE NOT is_past"
    )
    op.execute(
        f"CREATE INDEX application_open_at_tfc ON application (status, {NEWEST_FIRST})"
        " WHERE requested_at IS NOT NULL AND NOT is_past"
    )
    op.execute(
        "CREATE INDEX change_application_status"
        " ON change_application (dealer_id, store_code, status)"
    )


def downgrade() -> None:
    """As before."""
    for name in (
        "change_application_status", "application_open_at_tfc", "application_open_by_status",
    ):  # fmt: skip
        op.execute(f"DROP INDEX {name}")
    for name, (table, columns, _, condition) in WIDENED.items():
        op.execute(f"DROP INDEX {name}")
        op.execute(f"CREATE INDEX {name} ON {table} ({columns}) {condition}")
