"""`madoguchi doctor`: roles and the connection budget, against a real server."""

from collections.abc import Awaitable, Callable

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from madoguchi.cli.doctor import Processes, doctor_command
from shared.testing.databases import TestDatabases

NewDatabase = Callable[[str], Awaitable[str]]


def asked(url: str, *words: str, connections: int = 10) -> Result:
    environment = {
        "CONTRACTS_DATABASE_URL": url,
        "RETURNS_DATABASE_URL": url,
        "CONTRACTS_DATABASE_CONNECTIONS": str(connections),
    }
    return CliRunner().invoke(doctor_command, words, env=environment)


def test_the_most_connections_of_a_service() -> None:
    assert Processes(apis=2, workers=3).connections(10) == 2 * 10 + 3 * 12


@pytest.fixture
async def url(new_database: NewDatabase) -> str:
    return await new_database("shared")


@pytest.fixture
async def accepted(url: str) -> int:
    connection = await asyncpg.connect(url)
    shown = await connection.fetch(
        "SELECT setting::int FROM pg_settings WHERE name IN"
        " ('max_connections', 'superuser_reserved_connections', 'reserved_connections')"
        " ORDER BY name = 'max_connections' DESC"
    )
    await connection.close()
    first, *less = (row["setting"] for row in shown)
    return int(first - sum(less))


def test_connections_that_fit(url: str, accepted: int) -> None:
    fits = asked(url, connections=accepted // 2 - 12)  # and returns' 22
    assert (fits.exit_code, "enough" in fits.output) == (0, True), fits.output
    assert f"accepts {accepted}" in fits.output


def test_connections_that_do_not_fit(url: str, accepted: int) -> None:
    over = asked(url, connections=accepted)
    assert (over.exit_code, "TOO FEW" in over.output) == (1, True), over.output
    scaled = asked(url, "--apis", "100", "--workers", "8", connections=2)
    assert f"may open {100 * 12 + 8 * 16}" in scaled.output


def test_a_process_that_owns_its_tables(url: str, databases: TestDatabases) -> None:
    owned = asked(databases.owner_url(url))
    assert owned.exit_code == 1
    assert owned.output.count("owns tables") == 2


def test_a_server_that_is_away() -> None:
    away = asked("postgresql://x@127.0.0.1:1/x")
    assert away.exit_code == 1
    assert "contracts: PostgreSQL gives no connection" in away.output
    assert "Traceback" not in away.output


def test_without_any_address() -> None:
    assert CliRunner().invoke(doctor_command, env={}).exit_code == 2
