"""Rights of a service's process in its database, and row-level security on the event core."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from event_contracts.contract import NoteSaved
from shared import database_rights, migrate, outbox
from shared.db import EVERY_DEALER, Database
from shared.http import idempotent
from shared.inbox import Inbox
from shared.testing.databases import TestDatabases

NewDatabase = Callable[[str], Awaitable[str]]
NOW = datetime(2025, 7, 15, 1, 0, tzinfo=UTC)
EVENT = """
    INSERT INTO outbox (event_id, lane, type, aggregate_type, aggregate_id, sequence, dealer_id,
                        occurred_at, payload, headers)
    VALUES (gen_random_uuid(), 0, 'x.v1', 'contract', 'C1', 1, 'D01', now(),
            '{"name": "豊田 花子", "parts": ["白", 3], "no": 1}', '{}')
"""
ERASED = '{"name": "（消去済み）", "parts": ["（消去済み）", 3], "no": 1}'


def event(dealer: str, contract_no: str = "C1") -> NoteSaved:
    return NoteSaved(dealer_id=dealer, contract_no=contract_no, note_version=1, length=1)


@pytest.fixture
async def url(new_database: NewDatabase, databases: TestDatabases) -> str:
    made = await new_database("shared")
    await databases.tamper(made, EVENT)
    return made


async def run(url: str, statement: str) -> str:
    connection = await asyncpg.connect(url, server_settings={"app.dealer": "*"})
    try:
        return str(await connection.execute(statement))
    finally:
        await connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE inbox DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE outbox DISABLE TRIGGER erase_only",
        "DROP POLICY own_dealer ON outbox",
        "CREATE TABLE own (c int)",
        "TRUNCATE inbox",
        "DROP TABLE outbox_p_rest",
        "TABLE outbox_p_rest",
        "DELETE FROM outbox",
        "UPDATE outbox SET dealer_id = 'D02'",
        "UPDATE outbox SET headers = '{}'",
        "UPDATE alembic_version SET version_num = 'x'",
        "SELECT setval('outbox_position', 1)",
        "SET session_replication_role = replica",
    ],
)
async def test_the_processes_role_changes_rows_only_and_no_history(
    url: str, statement: str
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await run(url, statement)


@pytest.mark.parametrize(
    "payload",
    [
        '{"name": "somebody else", "parts": ["白", 3], "no": 1}',
        '{"name": "（消去済み）", "parts": ["白", 3], "no": 2}',
        '{"name": "（消去済み）", "parts": ["白"], "no": 1}',
        '{"name": "（消去済み）", "parts": ["白", 3]}',
        '{"name": "（消去済み）", "parts": ["白", 3], "no": 1, "more": 1}',
        '["（消去済み）"]',
        '{"name": "豊田　（消去済み）", "parts": ["白", 3], "no": 1}',
        '{"name": "他の（消去済み）子", "parts": ["白", 3], "no": 1}',
        '{"name": "%（消去済み）", "parts": ["白", 3], "no": 1}',
    ],
)
async def test_what_was_emitted_cannot_be_rewritten(url: str, payload: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only added or erased"):
        await run(url, f"UPDATE outbox SET payload = '{payload}'")


async def test_what_was_emitted_can_be_erased(url: str) -> None:
    part = '{"name": "豊田 （消去済み）子", "parts": ["白", 3], "no": 1}'
    for erased in (part, ERASED):  # words of a text, or the whole of it
        assert await run(url, f"UPDATE outbox SET payload = '{erased}'") == "UPDATE 1"


async def test_a_partition_made_later_has_the_same_guards(
    url: str, databases: TestDatabases
) -> None:
    await run(url, "SELECT outbox_months(30)")  # the role may not create tables by itself
    far = "now() + interval '20 months'"
    await databases.tamper(url, f"UPDATE outbox SET created_at = {far}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only added or erased"):
        await run(url, "UPDATE outbox SET payload = '[]'")
    dropped = (
        "SELECT 'DROP TABLE ' || string_agg(relname, ', ') FROM pg_class"
        " WHERE relkind = 'r' AND substring(relname FROM '^outbox_p([0-9]{6})$')"
        " > to_char(now() + interval '4 months', 'YYYYMM')"
    )
    admin = await asyncpg.connect(databases.superuser_url(url))
    await admin.execute(await admin.fetchval(dropped))  # the database is used again
    await admin.close()


async def test_each_dealer_sees_its_own_events_and_answers(new_database: NewDatabase) -> None:
    database = Database(await new_database("shared"))
    counted = {}
    for own in ("D01", "D02"):
        async with database.transaction(own) as tx:
            await outbox.add(tx, event(own, f"of-{own}"), now=NOW)
            await idempotent(tx, owner=own, key="k", fingerprint="f", act=_answer)
    await Inbox(database, "returns").refuse("unreadable", "x", {}, b"D01")
    for dealer in ("D01", "D02", EVERY_DEALER, None):
        async with database.transaction(dealer) as tx:
            counted[dealer] = [
                (await tx.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()
                for table in ("outbox", "idempotency", "inbox_refused")
            ]
    await database.close()
    assert counted == {
        "D01": [1, 1, 0],
        "D02": [1, 1, 0],
        EVERY_DEALER: [2, 2, 1],
        None: [0, 0, 0],
    }


async def _answer() -> str:
    return "done"


async def test_a_dealers_transaction_emits_for_no_other(new_database: NewDatabase) -> None:
    database = Database(await new_database("shared"))
    with pytest.raises(DBAPIError, match="row-level security"):
        async with database.transaction("D01") as tx:
            await outbox.add(tx, event("D02"), now=NOW)
    await database.close()


async def test_the_scaler_counts_the_inbox_of_every_dealer(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("SELECT set_config('app.dealer', 'D09', false)")
    await connection.execute(
        "INSERT INTO inbox (stream, sequence, event_id, type, aggregate_type, aggregate_id,"
        " dealer_id, occurred_at, payload, headers)"
        " VALUES ('s', 1, gen_random_uuid(), 't', 'a', 'i', 'D09', now(), '{}', '{}')"
    )
    await connection.execute("SELECT set_config('app.dealer', '', false)")
    assert await connection.fetchval("SELECT count(*) FROM inbox") == 0
    assert await connection.fetchval("SELECT inbox_waiting()") == 1
    await connection.close()


async def test_a_missing_role_is_named(url: str, databases: TestDatabases) -> None:
    with pytest.raises(database_rights.AppRoleMissing, match="nobody_at_all"):
        await migrate.upgrade(databases.owner_url(url), "shared", "nobody_at_all")
