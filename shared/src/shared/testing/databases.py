"""Test databases, each copied from a template that was migrated once."""

import asyncio
import contextlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from shared import migrate


def with_database(url: str, name: str, user: str | None = None) -> str:
    """The same server's URL for another database, and for another user."""
    parts = urlsplit(url)
    netloc = parts.netloc
    if user is not None:
        netloc = f"{user}@{parts.netloc.rpartition('@')[2]}"
    return urlunsplit((parts.scheme, netloc, f"/{name}", parts.query, ""))


AT_ONCE = 8
TABLES = """
    SELECT c.oid::regclass::text AS name,
           coalesce((SELECT sum(pg_table_size(relid)) FROM pg_partition_tree(c.oid)),
                    pg_table_size(c.oid)) > 1000000 AS large
    FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
      AND NOT c.relispartition ORDER BY 1
"""
RESTART_SEQUENCES = """
    SELECT setval(seqrelid, seqstart, false) FROM pg_sequence JOIN pg_class ON oid = seqrelid
    WHERE relnamespace = 'public'::regnamespace
"""
TABLES_OF_TESTS = """
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO {0};
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON SEQUENCES TO {0}
"""
DEAD_RUNS = """
    SELECT rolname FROM pg_roles
    WHERE rolname ~ '^madoguchi_run_[0-9a-f]{8}$'
      AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = rolname)
"""


