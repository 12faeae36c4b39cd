"""Test databases: emptied for each test, dropped after the run even if it was killed."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from shared.testing.databases import TestDatabases, with_database


@pytest.fixture
async def server(postgres_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(postgres_url)
    yield connection
    await connection.close()


async def left_of(server: asyncpg.Connection, run: str) -> tuple[int, int]:
    """How many databases and roles of a run exist."""
    found = await server.fetchrow(
        "SELECT (SELECT count(*) FROM pg_database WHERE starts_with(datname, $1)),"
        " (SELECT count(*) FROM pg_roles WHERE starts_with(rolname, $1))",
        run,
    )
    assert found is not None
    return found[0], found[1]


async def killed(url: str) -> tuple[TestDatabases, str]:
    """A run that ended without dropping its databases, and the URL of one."""
    run = TestDatabases(url)
    database = await run.create("shared")
    assert run._alive is not None
    await run._alive.close()
    return run, database


async def test_the_next_run_drops_what_a_killed_one_left(
    postgres_url: str, server: asyncpg.Connection
) -> None:
    dead, _ = await killed(postgres_url)
    assert await left_of(server, dead.run) == (2, 2)
    living, following = TestDatabases(postgres_url), TestDatabases(postgres_url)
    await living.create("shared")
    await following.begin()
    assert await left_of(server, dead.run) == (0, 0)
    assert await left_of(server, living.run) == (2, 2)
    await following.drop_all()
    await living.drop_all()
    assert await left_of(server, living.run) == (0, 0)


async def test_a_database_that_is_in_use_is_left(
    postgres_url: str, server: asyncpg.Connection
) -> None:
    dead, url = await killed(postgres_url)
    user, following = await asyncpg.connect(url), TestDatabases(postgres_url)
    await following.begin()
    assert await left_of(server, dead.run) == (1, 2)
    await user.close()
    await following.drop_all()
    again = TestDatabases(postgres_url)
    await again.begin()
    assert await left_of(server, dead.run) == (0, 0)
    await again.drop_all()


async def content(url: str) -> dict[str, Any]:
    """All rows of all tables, and the positions of the sequences."""
    connection = await asyncpg.connect(url)
    names = await connection.fetch(
        "SELECT relname, relkind FROM pg_class WHERE relkind IN ('r', 'p', 'S')"
        " AND relnamespace = 'public'::regnamespace"
    )
    found = {row["relname"]: await connection.fetch(f"TABLE {row['relname']}") for row in names}
    await connection.close()
    return {name: [tuple(row) for row in rows] for name, rows in found.items()}


async def test_a_database_that_is_given_back_is_as_it_was_made(postgres_url: str) -> None:
    databases = TestDatabases(postgres_url, durable=False)
    url = await databases.create("shared")
    everything = databases.superuser_url(url)
    made = await content(everything)
    assert made["relay_lease"]
    owner = await asyncpg.connect(databases.owner_url(url))
    assert await owner.fetchval("SHOW synchronous_commit") == "off"
    await owner.execute(
        "INSERT INTO outbox_stream (aggregate_type, aggregate_id, last_sequence)"
        " VALUES ('contract', 'C1', 1);"
        " DELETE FROM relay_lease;"
        " INSERT INTO relay SELECT gen_random_uuid(), now() FROM generate_series(1, 30000);"
        " CREATE TABLE of_this_test AS SELECT 1;"
        " SELECT nextval(pg_get_serial_sequence('outbox', 'position'))"
    )
    assert await content(everything) != made
    await databases.give_back(url)  # ends the connection of its owner
    assert await databases.create("shared") == url
    assert await content(everything) == made
    server = await asyncpg.connect(with_database(postgres_url, url.rpartition("/")[2]))
    assert await server.fetchval("SELECT pg_table_size('relay')") < 100_000
    await server.close()
    await databases.drop_all()
