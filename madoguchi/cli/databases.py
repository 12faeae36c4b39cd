"""Which database a command works on.

In this order: `--database` (or DATABASE_URL); the all-in-one of a `--data` that was given; the
variable of the service's own processes, CONTRACTS_DATABASE_URL and so on, so that a command inside
a container needs no option; the all-in-one of this folder.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import typer

from madoguchi.cli.options import DATA_FOLDER
from madoguchi.packages import PACKAGES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from shared.db import Database


def variable(service: str, *, as_owner: bool = False) -> str:
    """The environment variable with a service's database."""
    return f"{service.upper()}_{'OWNER_' if as_owner else ''}DATABASE_URL"


async def database_url(
    service: str, data: Path | None, url: str | None, *, as_owner: bool = False
) -> str:
    """The URL of a service's database of this version. Raises Newer- and OlderDatabase.

    `as_owner` is for what changes tables: the processes' own role cannot.
    """
    named = os.environ.get(variable(service, as_owner=as_owner))
    found = url or (named if data is None else None)
    if not found:
        return await own_database(service, data or DATA_FOLDER, as_owner=as_owner)
    from shared.migrate import check_version

    await check_version(found, PACKAGES[service])
    return found


async def own_database(service: str, data: Path, *, as_owner: bool = False) -> str:
    """The URL of a service's database in the all-in-one's data folder; starts the server."""
    if not (data / "secrets.json").exists():
        raise typer.BadParameter(
            f"There is no all-in-one in {data}; give --data or --database, or set"
            f" {variable(service, as_owner=as_owner)}."
        )
    from madoguchi.embedded import postgres

    admin = await asyncio.to_thread(postgres.start_embedded, data)
    kept = postgres.Secrets(data / "secrets.json")
    found = postgres.owner_database if as_owner else postgres.service_database
    return await found(admin, service, PACKAGES[service], kept)


@asynccontextmanager
async def opened(
    service: str, data: Path | None, url: str | None, *, as_owner: bool = False
) -> AsyncIterator[Database]:
    """The database of a service, closed at the end of the block."""
    from shared.db import Database

    database = Database(await database_url(service, data, url, as_owner=as_owner))
    try:
        yield database
    finally:
        await database.close()


def with_database(
    service: str,
    data: Path | None,
    url: str | None,
    act: Callable[[Database], Awaitable[None]],
    *,
    as_owner: bool = False,
) -> None:
    """Run `act` with the database of a service."""

    async def run() -> None:
        async with opened(service, data, url, as_owner=as_owner) as database:
            await act(database)

    asyncio.run(run())
