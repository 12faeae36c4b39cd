"""Run by Alembic for every service; the connection and the metadata come from `shared.migrate`."""

from alembic import context
from sqlalchemy import Connection, text


def run(connection: Connection) -> None:
    """Apply what is missing, in one transaction, without waiting long for locks."""
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
