"""Database access of a service: one engine, one transaction per action.

`Database.transaction()` commits when the block ends and rolls back when it raises; no remote call
may happen inside. Row-level security sees the dealer that the transaction works for; without one,
tables that belong to dealers are empty. The dealer is set in the same message that begins the
transaction, which saves a round trip.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import asyncpg
from sqlalchemy import event, text
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_connection
from sqlalchemy.exc import InvalidatePoolError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from shared.postgres_connection import DatabaseUnavailable, connect

EVERY_DEALER = "*"
ASK_AFTER_IDLE_S = 30
POOL_TIMEOUT_S = 10
"""How long a transaction waits for a connection while all of the pool are in use."""


class DealersConnection(asyncpg.Connection):
    """A connection whose next transaction works for `dealer` from its first message on.

    With `plan_by_values` PostgreSQL plans each statement for its actual parameters instead of using
    a generic plan, and prefers indexes that return the rows in order.
    """

    dealer: str | None = None
    plan_by_values: bool = False

    async def execute(self, query: str, *args: object, timeout: float | None = None) -> str:  # noqa: ASYNC109
        """As the driver's; a statement that begins a transaction also sets the dealer."""
        if query.startswith("BEGIN") and self.dealer is not None:
            quoted, self.dealer = self.dealer.replace("'", "''"), None
            query += f" SELECT set_config('app.dealer', '{quoted}', true);"
            if self.plan_by_values:
                query += " SET LOCAL plan_cache_mode = force_custom_plan;"
                query += " SET LOCAL enable_bitmapscan = off;"
        if not query.startswith("BEGIN"):
            return str(await super().execute(query, *args, timeout=timeout))
        try:
            return str(await super().execute(query, *args, timeout=timeout))
        except BaseException:
            self.terminate()  # the driver would take it for one inside a transaction for good
            raise


class Database:
    """A service's own PostgreSQL database.

    `url` is a `postgresql://` URL. `idle_limit` (seconds) is how long an open transaction may be
    idle before the server ends it: a stalled process must not keep its locks. Errors quote the
    statement but never its values, which may be personal data.
    """

    def __init__(self, url: str, *, pool_size: int = 10, idle_limit: float = 60) -> None:
        self.url = url
        self.engine = create_async_engine(
            "postgresql+asyncpg://",
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=POOL_TIMEOUT_S,
            hide_parameters=True,
            async_creator=partial(
                connect,
                url,
                command_timeout=60,
                connection_class=DealersConnection,
                server_settings={
                    "standard_conforming_strings": "on",
                    "idle_in_transaction_session_timeout": str(int(idle_limit * 1000)),
                    "lock_timeout": "20000",
                    "timezone": "UTC",
                },
            ),
        )
        _check_on_checkout(self.engine)

    @asynccontextmanager
    async def transaction(
        self, dealer_id: str | None = None, *, plan_by_values: bool = False
    ) -> AsyncIterator[AsyncSession]:
        """One transaction; commits at the end of the block.

        `dealer_id` opens the rows of that dealer, EVERY_DEALER those of all (workers, TFC).
        `plan_by_values` is for lists, where a dealer has three rows or a hundred thousand: the
        plan that PostgreSQL keeps for a statement suits neither (ADR 14).

        Raises DatabaseUnavailable.
        """
        session = AsyncSession(self.engine, expire_on_commit=False)
        try:
            try:
                connection = (await session.connection()).sync_connection
            except PoolTimeout as cause:
                raise DatabaseUnavailable("All connections of this process are in use.") from cause
            driver = connection.connection.driver_connection if connection else None
            assert isinstance(driver, DealersConnection)
            driver.dealer = dealer_id  # the first statement begins the transaction
            driver.plan_by_values = plan_by_values
            yield session
            await session.commit()  # which also gives the connection back
        except BaseException:
            await asyncio.shield(session.close())
            raise

    async def is_ready(self) -> bool:
        """Whether the database is reachable and migrated."""
        try:
            async with self.transaction() as tx:
                await tx.execute(text("SELECT 1 FROM alembic_version LIMIT 1"))
        except (OSError, SQLAlchemyError):
            return False
        return True

    async def is_reachable(self, within_s: float = 2) -> bool:
        """Whether the server gives a new connection and answers, whatever the pool's are doing."""
        try:
            async with asyncio.timeout(within_s):
                connection = await connect(self.url, timeout=within_s)
        except (OSError, asyncpg.PostgresError):
            return False
        connection.terminate()
        return True

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


def _check_on_checkout(engine: AsyncEngine) -> None:
    """Discard dead pooled connections on checkout.

    The driver notices by itself when the server ends a connection; a ping on each checkout would
    cost three round trips per transaction. Only a connection that was idle for a while is pinged.
    """

    def given_back(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info["idle_since"] = time.monotonic()

    def check_connection(
        connection: AsyncAdapt_asyncpg_connection, record: ConnectionPoolEntry, _fairy: object
    ) -> None:
        driver = record.driver_connection
        if driver is None or driver.is_closed():
            raise InvalidatePoolError
        if time.monotonic() - record.info.get("idle_since", float("inf")) > ASK_AFTER_IDLE_S:
            try:
                connection.ping()  # type: ignore[no-untyped-call]  # SQLAlchemy does not type it
            except Exception as error:
                raise InvalidatePoolError from error

    event.listen(engine.sync_engine, "checkin", given_back)
    event.listen(engine.sync_engine, "checkout", check_connection)
