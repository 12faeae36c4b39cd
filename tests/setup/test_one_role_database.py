"""A data folder or database of before there were two roles: migrated at the next start."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from sqlalchemy import Connection, text

from madoguchi.embedded.postgres import Secrets, owner_database, service_databases
from shared import migrate
from shared.db import Database
from shared.testing.databases import with_database
from shared.testing.disposable_servers import PrivatePostgres
from shared.testing.servers import free_port

NAME, PACKAGE = "madoguchi_returns", "returns_service"
EVENT = """
    INSERT INTO outbox (event_id, lane, type, aggregate_type, aggregate_id, sequence, dealer_id,
                        occurred_at, payload, headers)
    VALUES (gen_random_uuid(), 0, 'x.v1', 'return', 'R1', 1, 'D01', now(), '{}', '{}');
    INSERT INTO idempotency (owner, key, fingerprint, answer) VALUES ('p', 'k', 'f', '"done"')
"""


@pytest.fixture
async def server() -> AsyncIterator[PrivatePostgres]:
    server = PrivatePostgres(free_port(), durable=False)
    await server.start()
    yield server
    server.remove()


def to_before(connection: Connection) -> None:
    """The migrations of the version before: the core's up to 4, the service's own all."""
    config = migrate._config(PACKAGE, (), connection)
    command.upgrade(config, "event_core_4")
    for head in migrate.newest(PACKAGE) - migrate.newest("shared"):
        command.upgrade(config, head)


async def one_role(server: PrivatePostgres, kept: Secrets) -> None:
    admin = await asyncpg.connect(server.url)
    await admin.execute(f"CREATE ROLE {NAME} LOGIN PASSWORD '{kept.get('postgres-returns')}'")
    await admin.execute(
        f"CREATE DATABASE {NAME} OWNER {NAME} TEMPLATE template0 LC_CTYPE 'C.UTF-8'"
    )
    await admin.execute(f"REVOKE CONNECT ON DATABASE {NAME} FROM PUBLIC")
    await admin.close()
    url = with_database(server.url, NAME, NAME)
    await migrate._run(url, to_before)
    owner = await asyncpg.connect(url)
    await owner.execute(EVENT)
    await owner.close()


async def test_a_database_with_one_role_gets_the_second_and_keeps_its_rows(
    server: PrivatePostgres, tmp_path: Path
) -> None:
    kept = Secrets(tmp_path / "secrets.json")
    await one_role(server, kept)
    for _ in range(2):  # the second start finds nothing to do
        [url] = (await service_databases(server.url, {"returns": PACKAGE}, kept)).values()
        assert f"{NAME}_app:" in url
    database = Database(url)
    async with database.transaction("D01") as tx:
        assert (await tx.execute(text("SELECT count(*) FROM outbox"))).scalar_one() == 1
        assert (await tx.execute(text("SELECT answer FROM idempotency"))).scalar_one() == "done"
    async with database.transaction("D02") as tx:
        assert (await tx.execute(text("SELECT count(*) FROM outbox"))).scalar_one() == 0
    await database.close()
    process = await asyncpg.connect(url)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await process.execute("DELETE FROM history")
    await process.close()
    owner = await asyncpg.connect(await owner_database(server.url, "returns", PACKAGE, kept))
    assert await owner.fetchval("SELECT current_user") == NAME
    await owner.close()


async def test_a_role_without_its_rights_is_granted_them_at_the_next_start(
    server: PrivatePostgres, tmp_path: Path
) -> None:
    kept = Secrets(tmp_path / "secrets.json")  # as after a restore: a dump has no grants
    await service_databases(server.url, {"returns": PACKAGE}, kept)
    admin = await asyncpg.connect(with_database(server.url, NAME))
    await admin.execute(f"DROP OWNED BY {NAME}_app; DROP ROLE {NAME}_app")
    await admin.close()
    [url] = (await service_databases(server.url, {"returns": PACKAGE}, kept)).values()
    database = Database(url)
    assert await database.is_ready()
    await database.close()
