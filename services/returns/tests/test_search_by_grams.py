"""A search by name finds by the index of grams what reading every application finds (D98)."""

from random import Random
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from returns_service.actor import Person
from returns_service.progress_list_query import MOST_NAMED, Page, search
from returns_service.rules.progress_list import ProgressSearch, name_grams, name_key
from returns_service.rules.return_status import Tab
from returns_service.rules.return_visibility import Actor
from shared.db import EVERY_DEALER
from shared.roles import Role

from .conftest import ReturnsApi

NAMES = (
    *(
        "山本　太郎",
        "本山 太",
        "髙﨑 一郎",
        "高崎 一郎",
        "ﾔﾏﾓﾄ 商会",
        "ヤマ",
        "100%_引",
        "a_b",
        "東",
    ),
    *("東京", "京東", "田田田", "𠮷野 太郎", "O'Brien", "*:山", "D01:山", "佐藤　花"),
)
STATUSES = ("STORE_PENDING", "TFC_HOLD", "COMPLETED")
APPLICATION = """
    INSERT INTO application (application_id, dealer_id, store_code, contract_no, contract_key,
        customer_name, name_key, originator_id, originator_name, originator_role, levels, round,
        status, status_version, version, entered_at, submitted_at, requested_at, updated_at,
        completion_mail, kind, received_on, separate_procedure, dealer_note_version)
    VALUES (:id, :dealer, :store, :id, :id, :name, :key, 'D01-E1', '', 'sales', '{}', 1,
        CAST(:status AS text), 1, 1, now(), now(),
        CASE WHEN CAST(:status AS text) <> 'STORE_PENDING' THEN now() END,
        TIMESTAMPTZ '2025-07-01' + CAST(:n AS int) * INTERVAL '1 minute',
        false, 'RETURNED', '2025-07-01', false, 0)
"""
CHANGES = """
    INSERT INTO change_application (change_id, dealer_id, store_code, contract_no, contract_key,
        customer_name, name_key, kind, status, requested_at, updated_at)
    SELECT 'CH-' || n, :dealer, 'S10', 'K' || n, 'K' || n, :name, :key, 'OTHER', :status, now(),
           TIMESTAMPTZ '2025-06-01' + n * INTERVAL '1 minute'
    FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS n
"""
HQ = Person("本部", None, (Actor("D01-H1", Role.HQ, "D01", None),))
STORE = Person("店舗", None, (Actor("D01-M1", Role.MANAGER, "D01", "S10"),))
AT_TFC = Person("TFC", None, (Actor("TFC-1", Role.TFC, None, None),))
PEOPLE = {"hq": HQ, "store": STORE, "tfc": AT_TFC}


@pytest.fixture
async def stock(returns: ReturnsApi) -> ReturnsApi:
    """Applications of two dealers under every odd name."""
    chance = Random(98)
    new, changes = [], []
    for n in range(120):
        name, status = NAMES[n % len(NAMES)], chance.choice(STATUSES)
        where = {"dealer": chance.choice(("D01", "D02")), "key": name_key(name), "name": name}
        store = chance.choice(("S10", "S20"))
        new.append({"id": f"RA-{n:08}", "store": store, "status": status, "n": n, **where})
        changes.append({"status": status, "first": n, "last": n, **where})
    async with returns.database.transaction(EVERY_DEALER) as tx:
        await tx.execute(text(APPLICATION), new)
        await tx.execute(text(CHANGES), changes[::3])
    return returns


def expected_rows(person: Person, rows: list[Any], key: str) -> list[str]:
    """What an oracle finds that looks at each row."""
    actor = person.self_actor
    if actor.role is Role.TFC:
        seen = [row for row in rows if row.requested and row.id.startswith("RA-")]
    else:
        seen = [
            row for row in rows
            if row.dealer_id == "D01" and actor.store_code in {None, row.store_code}
        ]  # fmt: skip
    return [row.id for row in seen if key in row.name_key]


EVERY_ROW = """
    SELECT application_id AS id, dealer_id, store_code, name_key, updated_at,
           requested_at IS NOT NULL AS requested FROM application
    UNION ALL SELECT change_id, dealer_id, store_code, name_key, updated_at, true
    FROM change_application ORDER BY updated_at DESC, id DESC
"""