@dataclass(slots=True)
class TestDatabases:
    """Databases under a name of their own, with ordinary roles; all are dropped at the end.

    As in production, one role owns the tables, and with the other, which may only read and write
    rows, the tests connect: what a migration forgot to grant fails in them. A database
    that is given back is emptied and used again: to drop one costs the server a checkpoint. With
    `durable=False` a commit does not wait for the disk.

    A connection named after the run lasts as long as the run. Where there is none, the run was
    killed, and the next one drops what it left.
    """

    __test__ = False

    admin_url: str
    durable: bool = True
    run: str = field(default_factory=lambda: f"madoguchi_run_{secrets.token_hex(4)}")
    _password: str = field(default_factory=lambda: secrets.token_hex(16))
    _templates: dict[str, str] = field(default_factory=dict)
    _first_rows: dict[str, dict[str, str | None]] = field(default_factory=dict)
    _package_of: dict[str, str] = field(default_factory=dict)
    _free: dict[str, list[str]] = field(default_factory=dict)
    _made: list[str] = field(default_factory=list)
    _alive: asyncpg.Connection | None = None

    @property
    def role(self) -> str:
        """The role that owns this run's databases."""
        return self.run

    @property
    def app_role(self) -> str:
        """The role that tests and their processes connect with."""
        return f"{self.run}_app"

    def owner_url(self, url: str) -> str:
        """The URL of a database for the role that owns its tables."""
        return with_database(url, _name(url), f"{self.role}:{self._password}")

    async def as_owner(self, url: str, statements: str) -> None:
        """Run statements as the owner; the tables that they create are the tests' to use."""
        every_dealer = {"app.dealer": "*"}
        connection = await asyncpg.connect(self.owner_url(url), server_settings=every_dealer)
        try:
            await connection.execute(statements)
        finally:
            await connection.close()

    async def empty(self, url: str, tables: Iterable[str]) -> None:
        """Delete all rows of tables, in this order; from history only the owner can."""
        await self.as_owner(url, "; ".join(f"DELETE FROM {table}" for table in tables))  # noqa: S608 - names of our own tables

    def superuser_url(self, url: str) -> str:
        """The URL of a database for a role that no right and no row-level security stops."""
        return with_database(self.admin_url, _name(url))

    async def tamper(self, url: str, statements: str) -> None:
        """Run statements as somebody whom no right and no trigger stops."""
        connection = await asyncpg.connect(self.superuser_url(url))
        try:
            await connection.execute(f"SET session_replication_role = replica; {statements}")
        finally:
            await connection.close()

    async def begin(self) -> None:
        """Show that this run is alive, and drop what dead ones left."""
        if self._alive is not None:
            return
        alive = await self._connection()
        for dead in await alive.fetch(DEAD_RUNS):
            await self._drop_run(dead["rolname"])

    async def _connection(self) -> asyncpg.Connection:
        """The connection named after the run, opened again if a test restarted the server."""
        if self._alive is None or self._alive.is_closed():
            named = {"application_name": self.run}
            self._alive = await asyncpg.connect(self.admin_url, server_settings=named)
        return self._alive

    async def create(self, package: str) -> str:
        """The URL of an empty database with the tables of a service's package."""
        if package not in self._templates:
            await self._make_template(package)
        if free := self._free.setdefault(package, []):
            return free.pop()
        name = f"{self._templates[package]}_{secrets.token_hex(3)}"
        await self._create(name, self._templates[package])
        url = self._url(name)
        self._package_of[url] = package
        return url

    async def give_back(self, url: str) -> None:
        """Empty a database for the next one: only the rows that migrations made come back."""
        package = self._package_of[url]
        first_rows = self._first_rows[package]
        connection = await asyncpg.connect(with_database(self.admin_url, _name(url)))
        try:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            tables = {row["name"]: row["large"] for row in await connection.fetch(TABLES)}
            await connection.execute(_emptying(tables, first_rows))
            for name, rows in first_rows.items():
                if rows is not None:
                    filled = f"json_populate_recordset(NULL::{name}, $1::json)"
                    await connection.execute(f"INSERT INTO {name} SELECT * FROM {filled}", rows)  # noqa: S608 - as above
        finally:
            await connection.close()
        self._free[package].append(url)

    async def drop(self, url: str) -> None:
        """Drop one database now."""
        await self._admin(f"DROP DATABASE IF EXISTS {_name(url)} WITH (FORCE)")
        self._made.remove(_name(url))

    async def drop_all(self) -> None:
        """Drop everything, the role too."""
        if self._alive is None:
            return
        await self._drop_run(self.run)
        self._made.clear()
        alive, self._alive = self._alive, None
        await alive.close()

    async def _drop_run(self, run: str) -> None:
        """Drop the databases of a run, several at once: they share the checkpoint, and its role.

        What a dead run's children still use, or another process drops as well, is left to them.
        """
        alive = await self._connection()
        named = await alive.fetch(
            "SELECT datname FROM pg_database JOIN pg_roles r ON r.oid = datdba WHERE rolname = $1",
            run,
        )
        force, left = (" WITH (FORCE)", ()) if run == self.run else ("", (asyncpg.PostgresError,))
        turn = asyncio.Semaphore(AT_ONCE)

        async def drop(what: str) -> None:
            async with turn:
                with contextlib.suppress(*left):
                    await self._admin(f"DROP {what}")

        await asyncio.gather(
            *(drop(f"DATABASE IF EXISTS {row['datname']}{force}") for row in named)
        )
        await drop(f"ROLE IF EXISTS {run}_app")
        await drop(f"ROLE IF EXISTS {run}")

    async def _make_template(self, package: str) -> None:
        if not self._templates:
            await self.begin()
            for role in (self.role, self.app_role):
                await self._admin(f"CREATE ROLE {role} LOGIN PASSWORD '{self._password}'")
                if not self.durable:
                    await self._admin(f"ALTER ROLE {role} SET synchronous_commit = off")
        template = f"{self.run}_{re.sub(r'[^a-z]', '_', package)}"
        await self._create(template, "template0")
        self._templates[package] = template
        await migrate.upgrade(self.owner_url(self._url(template)), package, self.app_role)
        await self.as_owner(self._url(template), TABLES_OF_TESTS.format(self.app_role))
        connection = await asyncpg.connect(with_database(self.admin_url, template))
        try:
            names = [row["name"] for row in await connection.fetch(TABLES)]
            self._first_rows[package] = {
                name: await connection.fetchval(f"SELECT json_agg(t)::text FROM {name} t")  # noqa: S608 - names of our own tables
                for name in names
            }
        finally:
            await connection.close()

    def _url(self, name: str) -> str:
        return with_database(self.admin_url, name, f"{self.app_role}:{self._password}")

    async def _create(self, name: str, template: str) -> None:
        locale = (
            " LC_COLLATE 'C' LC_CTYPE 'C.UTF-8' ENCODING 'UTF8'" if template == "template0" else ""
        )
        await self._admin(f"CREATE DATABASE {name} OWNER {self.role} TEMPLATE {template}{locale}")
        self._made.append(name)

    async def _admin(self, statement: str) -> None:
        connection = await asyncpg.connect(self.admin_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def _emptying(tables: dict[str, bool], kept: Iterable[str]) -> str:
    """Statements that empty the kept tables and drop the others.

    DELETE takes a hundredth of the time of TRUNCATE where there are few rows; `replica` leaves
    out foreign keys and triggers.
    """
    large = [name for name in kept if tables[name]]
    return "; ".join(
        [
            "SET session_replication_role = replica",
            "SET synchronous_commit = off",
            *(f"DROP TABLE {name} CASCADE" for name in tables.keys() - set(kept)),
            *([f"TRUNCATE {', '.join(large)} CASCADE"] if large else []),
            *(f"DELETE FROM {name}" for name in kept if name not in large),  # noqa: S608 - names of our own tables
            RESTART_SEQUENCES,
        ]
    )


def _name(url: str) -> str:
    return urlsplit(url).path.lstrip("/")
