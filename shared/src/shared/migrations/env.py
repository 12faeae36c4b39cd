"""Alembic environment of every service; `shared.migrate` passes connection and metadata."""

from alembic import context
from sqlalchemy import Connection, text


def run(connection: Connection) -> None:
    """Apply pending migrations in one transaction, with a short lock timeout."""
    context.configure(
        connection=connection,
        target_metadata=context.config.attributes["metadata"],
        compare_type=True,
        include_name=lambda name, kind, _: (
            not (kind == "table" and name is not None and name.startswith("outbox_p"))
        ),
    )
    with context.begin_transaction():
        connection.execute(text("SET LOCAL lock_timeout = '5s'"))
        context.run_migrations()


run(context.config.attributes["connection"])
