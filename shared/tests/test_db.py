"""Pooled connections, dealer isolation and plans of the database access."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from shared.db import Database

NewDatabase = Callable[[str], Awaitable[str]]


async def backend(database: Database) -> int:
    async with database.transaction() as tx:
        return int((await tx.execute(text("SELECT pg_backend_pid()"))).scalar_one())


async def end_all_but_own(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


async def test_terminated_connections_are_replaced_on_checkout(new_database: NewDatabase) -> None:
    url = await new_database("shared")
    ours, other = Database(url, pool_size=2), Database(url, pool_size=1)
    before = {*await asyncio.gather(backend(ours), backend(ours))}
    await end_all_but_own(other)
    await asyncio.sleep(0.2)  # let the driver notice
    after = {*await asyncio.gather(backend(ours), backend(ours))}
    assert len(before) == len(after) == 2
    assert before.isdisjoint(after)
    await ours.close()
    await other.close()


async def test_a_connection_is_reused_without_a_ping(new_database: NewDatabase) -> None:
    database = Database(await new_database("shared"), pool_size=1)
    first = await backend(database)
    async with database.transaction("D01") as tx:
        driver = (await (await tx.connection()).get_raw_connection()).driver_connection
        assert driver is not None
        statements: list[str] = []
        driver.add_query_logger(lambda record: statements.append(record.query))
    assert statements == []  # no statement, no transaction
    assert await backend(database) == first
    await asyncio.sleep(0)  # the driver calls its loggers afterwards
    assert statements == ["BEGIN;", "COMMIT;"]
    await database.close()


async def test_the_dealer_is_set_at_other_isolation_levels_too(
    new_database: NewDatabase,
) -> None:
    database = Database(await new_database("shared"), pool_size=1)
    for level in ("AUTOCOMMIT", "SERIALIZABLE"):
        async with database.engine.connect() as connection:
            other = await connection.execution_options(isolation_level=level)
            await other.execute(text("SELECT 1"))
        async with database.transaction("D01") as tx:
            named = await tx.execute(text("SELECT current_setting('app.dealer', true)"))
            assert named.scalar_one() == "D01"
        async with database.transaction() as tx:
            named = await tx.execute(text("SELECT current_setting('app.dealer', true)"))
            assert not named.scalar_one()
    await database.close()


@pytest.mark.parametrize(("idle_s", "asked"), [(0, []), (31, ["BEGIN;", "ROLLBACK;"])])
async def test_after_a_long_idle_time_the_connection_is_pinged(
    new_database: NewDatabase, idle_s: float, asked: list[str]
) -> None:
    database = Database(await new_database("shared"), pool_size=1)
    statements: list[str] = []

    def grown_old(_connection: object, record: object) -> None:
        record.info["idle_since"] -= idle_s  # type: ignore[attr-defined]

    event.listen(database.engine.sync_engine, "checkin", grown_old)
    async with database.transaction() as tx:
        driver = (await (await tx.connection()).get_raw_connection()).driver_connection
        assert driver is not None
        driver.add_query_logger(lambda record: statements.append(record.query))
    await backend(database)
    await asyncio.sleep(0)  # the driver calls its loggers afterwards
    assert [one for one in statements if one != ";"] == [*asked, "BEGIN;", "COMMIT;"]
    await database.close()


async def test_each_transaction_sees_its_own_dealer_only(new_database: NewDatabase) -> None:
    database = Database(await new_database("shared"), pool_size=1)
    seen = []
    strange = "D'); DROP TABLE outbox; --\\'"
    for dealer in ("D01", strange, "D02", None):
        async with database.transaction(dealer) as tx:
            seen.append(await tx.scalar(text("SELECT current_setting('app.dealer', true)")))
    assert seen == ["D01", strange, "D02", ""]
    await database.close()


async def test_only_one_transaction_works_for_the_dealer(new_database: NewDatabase) -> None:
    database = Database(await new_database("shared"), pool_size=1)
    seen = text("SELECT current_setting('app.dealer', true)")
    async with database.transaction("D01") as tx:
        assert await tx.scalar(seen) == "D01"
        await tx.rollback()
        assert await tx.scalar(seen) == ""
    await database.close()


async def test_an_error_names_no_value(new_database: NewDatabase) -> None:
    database = Database(await new_database("shared"))
    with pytest.raises(DBAPIError) as refused:
        async with database.transaction() as tx:
            await tx.execute(text("SELECT :name FROM no_such_table"), {"name": "豊田 花子"})
    assert "no_such_table" in str(refused.value)
    assert "豊田" not in str(refused.value)
    await database.close()


async def test_a_database_is_ready_once_it_is_migrated(
    postgres_url: str, new_database: NewDatabase
) -> None:
    for url, answers in ((postgres_url, False), (await new_database("shared"), True)):
        database = Database(url)
        assert await database.is_ready() is answers
        await database.close()


async def test_a_list_is_planned_for_its_values_and_the_next_transaction_is_not(
    new_database: NewDatabase,
) -> None:
    database = Database(await new_database("shared"), pool_size=1)
    modes = []
    for asked in (True, False):
        async with database.transaction("D01", plan_by_values=asked) as tx:
            shown = [text(f"SHOW {name}") for name in ("plan_cache_mode", "enable_bitmapscan")]
            modes.append([(await tx.execute(one)).scalar_one() for one in shown])
    assert modes == [["force_custom_plan", "off"], ["auto", "on"]]
    await database.close()


async def test_a_transaction_that_cannot_begin_spoils_no_pooled_connection(
    new_database: NewDatabase,
) -> None:
    database = Database(await new_database("shared"), pool_size=1)
    spoilt = await backend(database)
    with pytest.raises(DBAPIError):
        async with database.transaction("D\0") as tx:
            await tx.execute(text("SELECT 1"))
    seen = []
    for _ in range(3):
        async with database.transaction("D01") as tx:
            seen.append(await tx.scalar(text("SELECT current_setting('app.dealer', true)")))
    assert seen == ["D01"] * 3
    assert await backend(database) != spoilt
    await database.close()
