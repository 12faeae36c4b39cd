"""Rights of a service's process in its own database: rows, and nothing else.

Each service has two roles. The owner role owns the tables and runs the migrations. The app role,
with which the processes connect, may read and write rows, but cannot alter a table, switch off
row-level security, or truncate. Append-only tables (history, audit, logs) it can read and add to;
it deletes only from those whose rows expire. Erasing a customer blanks personal data in them: there
it may update the columns named, and the trigger `erase_only` lets only erased values in. The rights
are granted after each migration.
"""

import importlib
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

APPEND_ONLY: Mapping[str, tuple[str, ...]] = {"outbox": ("payload",)}
"""The event core's append-only tables, each with the columns that an erasure may blank."""

TABLES = """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
    ORDER BY 1
"""
GUARDED = """
    SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'erase_only' AND tgparentid = 0
"""


class AppRoleMissing(Exception):
    """The role of DATABASE_URL does not exist; deploy/postgres/databases.sh creates it."""


def append_only(package: str) -> dict[str, tuple[str, ...]]:
    """The append-only tables of a service's database, with the columns that may be erased."""
    own: Mapping[str, tuple[str, ...]] = {}
    if find_spec(f"{package}.append_only"):
        own = importlib.import_module(f"{package}.append_only").APPEND_ONLY
    return {**APPEND_ONLY, **own}


def expiring(package: str) -> frozenset[str]:
    """Those of the append-only tables whose rows are deleted after their retention."""
    if not find_spec(f"{package}.append_only"):
        return frozenset()
    module = importlib.import_module(f"{package}.append_only")
    found: frozenset[str] = getattr(module, "EXPIRING", frozenset())
    return found


def grant(connection: "Connection", package: str, role: str) -> None:
    """Give `role` exactly the rights of an app role; `connection` is the owner's.

    Raises AppRoleMissing.
    """
    run = connection.exec_driver_sql
    quoted = f'"{role.replace(chr(34), chr(34) * 2)}"'
    if not run("SELECT count(*) FROM pg_roles WHERE rolname = $1", (role,)).scalar_one():
        raise AppRoleMissing(f"There is no role {role} on the database server.")
    database = run("SELECT quote_ident(current_database())").scalar_one()
    tables = list(run(TABLES).scalars())
    guarded = set(run(GUARDED).scalars())
    kept, may_expire = append_only(package), expiring(package)
    for statement in (
        f"GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {quoted}",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {quoted}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {quoted}",
        *(f"GRANT {_rights(name, kept)} ON {name} TO {quoted}" for name in tables),
        *(f"GRANT DELETE ON {name} TO {quoted}" for name in sorted(may_expire)),
        *_guards(set(kept) & set(tables) - guarded),
    ):
        run(statement)


def _rights(table: str, kept: Mapping[str, tuple[str, ...]]) -> str:
    if table == "alembic_version":
        return "SELECT"
    if table not in kept:
        return "SELECT, INSERT, UPDATE, DELETE"
    erased = kept[table]
    return "SELECT, INSERT" + (f", UPDATE ({', '.join(erased)})" if erased else "")


def _guards(tables: Iterable[str]) -> list[str]:
    return [
        f"CREATE TRIGGER erase_only BEFORE UPDATE ON {table} FOR EACH ROW"
        " EXECUTE FUNCTION erase_only()"
        for table in sorted(tables)
    ]
