"""CSV export of the customer list."""

import csv
import io
from datetime import timedelta

import pytest

from event_contracts.contract import CustomerListExported

from .conftest import TODAY, ContractsApi

ALL = {"mode": "general", "final_from": "2020-01"}


async def exported(contracts_api: ContractsApi, code: str, **query: str) -> list[list[str]]:
    answer = await contracts_api.get(code, "/contracts.csv", params={**ALL, **query})
    assert answer.status_code == 200
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


@pytest.mark.rule("D4")
async def test_managers_and_headquarters_only(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    await contracts_api.contract("C2", 店舗コード="S20", スタッフコード="E201")
    assert (await contracts_api.get("E101", "/contracts.csv", params=ALL)).status_code == 403
    assert [row[10] for row in (await exported(contracts_api, "M100"))[1:]] == ["C1"]
    assert [row[10] for row in (await exported(contracts_api, "H001"))[1:]] == ["C1", "C2"]


@pytest.mark.rule("D19")
async def test_every_hit_in_the_order_of_the_list(contracts_api: ContractsApi) -> None:
    days = [TODAY + timedelta(days=n) for n in range(1250)]
    await contracts_api.import_contracts_file(
        *({"契約番号": f"C{n}", "最終回年月日": f"{day:%Y/%m/%d}"} for n, day in enumerate(days))
    )
    heading, *rows = await exported(contracts_api, "H001")
    assert (len(heading), [row[10] for row in rows]) == (14, [f"C{n}" for n in range(1250)])
    (published,) = await contracts_api.events(CustomerListExported)
    assert published.rows == 1250  # type: ignore[attr-defined]


@pytest.mark.rule("D19")
async def test_formulas_are_escaped(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1", 契約者名="=1+1")
    assert (await exported(contracts_api, "H001"))[1][5] == "'=1+1"


@pytest.mark.rule("D19")
async def test_a_spreadsheet_keeps_numbers_and_months(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("230010000502")
    answer = await contracts_api.get("H001", "/contracts.csv", params=ALL)
    named = "filename*=UTF-8''%E9%A1%A7%E5%AE%A2%E3%83%AA%E3%82%B9%E3%83%88_20250715.csv"
    assert named in answer.headers["content-disposition"]
    row = (await exported(contracts_api, "H001"))[1]
    assert (row[6], row[10]) == ("2025年12月", '="230010000502"')


@pytest.mark.rule("D20")
async def test_the_replacement_is_in_the_list(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    fields = {"categories": ["early_payoff"], "own_replacement": True, "vehicle_code": "PRIUS"}
    await contracts_api.change("E101", "POST", "/contracts/C1/result", fields)
    row = (await exported(contracts_api, "H001"))[1]
    assert (row[2], row[3], row[11:]) == ("早期完済", "○", ["有", "プリウス", ""])
    other = {**fields, "vehicle_code": "OTHER", "other_text": "外車"}
    await contracts_api.change("E101", "POST", "/contracts/C1/result", other)
    assert (await exported(contracts_api, "H001"))[1][11:] == ["有", "その他/車種名等", "外車"]


async def test_a_bad_search_is_refused_before_anything_is_sent(contracts_api: ContractsApi) -> None:
    answer = await contracts_api.get("H001", "/contracts.csv", params={"mode": "general"})
    assert answer.status_code == 422
    assert await contracts_api.events(CustomerListExported) == []
