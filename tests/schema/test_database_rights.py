"""Every service's tables: a process has the rights it needs, and history only grows."""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from sqlalchemy.orm import Mapper

from madoguchi.services import SERVICES
from shared import audit
from shared.database_rights import append_only, expiring

NewDatabase = Callable[[str], Awaitable[str]]
RIGHTS = """
    SELECT c.relname, array_agg(p ORDER BY p) FILTER (
        WHERE has_table_privilege(current_user, c.oid, p)) AS rights,
        (SELECT array_agg(attname::text ORDER BY attname) FROM pg_attribute a
         WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
           AND has_column_privilege(current_user, c.oid, attnum, 'UPDATE')) AS updated,
        EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid AND tgname = 'erase_only') AS guarded
    FROM pg_class c CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE',
                                            'REFERENCES', 'TRIGGER']) AS p
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
    GROUP BY c.oid, c.relname
"""
OWNED = """
    SELECT count(*) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relowner = current_user::regrole
"""


@pytest.mark.parametrize("name", SERVICES)
async def test_a_process_has_exactly_the_rights_that_it_needs(
    name: str, new_database: NewDatabase
) -> None:
    package = SERVICES[name].SERVICE.package
    connection = await asyncpg.connect(await new_database(package))
    found = {row["relname"]: row for row in await connection.fetch(RIGHTS)}
    assert await connection.fetchval(OWNED) == 0
    await connection.close()
    kept, may_expire = append_only(package), expiring(package)
    assert may_expire <= set(kept) <= set(found)
    for table, row in found.items():
        if table == "alembic_version":
            assert row["rights"] == ["SELECT"]
        elif table in kept:
            deletes = ["DELETE"] if table in may_expire else []
            assert row["rights"] == [*deletes, "INSERT", "SELECT"], table
            assert row["updated"] == (sorted(kept[table]) or None), table
            assert row["guarded"], table
        else:
            assert row["rights"] == ["DELETE", "INSERT", "SELECT", "UPDATE"], table


@pytest.mark.parametrize("name", SERVICES)
def test_every_table_of_audit_entries_is_append_only(name: str) -> None:
    service = SERVICES[name].SERVICE
    mapped = {
        table.name
        for table in service.metadata.tables.values()
        if any(
            issubclass(mapper.class_, audit.AuditEntry) and mapper.local_table is table
            for mapper in _mappers(name)
        )
    }
    assert mapped
    assert mapped <= set(append_only(service.package))


def _mappers(name: str) -> list[Mapper[Any]]:
    models = __import__(f"{name}_service.models", fromlist=["Base"])
    return list(models.Base.registry.mappers)
