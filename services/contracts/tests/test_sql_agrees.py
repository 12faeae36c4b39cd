"""SQL conditions agree with the rules: columns and bounds give the same decision per contract."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import Row, text

from contracts_service.colour_conditions import COLOUR, URGENCY, colour_values
from contracts_service.customer_list import find_all, listed, search_condition, visible_to
from contracts_service.rules.contract_access import Viewer
from contracts_service.rules.inspection import (
    Inspection,
    next_inspection_month,
    registered_for_next_inspection,
)
from contracts_service.rules.row_colour import Colour, RowFacts, row_colour
from contracts_service.rules.search_conditions import (
    GeneralSearch,
    InspectionSearch,
    StatusCondition,
    read_search,
)
from contracts_service.rules.selection import Selection
from shared.db import EVERY_DEALER
from shared.roles import Role

from .conftest import ContractsApi
from .rules.oracles import months_until, on_list

HQ = Viewer(role=Role.HQ, dealer_code="D01")
MONTH_ENDS = (date(2025, 2, 28), date(2024, 2, 29), date(2025, 4, 30), date(2025, 8, 31))
DAYS = [
    *(end + timedelta(days=n) for end in MONTH_ENDS for n in (-1, 0, 1)),
    *(date(2025, 7, 15) + timedelta(days=n) for n in (0, 1, 30, 61, 92)),
]
SCATTER = """
    UPDATE contract SET completion_basis = t.basis,
        completed_on = CASE WHEN t.basis IS NOT NULL THEN final_on END,
        selection = t.selection, transferred_in_on = t.moved_on
    FROM unnest(CAST(:numbers AS text[]), CAST(:bases AS text[]), CAST(:selections AS text[]),
                CAST(:moved AS date[])) AS t (number, basis, selection, moved_on)
    WHERE contract_no = t.number
"""


@dataclass(frozen=True)
class Stock:
    """Contracts of every kind, read back from the database."""

    contracts_api: ContractsApi
    rows: list[Row[Any]]


@pytest.fixture
async def stock(contracts_api: ContractsApi) -> Stock:
    """Four hundred contracts around the days of the tests, including month ends."""
    chance = Random(20250715)
    lines, numbers = [], [f"C{n:03}" for n in range(400)]
    for number in numbers:
        final_on = chance.choice(DAYS) + timedelta(
            days=chance.choice([0, 59, 60, 61, 62, 120, 121, 122, 123, chance.randint(-300, 300)])
        )
        registered = date(2015 + chance.randint(0, 9), chance.randint(1, 12), 1)
        lines.append(
            {
                "契約番号": number,
                "最終回年月日": f"{final_on:%Y/%m/%d}",
                "初度登録年月日": f"{registered:%Y/%m}",
                "TFC対応": chance.choice("0001"),
            }
        )
    await contracts_api.import_contracts_file(*lines)
    async with contracts_api.database.transaction(EVERY_DEALER) as tx:
        values = {
            "numbers": numbers,
            "bases": [chance.choice([None, None, "tfc", "payoff"]) for _ in numbers],
            "selections": [
                chance.choice([None, *(choice.value for choice in Selection)]) for _ in numbers
            ],
            "moved": [chance.choice([None, None, chance.choice(DAYS)]) for _ in numbers],
        }
        await tx.execute(text(SCATTER), values)
        rows = (await tx.execute(text("SELECT * FROM contract"))).all()
    return Stock(contracts_api, list(rows))


def facts(row: Row[Any]) -> RowFacts:
    return RowFacts(
        final_on=row.final_on,
        completed=row.completion_basis is not None,
        tfc_handled=row.tfc_handled,
        transferred_in_on=row.transferred_in_on,
    )


@pytest.mark.rule("D36", "D37", "D38", "D39", "D40", "D41", "D42", "D43", "D44")
@pytest.mark.parametrize("green_days", [None, 30])
async def test_colours(stock: Stock, green_days: int | None) -> None:
    statement = text(f"SELECT contract_no, {COLOUR} AS colour, {URGENCY} AS urgency FROM contract")
    seen = set()
    async with stock.contracts_api.database.transaction(EVERY_DEALER) as tx:
        for today in DAYS:
            values: dict[str, Any] = colour_values(today, green_days=green_days)
            found = await tx.execute(statement, values)
            by_sql = {row.contract_no: (row.colour, row.urgency) for row in found}
            for row in stock.rows:
                ruled = row_colour(facts(row), today=today, green_days=green_days)
                expected = (ruled.colour.value, ruled.urgency.value)
                assert by_sql[row.contract_no] == expected, (today, row)
                seen.add(ruled.colour)
    assert len(seen) == 6


async def numbers(stock: Stock, search: Any, today: date) -> set[str]:
    condition = listed(visible_to(HQ, today=today), today=today, months=3)
    asked = search_condition(condition, search, today=today)
    async with stock.contracts_api.database.transaction("D01") as tx:
        return {row.contract_no async for row in find_all(tx, asked)}


def listed_rows(stock: Stock, today: date) -> list[Row[Any]]:
    return [
        row
        for row in stock.rows
        if on_list(row.final_on, completed=row.completion_basis is not None, today=today)
    ]


@pytest.mark.rule("D5")
async def test_what_is_on_the_list(stock: Stock) -> None:
    for today in DAYS:
        everything = GeneralSearch(final_from=date.min)
        expected = {row.contract_no for row in listed_rows(stock, today)}
        assert await numbers(stock, everything, today) == expected


@pytest.mark.rule("D13", "D15")
@pytest.mark.parametrize("inspection", list(Inspection))
async def test_months_before_an_inspection(stock: Stock, inspection: Inspection) -> None:
    hits = 0
    for today in DAYS[::3]:
        for months in range(0, inspection.furthest_months_before + 1, 5):
            fields = {"inspection_type": inspection.value, "months_from": str(months)}
            search = read_search("inspection", fields, today=today, product_codes=())
            assert isinstance(search, InspectionSearch)
            expected = {
                row.contract_no
                for row in listed_rows(stock, today)
                if months_until(row.first_registered_month, inspection, today=today) == months
            }
            assert await numbers(stock, search, today) == expected
            hits += len(expected)
    assert hits > 50


@pytest.mark.rule("D11")
@pytest.mark.parametrize("status", list(StatusCondition))
async def test_statuses(stock: Stock, status: StatusCondition) -> None:
    today = DAYS[-1]
    expected = {
        row.contract_no
        for row in listed_rows(stock, today)
        if status.value
        in {row.selection or "blank", "open" if row.completion_basis is None else "completed"}
    }
    assert await numbers(stock, GeneralSearch(status=status), today) == expected != set()


@pytest.mark.rule("D36")
@pytest.mark.parametrize("colour", list(Colour))
async def test_the_list_of_one_colour(stock: Stock, colour: Colour) -> None:
    hits = 0
    for today in DAYS:
        expected = {
            row.contract_no
            for row in listed_rows(stock, today)
            if row_colour(facts(row), today=today).colour is colour
        }
        assert await numbers(stock, GeneralSearch(colour=colour), today) == expected
        hits += len(expected)
    assert hits > 10


@pytest.mark.rule("D33", "D132")
async def test_the_month_of_the_next_inspection(stock: Stock) -> None:
    today = DAYS[-1]
    for month in {
        next_inspection_month(row.first_registered_month, today=today) for row in stock.rows
    }:
        registered = registered_for_next_inspection(month, today=today, oldest=date(1950, 1, 1))
        for row in stock.rows:
            expected = next_inspection_month(row.first_registered_month, today=today) == month
            assert (row.first_registered_month in registered) is expected
