"""A search by the index of grams finds what reading every contract finds, and no other dealer's."""

from random import Random

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from contracts_service.customer_list import (
    Condition,
    count,
    find,
    find_all,
    listed,
    search_condition,
    seek,
    visible_to,
)
from contracts_service.rules.contract_access import Viewer
from contracts_service.rules.search_conditions import IndividualSearch
from contracts_service.rules.search_text import folded_name, folded_registration, grams
from shared.db import EVERY_DEALER
from shared.roles import Role

from .conftest import TODAY, ContractsApi

NAMES = (
    *("髙﨑 一郎", "高崎 一郎", "齋藤 花", "斎藤　花", "㈲岡本商店", "(有)岡本商店", "（株）港"),
    *(
        "ﾔﾏﾓﾄ 商会",
        "やまもと",
        "100%_引 商店",
        "a_b 商会",
        "東",
        "東京",
        "京東",
        "田田田",
        "霞ヶ関",
    ),
    *("𠮷野 太郎", "O'Brien", "¥円", "a:b", "D02:山", "山本 太郎", "本山 太"),
)
PLATES = ("品川 300 あ 1234", "品川 500 い 12-3", "横浜 330 さ 1111", "名古屋 301 を 1")
KANA = ("ヤマモト タロウ", "ヤマ", "タロウ ヤマモト", "")
READ_ALL = text("""
    SELECT contract_no FROM contract
    WHERE dealer_id = :dealer AND (CAST(:store AS text) IS NULL OR store_code = :store)
      AND strpos(customer_folded, :name) > 0 AND strpos(registration_folded, :plate) > 0
    ORDER BY final_on, contract_no
""")
HQ = Viewer(role=Role.HQ, dealer_code="D01")
STORE = Viewer(role=Role.SALES, dealer_code="D01", store_code="S10")


@pytest.fixture
async def stock(contracts_api: ContractsApi) -> ContractsApi:
    """Contracts of two dealers under every odd name."""
    chance = Random(7)
    lines = [
        {
            "契約番号": f"C{number:03}",
            "販売店コード": chance.choice(("D01", "D01", "D02")),
            "最終回年月日": f"2026/{chance.randint(1, 12):02}/01",
            "契約者名": NAMES[number % len(NAMES)],
            "契約者名カナ": chance.choice(KANA),
            "登録番号": chance.choice(PLATES),
            **chance.choice(
                (
                    {"店舗コード": "S10", "スタッフコード": "E101"},
                    {"店舗コード": "S20", "スタッフコード": "E201"},
                )
            ),
        }
        for number in range(330)
    ]
    report = await contracts_api.import_contracts_file(*lines)
    assert not report.refused
    return contracts_api


def parts_of(chance: Random, texts: tuple[str, ...]) -> str:
    """Some neighbouring characters of a text, or a text that is none of them."""
    if chance.random() < 0.15:
        return chance.choice(("該当無し", "%", "_", "\\", "'", "一", ":", "D01:山", "D01"))
    whole = chance.choice([one for one in texts if one])
    start = chance.randrange(len(whole))
    return whole[start : start + chance.randint(1, len(whole))]


def condition_of(viewer: Viewer, name: str, plate: str) -> Condition:
    seen = listed(visible_to(viewer, today=TODAY), today=TODAY, months=3)
    search = IndividualSearch(customer_name=name or None, registration_no=plate or None)
    return search_condition(seen, search, today=TODAY)


@pytest.mark.rule("D7")
async def test_the_index_finds_what_reading_everything_finds(stock: ContractsApi) -> None:
    chance, hits, more_than_shown = Random(20261130), 0, 0
    for _ in range(250):
        name = folded_name(parts_of(chance, (*NAMES, *KANA))) if chance.random() < 0.8 else ""
        plate = folded_registration(parts_of(chance, PLATES)) if chance.random() < 0.5 else ""
        if not name and not plate:
            continue
        viewer = chance.choice((HQ, STORE))
        condition = condition_of(viewer, name, plate)
        assert condition.sought
        async with stock.database.transaction("D01") as tx:
            expected = list(
                await tx.scalars(
                    READ_ALL,
                    {"dealer": "D01", "store": viewer.store_code, "name": name, "plate": plate},
                )
            )
            found = await find(tx, condition)
            every = [row.contract_no async for row in find_all(tx, condition)]
            counted = await count(tx, condition)
        assert [row.contract_no for row in found.rows] == expected[:100], (name, plate)
        assert (found.total, counted, every) == (len(expected), len(expected), expected)
        hits += bool(expected)
        more_than_shown += len(expected) > 100
    assert hits > 100
    assert more_than_shown > 5


