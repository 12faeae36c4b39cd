"""How does a test get a database of its own? Copied from a template that was migrated once."""

import re
import secrets
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


TABLES = """
    SELECT c.oid::regclass::text AS name FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
      AND NOT c.relispartition ORDER BY 1
"""


@dataclass(slots=True)
class TestDatabases:
    """Databases under a name of their own, with an ordinary role; all are dropped at the end.

    The role is no superuser, so that row-level security holds as it does in production. A database
    that is given back is emptied and used again: to drop one costs the server a checkpoint.
    """

    __test__ = False

    admin_url: str
    run: str = field(default_factory=lambda: f"madoguchi_test_{secrets.token_hex(4)}")
    _password: str = field(default_factory=lambda: secrets.token_hex(16))
    _templates: dict[str, str] = field(default_factory=dict)
    _first_rows: dict[str, dict[str, str | None]] = field(default_factory=dict)
    _package_of: dict[str, str] = field(default_factory=dict)
    _free: dict[str, list[str]] = field(default_factory=dict)
    _made: list[str] = field(default_factory=list)

    @property
    def role(self) -> str:
        """The one role of this run."""
        return self.run

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
            names = [row["name"] for row in await connection.fetch(TABLES)]
            for name in set(names) - set(first_rows):
                await connection.execute(f"DROP TABLE {name} CASCADE")
            await connection.execute(f"TRUNCATE {', '.join(first_rows)} RESTART IDENTITY CASCADE")
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
        for name in list(self._made):
            await self._admin(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self._made.clear()
        if self._templates:
            await self._admin(f"DROP ROLE IF EXISTS {self.role}")

    async def _make_template(self, package: str) -> None:
        if not self._templates:
            await self._admin(f"CREATE ROLE {self.role} LOGIN PASSWORD '{self._password}'")
        template = f"{self.run}_{re.sub(r'[^a-z]', '_', package)}"
        await self._create(template, "template0")
        self._templates[package] = template
        await migrate.upgrade(self._url(template), package)
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
        return with_database(self.admin_url, name, f"{self.role}:{self._password}")

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


def _name(url: str) -> str:
    return urlsplit(url).path.lstrip("/")
