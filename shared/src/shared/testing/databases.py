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


@dataclass(slots=True)
class TestDatabases:
    """Databases under a name of their own, with an ordinary role each; all are dropped at the end.

    The role is no superuser, so that row-level security holds as it does in production.
    """

    __test__ = False

    admin_url: str
    run: str = field(default_factory=lambda: f"madoguchi_test_{secrets.token_hex(4)}")
    _password: str = field(default_factory=lambda: secrets.token_hex(16))
    _templates: dict[str, str] = field(default_factory=dict)
    _made: list[str] = field(default_factory=list)

    @property
    def role(self) -> str:
        """The one role of this run."""
        return self.run

    async def create(self, package: str) -> str:
        """The URL of a fresh database with the tables of a service's package."""
        if package not in self._templates:
            if not self._templates:
                await self._admin(f"CREATE ROLE {self.role} LOGIN PASSWORD '{self._password}'")
            template = f"{self.run}_{re.sub(r'[^a-z]', '_', package)}"
            await self._create(template, "template0")
            self._templates[package] = template
            await migrate.upgrade(self._url(template), package)
        name = f"{self._templates[package]}_{secrets.token_hex(3)}"
        await self._create(name, self._templates[package])
        return self._url(name)

    async def drop(self, url: str) -> None:
        """Drop one database now."""
        name = urlsplit(url).path.lstrip("/")
        await self._admin(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self._made.remove(name)

    async def drop_all(self) -> None:
        """Drop everything, the role too."""
        for name in list(self._made):
            await self._admin(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self._made.clear()
        if self._templates:
            await self._admin(f"DROP ROLE IF EXISTS {self.role}")

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