@pytest.mark.rule("D7", "D17")
@pytest.mark.parametrize("sort", ["", "staff_code", "-staff_code"])
async def test_first_hits_in_every_order(stock: ContractsApi, sort: str) -> None:
    condition = condition_of(HQ, "ヤマ", "")
    async with stock.database.transaction("D01") as tx:
        every = [row.contract_no async for row in find_all(tx, condition, sort=sort)]
        found = await find(tx, condition, sort=sort, at_most=20)
    assert [row.contract_no for row in found.rows] == every[:20]
    assert found.total == len(every) > 20


@pytest.mark.rule("D2")
@pytest.mark.parametrize("dealer", ["D01", "D02", "D03", EVERY_DEALER, None])
@pytest.mark.parametrize("sought", ["山", "D02:山", "山\nD02:山本", ""])
async def test_the_wall_of_the_search_shows_one_dealer(
    stock: ContractsApi, dealer: str | None, sought: str
) -> None:
    async with stock.database.transaction(dealer) as tx:
        await tx.execute(text("SELECT set_config('app.sought', :sought, true)"), {"sought": sought})
        rows = (await tx.execute(text("SELECT dealer_id FROM contract_search"))).all()
    assert {row.dealer_id for row in rows} <= {dealer}
    assert bool(rows) == (sought == "山" and dealer in {"D01", "D02"})


@pytest.mark.rule("D2")
async def test_nothing_sought_is_nothing_seen_and_nothing_is_written(stock: ContractsApi) -> None:
    async with stock.database.transaction("D01") as tx:
        assert (await tx.execute(text("SELECT contract_no FROM contract_search"))).all() == []
        await seek(tx, Condition(sought={"山"}))
        for change in ("UPDATE contract_search SET version = 9", "DELETE FROM contract_search"):
            assert (await tx.execute(text(f"{change} RETURNING contract_no"))).all() == []
    async with stock.database.transaction("D01") as tx:
        assert await tx.scalar(text("SELECT max(version) FROM contract")) == 1
    with pytest.raises(ProgrammingError, match="row-level security"):
        async with stock.database.transaction("D01") as tx:
            await tx.execute(
                text("""
                    INSERT INTO contract_search (contract_no, dealer_id, version, product_code,
                        final_on, model, registration_no, registration_folded,
                        first_registered_month, customer_name, customer_folded, store_code,
                        tfc_handled)
                    VALUES ('X', 'D01', 1, '', now(), '', '', '', now(), '', '', '', false)
                """)
            )


async def test_a_search_reads_the_index_of_grams(stock: ContractsApi) -> None:
    """Row-level security keeps operators that are not leakproof from an index; here it may not."""
    connection = await asyncpg.connect(stock.database.url)
    try:
        async with connection.transaction():
            await connection.execute("SET LOCAL app.dealer = 'D01'; SET LOCAL app.sought = '山本'")
            await connection.execute("SET LOCAL enable_seqscan = off")
            plan = await connection.fetch(
                "EXPLAIN SELECT FROM contract_search WHERE strpos(customer_folded, '山本') > 0"
            )
    finally:
        await connection.close()
    assert any("Bitmap Index Scan on contract_by_gram" in row[0] for row in plan), plan


@pytest.mark.parametrize(
    ("folded", "expected"),
    [
        ("山", ["山"]),
        ("山本", ["山本"]),
        ("山本太", ["山本", "本太"]),
        ("田田田", ["田田"]),
        ("𠮷野", ["𠮷野"]),
    ],
)
async def test_grams_are_those_of_the_database(
    contracts_api: ContractsApi, folded: str, expected: list[str]
) -> None:
    assert grams(folded) == expected
    async with contracts_api.database.transaction() as tx:
        stored = await tx.scalar(
            text("SELECT contract_grams('D01', :folded, '')"), {"folded": f"{folded}\n"}
        )
    assert {f"D01:{gram}" for gram in expected} | {f"D01:{sign}" for sign in folded} == set(stored)
