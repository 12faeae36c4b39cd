"""How does a service reach its database? One engine, one transaction per action.

`Database.transaction()` commits when the block ends and rolls back when it raises; nothing
remote may happen inside. Row-level security sees the dealer that the transaction works for:
without one, tables that belong to dealers show nothing at all.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

EVERY_DEALER = "*"


class Database:
    """A service's own PostgreSQL database.

    `url` is a `postgresql://` URL. `idle_limit` (seconds) is how long an open transaction may
    stand still before the server ends it: a stalled process must not keep its locks.
    """

    def __init__(self, url: str, *, pool_size: int = 10, idle_limit: float = 60) -> None:
        self.url = url
        self.engine = create_async_engine(
            url.replace("postgresql://", "postgresql+asyncpg://", 1),
            pool_size=pool_size,
            max_overflow=0,
            pool_pre_ping=True,
            connect_args={
                "timeout": 10,
                "command_timeout": 60,
                "server_settings": {
                    "idle_in_transaction_session_timeout": str(int(idle_limit * 1000)),
                    "lock_timeout": "20000",
                    "timezone": "UTC",
                },
            },
        )

    @asynccontextmanager
    async def transaction(self, dealer_id: str | None = None) -> AsyncIterator[AsyncSession]:
        """One transaction; commits at the end of the block.

        `dealer_id` opens the rows of that dealer, EVERY_DEALER those of all (workers, TFC).
        """
        async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
            if dealer_id is not None:
                await session.execute(
                    text("SELECT set_config('app.dealer', :dealer, true)"), {"dealer": dealer_id}
                )
            yield session

    async def close(self) -> None:
        """Give every connection back."""
        await self.engine.dispose()
