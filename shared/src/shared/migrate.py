"""Migrations: upgrades a service's database and compares it with the models."""

import asyncio
import contextlib
import re
from collections.abc import Callable, Sequence
from functools import partial
from importlib import resources
from importlib.resources.abc import Traversable
from io import StringIO
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import asyncpg
from pydantic import SecretStr

from shared import database_rights
from shared.postgres_connection import connect

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection, MetaData

REVISION = re.compile(r'^(?:down_)?revision = "(\w+)"$', re.MULTILINE)
BEFORE = re.compile(r'^down_revision = "(\w+)"$', re.MULTILINE)


WITHOUT_EVENTS = frozenset({"portal_service"})
"""Packages whose database has no event core: neither outbox nor inbox nor timers."""


class NewerDatabase(Exception):
    """The database has migrations that this version does not know."""


class OlderDatabase(Exception):
    """The database lacks migrations of this version."""


def _places(package: str) -> list[Traversable]:
    """The migration folders of a package, the event core's first where it has one."""
    packages = (package,) if package in WITHOUT_EVENTS else ("shared", package)
    places = [resources.files(name) / "migrations" / "versions" for name in packages]
    return [place for place in dict.fromkeys(places) if place.is_dir()]


def newest(package: str) -> set[str]:
    """The head revisions of a package, read from its files: loading Alembic takes 0.1 s."""
    texts = _texts(package)
    return _revisions(texts) - {before for text in texts for before in BEFORE.findall(text)}


def _texts(package: str) -> list[str]:
    files = [file for place in _places(package) for file in place.iterdir()]
    return [file.read_text(encoding="utf-8") for file in files if file.name.endswith(".py")]


def _revisions(texts: list[str]) -> set[str]:
    return {revision for text in texts for revision in REVISION.findall(text)}


async def check_version(url: str, package: str) -> None:
    """Raise OlderDatabase or NewerDatabase unless the database is of this version.

    Raises DatabaseUnavailable.
    """
    connection = await connect(url)
    try:
        rows = await connection.fetch("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        raise OlderDatabase(package) from None
    finally:
        await connection.close()
    found = {row["version_num"] for row in rows}
    if found - _revisions(_texts(package)):
        raise NewerDatabase(package)
    if found != newest(package):
        raise OlderDatabase(package)


async def is_newest(url: str, package: str) -> bool:
    """Whether the database is reachable and needs no migration."""
    with contextlib.suppress(OSError, asyncpg.PostgresError):
        connection = await connect(url)
        try:
            rows = await connection.fetch("SELECT version_num FROM alembic_version")
        finally:
            await connection.close()
        return {row["version_num"] for row in rows} == newest(package)
    return False


def _config(package: str, metadata: "Sequence[MetaData]", connection: "Connection") -> "Config":
    from alembic.config import Config

    from shared import event_tables

    core = resources.files("shared") / "migrations"
    places = [str(place) for place in _places(package)]
    config = Config(stdout=StringIO())
    config.set_main_option("script_location", str(core))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(places))
    core_tables = [] if package in WITHOUT_EVENTS else [event_tables.events]
    config.attributes["metadata"] = [*core_tables, *metadata]
    config.attributes["connection"] = connection
    return config


def _upgrade(
    connection: "Connection",
    package: str,
    metadata: "Sequence[MetaData]",
    app_role: str | None,
) -> None:
    from alembic import command
    from alembic.script.revision import ResolutionError
    from alembic.util import CommandError

    try:
        command.upgrade(_config(package, metadata, connection), "heads")
    except CommandError as error:
        if isinstance(error.__cause__, ResolutionError):
            raise NewerDatabase(f"{package}: {error}") from error
        raise
    if app_role is not None:
        database_rights.grant(connection, package, app_role)


def _check(connection: "Connection", package: str, metadata: "Sequence[MetaData]") -> None:
    from alembic import command

    command.check(_config(package, metadata, connection))


async def upgrade(url: str, package: str, app_role: str | None = None) -> None:
    """Bring the database at `url` (its owner's) to the newest version of a service's package.

    `app_role` is granted the rights of the service's processes; None leaves all rights as they are.
    Raises NewerDatabase, AppRoleMissing.
    """
    await _run(url, partial(_upgrade, package=package, metadata=(), app_role=app_role))


async def upgrade_as_owner(url: SecretStr, owner_url: SecretStr | None, package: str) -> None:
    """Migrate as the owner of the tables, and grant the role of `url` the rights of a process."""
    processes = url.get_secret_value()
    if owner_url is None:
        await upgrade(processes, package)
        return
    app_role = unquote(urlsplit(processes).username or "")
    await upgrade(owner_url.get_secret_value(), package, app_role)


async def check(url: str, package: str, *metadata: "MetaData") -> None:
    """Raise AutogenerateDiffsDetected where the migrated database differs from the models."""
    await _run(url, partial(_check, package=package, metadata=metadata))


async def _run(url: str, step: "Callable[[Connection], None]") -> None:
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine("postgresql+asyncpg://", async_creator=partial(connect, url))
    try:
        async with engine.begin() as connection:
            await connection.run_sync(step)
    finally:
        await engine.dispose()
        await asyncio.sleep(0)
