"""Work counts of contracts: each person's own number equals the list behind it."""

from datetime import date

import pytest

from .conftest import ContractsApi

NEAR, COMING, FAR = "2025/08/31", "2025/10/31", "2026/03/31"


@pytest.fixture
async def stock(contracts_api: ContractsApi) -> ContractsApi:
    """On 2025-07-15: red until 09-14, yellow until 11-14."""
    await contracts_api.import_contracts_file(
        {"契約番号": "R1", "最終回年月日": NEAR},
        {"契約番号": "R2", "最終回年月日": NEAR, "スタッフコード": "E102"},
        {"契約番号": "R3", "最終回年月日": NEAR, "店舗コード": "S20", "スタッフコード": "E201"},
        {"契約番号": "Y1", "最終回年月日": COMING},
        {"契約番号": "Y2", "最終回年月日": COMING},
        {"契約番号": "W1", "最終回年月日": FAR},
        {"契約番号": "G1", "最終回年月日": "2025/07/14"},
        {"契約番号": "B1", "最終回年月日": NEAR, "TFC対応": "1"},
        {"契約番号": "X1", "最終回年月日": NEAR, "販売店コード": "D02"},
    )
    return contracts_api


async def counts(contracts_api: ContractsApi, code: str, dealer: str = "D01") -> dict[str, int]:
    """The counts of a person, each checked against the list behind it."""
    answer = await contracts_api.request(code, "GET", "/work", dealer=dealer)
    assert answer.status_code == 200, answer.text
    for count in answer.json()["counts"]:
        found = await contracts_api.request(
            code, "GET", "/contracts", dealer=dealer, params=count["filter"]
        )
        rows = found.json()["rows"]
        assert (len(rows), found.json()["total"]) == (count["count"], count["count"]), count
        assert {row["colour"]["colour"] for row in rows} <= {count["key"]}
    return {count["key"]: count["count"] for count in answer.json()["counts"]}


async def test_each_sees_their_own(stock: ContractsApi) -> None:
    assert await counts(stock, "E101") == {"red": 1, "yellow": 2}
    assert await counts(stock, "E102") == {"red": 1, "yellow": 0}
    assert await counts(stock, "M100") == {"red": 2, "yellow": 2}
    assert await counts(stock, "M200") == {"red": 1, "yellow": 0}
    assert await counts(stock, "H001") == {"red": 3, "yellow": 2}
    assert await counts(stock, "H001", dealer="D02") == {"red": 1, "yellow": 0}


@pytest.mark.parametrize(
    ("today", "red", "yellow"),
    [
        (date(2025, 6, 30), 1, 2),
        (date(2025, 7, 1), 3, 2),
        (date(2025, 8, 31), 2, 2),
        (date(2025, 9, 1), 2, 0),
    ],
)
async def test_numbers_move_with_the_day(
    stock: ContractsApi, today: date, red: int, yellow: int
) -> None:
    stock.clock.set(today)
    assert await counts(stock, "M100") == {"red": red, "yellow": yellow}


async def test_completed_contracts_are_not_counted(stock: ContractsApi) -> None:
    fields = {
        "categories": ["cash_settlement"],
        "own_replacement": False,
        "confirmation_received": True,
    }
    answer = await stock.change("E101", "POST", "/contracts/R1/result", fields)
    assert answer.status_code == 200
    assert await counts(stock, "E101") == {"red": 0, "yellow": 2}


@pytest.mark.parametrize(
    ("query", "code"),
    [({"colour": "pink"}, "COLOUR_UNKNOWN")],
)
async def test_an_unknown_colour(
    contracts_api: ContractsApi, query: dict[str, str], code: str
) -> None:
    answer = await contracts_api.get("H001", "/contracts", params={"mode": "general", **query})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code)


async def test_a_staff_code_is_found_in_any_width_and_case(stock: ContractsApi) -> None:
    assert await stock.search("H001", mode="general", staff_code="ｅ１０２") == ["R2"]
