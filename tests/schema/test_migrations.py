"""Migrations of every service produce the database that its models describe."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text

from madoguchi.services import SERVICES
from portal_service.models import Base
from shared import migrate
from shared.db import Database


@pytest.mark.parametrize("name", SERVICES)
async def test_models_and_migrations_agree(
    name: str, new_database: Callable[[str], Awaitable[str]]
) -> None:
    service = SERVICES[name].SERVICE
    await migrate.check(await new_database(service.package), service.package, service.metadata)


async def test_the_portals_models_and_migrations_agree(
    new_database: Callable[[str], Awaitable[str]],
) -> None:
    url = await new_database("portal_service")
    await migrate.check(url, "portal_service", Base.metadata)
    assert await migrate.is_newest(url, "portal_service")


@pytest.mark.parametrize("name", SERVICES)
async def test_every_table_with_a_dealer_has_row_level_security(
    name: str, new_database: Callable[[str], Awaitable[str]]
) -> None:
    database = Database(await new_database(SERVICES[name].SERVICE.package))
    async with database.transaction() as tx:
        rows = await tx.execute(
            text("""
                SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
                  AND a.attname = 'dealer_id' AND NOT c.relispartition
                  AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
            """)
        )
        open_tables = {row.relname for row in rows}
    await database.close()
    assert open_tables == set()
