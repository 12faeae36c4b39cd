"""Is every change of the event log noticed, and an erasure accepted?"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import asyncpg
import pytest

from event_contracts.contract import NoteSaved
from event_contracts.customer_erasure import CustomerTracesErased
from shared import outbox
from shared.db import EVERY_DEALER, Database
from shared.event_chain import ChainCheck, verify
from shared.personal_data import erase_from_log
from shared.testing.databases import TestDatabases

NewDatabase = Callable[[str], Awaitable[str]]
NOW = datetime(2025, 7, 15, 1, 0, tzinfo=UTC)
UNLINKED = """
    INSERT INTO outbox (event_id, lane, type, aggregate_type, aggregate_id, sequence, dealer_id,
                        occurred_at, payload, headers)
    VALUES (gen_random_uuid(), 0, 'contract.note_saved.v1', 'contract', '{0}', {1}, 'D01', now(),
            '{{}}', '{{}}')
"""
THIRD = "aggregate_id = 'C1' AND sequence = 3"


def note(contract_no: str, version: int) -> NoteSaved:
    return NoteSaved(dealer_id="D01", contract_no=contract_no, note_version=version, length=1)


@pytest.fixture
async def url(new_database: NewDatabase) -> str:
    """A log of two contracts with five events each, one by one and many at once."""
    made = await new_database("shared")
    database = Database(made)
    async with database.transaction(EVERY_DEALER) as tx:
        await outbox.add(tx, note("C1", 1), now=NOW)
        await outbox.add_many(tx, [note("C1", 2), note("C2", 1), note("C1", 3)], now=NOW)
    async with database.transaction(EVERY_DEALER) as tx:
        await outbox.add_many(tx, [note("C2", n) for n in range(2, 6)], now=NOW)
        await outbox.add(tx, note("C1", 4), now=NOW)
        await outbox.add(tx, note("C1", 5), now=NOW)
    await database.close()
    return made


async def checked(url: str) -> ChainCheck:
    connection = await asyncpg.connect(url)
    try:
        return await verify(connection)
    finally:
        await connection.close()


async def test_a_log_as_it_was_written_is_sound(url: str) -> None:
    found = await checked(url)
    assert (found.events, found.linked, found.erased, found.breaks) == (10, 10, 0, [])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE outbox SET payload = '{\"length\": 9}' WHERE THIRD", "event 3 is not what"),
        ('UPDATE outbox SET headers = \'{"actor": "X"}\' WHERE THIRD', "event 3 is not what"),
        ("UPDATE outbox SET dealer_id = 'D02' WHERE THIRD", "event 3 is not what"),
        ("UPDATE outbox SET type = 'contract.hidden.v1' WHERE THIRD", "event 3 is not what"),
        ("UPDATE outbox SET occurred_at = now() WHERE THIRD", "event 3 is not what"),
        ("UPDATE outbox SET event_id = gen_random_uuid() WHERE THIRD", "event 3 is not what"),
        ("UPDATE outbox SET link = NULL WHERE THIRD", "event 3 was written without a link"),
        ("DELETE FROM outbox WHERE THIRD", "an event before 4 is missing"),
        ("DELETE FROM outbox WHERE aggregate_id = 'C1' AND sequence = 5", "event 5 was the newest"),
        ("DELETE FROM outbox WHERE aggregate_id = 'C1'", "event 5 was the newest"),
        ("UPDATE outbox_stream SET link = '' WHERE aggregate_id = 'C1'", "event 5 was the newest"),
        (UNLINKED.format("C1", 6), "event 6 was written without a link"),
        (UNLINKED.format("C9", 1), "event 1 was written without a link"),
    ],
)
async def test_a_change_is_named(
    databases: TestDatabases, url: str, change: str, said: str
) -> None:
    await databases.tamper(url, change.replace("THIRD", THIRD))
    found = [str(one) for one in (await checked(url)).breaks]
    assert found
    assert said in found[0]


async def test_an_event_with_its_payload_hash_rewritten_is_named(
    databases: TestDatabases, url: str
) -> None:
    await databases.tamper(
        url,
        "UPDATE outbox SET payload = '{}', payload_hash = sha256('{}')"
        " WHERE aggregate_id = 'C2' AND sequence = 2",
    )
    assert [str(one) for one in (await checked(url)).breaks] == [
        "contract/C2: event 2 is not what was written"
    ]


async def test_an_erasure_is_counted_and_no_break(url: str, databases: TestDatabases) -> None:
    database = Database(url)
    words = CustomerTracesErased(dealer_id="D01", contract_no="C3", words=["豊田 花子"])
    async with database.transaction(EVERY_DEALER) as tx:
        await outbox.add(tx, words, now=NOW)
        await outbox.add(tx, words, now=NOW)
    await databases.tamper(url, "DELETE FROM outbox_queue")
    async with database.transaction(EVERY_DEALER) as tx:
        await erase_from_log(tx, words.aggregate_type, [words.aggregate_id])
    await database.close()
    found = await checked(url)
    assert (found.erased, found.breaks) == (2, [])
    forged = 'UPDATE outbox SET payload = \'{"words": ["豊田 太郎"]}\' WHERE sequence = 2'
    await databases.tamper(url, f"{forged} AND aggregate_type = '{words.aggregate_type}'")
    assert [one.sequence for one in (await checked(url)).breaks] == [2]


async def test_the_head_tells_of_every_event(url: str) -> None:
    before = (await checked(url)).head
    assert (await checked(url)).head == before
    database = Database(url)
    async with database.transaction(EVERY_DEALER) as tx:
        await outbox.add(tx, note("C2", 6), now=NOW)
    await database.close()
    assert (await checked(url)).head != before


async def test_a_log_of_before_the_chain_is_continued_by_it(
    databases: TestDatabases, new_database: NewDatabase
) -> None:
    url = await new_database("shared")
    await databases.tamper(
        url,
        UNLINKED.format("C1", 1) + "; INSERT INTO outbox_stream VALUES ('contract', 'C1', 1)",
    )
    database = Database(url)
    async with database.transaction(EVERY_DEALER) as tx:
        await outbox.add(tx, note("C1", 2), now=NOW)
    await database.close()
    found = await checked(url)
    assert (found.events, found.linked, found.breaks) == (2, 1, [])


async def test_events_behind_dropped_months_are_sound(databases: TestDatabases, url: str) -> None:
    await databases.tamper(url, "DELETE FROM outbox WHERE sequence < 4")
    assert (await checked(url)).breaks == []