@pytest.mark.rule("D98")
@pytest.mark.parametrize("who", PEOPLE)
async def test_the_index_finds_what_reading_everything_finds(stock: ReturnsApi, who: str) -> None:
    chance, person, hits = Random(20261130), PEOPLE[who], 0
    rows = await stock.rows(EVERY_ROW)
    dealer = person.self_actor.dealer_code or EVERY_DEALER
    for _ in range(120):
        whole = chance.choice((*NAMES, "該当無し", "%", "_", "\\", "一"))
        start = chance.randrange(len(whole))
        typed = whole[start : start + chance.randint(1, len(whole))]
        if not name_key(typed):
            continue
        async with stock.database.transaction(dealer, plan_by_values=True) as tx:
            keys = ProgressSearch(customer_name=typed)
            found = [row.application_id for row in await search(tx, person, keys, None, Page(500))]
        assert found == expected_rows(person, rows, name_key(typed)), typed
        hits += bool(found)
    assert hits > 50


@pytest.mark.rule("D98")
async def test_a_common_name_is_read_along_the_list(stock: ReturnsApi) -> None:
    """More applications may have it than are looked up one by one: the same page all the same."""
    new = {"dealer": "D01", "name": "佐藤　多", "key": "佐藤多", "status": "COMPLETED"}
    async with stock.database.transaction("D01") as tx:
        await tx.execute(text(CHANGES), {"first": 1000, "last": 1000 + MOST_NAMED, **new})
    rows = await stock.rows(EVERY_ROW)
    for typed in ("佐藤", "藤", "佐藤多"):
        async with stock.database.transaction("D01", plan_by_values=True) as tx:
            keys = ProgressSearch(customer_name=typed)
            found = [row.application_id for row in await search(tx, HQ, keys, Tab.PAST, Page(60))]
        past = await stock.rows(
            "SELECT application_id AS id FROM application WHERE is_past"
            " UNION ALL SELECT change_id FROM change_application WHERE is_past"
        )
        wanted = expected_rows(HQ, rows, typed)
        assert found == [one for one in wanted if one in {row.id for row in past}][:60]
        assert len(found) == 60


@pytest.mark.parametrize("table", ["application_search", "change_application_search"])
async def test_the_wall_of_the_search(stock: ReturnsApi, table: str) -> None:
    """A dealer's own rows only; for TFC the applications that were sent to it."""
    of_tfc = {EVERY_DEALER} if table == "application_search" else set()
    for dealer in ("D01", "D02", "D03", EVERY_DEALER, None):
        for sought in ("山", "D02:山", "*:山", ""):
            async with stock.database.transaction(dealer) as tx:
                named = {"sought": sought}
                await tx.execute(text("SELECT set_config('app.sought', :sought, true)"), named)
                found = await tx.execute(text(f"SELECT dealer_id, requested_at FROM {table}"))
                rows = found.all()
            if dealer == EVERY_DEALER:
                assert all(row.requested_at for row in rows)
            else:
                assert {row.dealer_id for row in rows} <= {dealer}
            assert bool(rows) == (sought == "山" and dealer in {"D01", "D02"} | of_tfc)


async def test_names_are_looked_for_in_the_index_of_grams(stock: ReturnsApi) -> None:
    connection = await asyncpg.connect(stock.database.url)
    try:
        async with connection.transaction():
            await connection.execute("SET LOCAL app.dealer = 'D01'; SET LOCAL app.sought = '山本'")
            await connection.execute("SET LOCAL enable_seqscan = off")
            await connection.execute("SET LOCAL enable_indexscan = off")
            plan = await connection.fetch("EXPLAIN SELECT application_id FROM application_search")
    finally:
        await connection.close()
    assert any("Bitmap Index Scan on application_by_gram" in row[0] for row in plan), plan


@pytest.mark.parametrize(
    ("key", "grams"),
    [("山", ["山"]), ("山本太", ["山本", "本太"]), ("田田田", ["田田"]), ("𠮷野", ["𠮷野"])],
)
async def test_grams_are_those_of_the_database(
    returns: ReturnsApi, key: str, grams: list[str]
) -> None:
    assert name_grams(key) == grams
    [row] = await returns.rows("SELECT name_grams('D01', :key, true) AS stored", key=key)
    behind = {*grams, *key}
    assert {f"{of}:{gram}" for of in ("D01", "*") for gram in behind} == set(row.stored)
