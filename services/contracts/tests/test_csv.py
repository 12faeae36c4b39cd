"""CSV export of the customer list."""

import csv
import io
from datetime import timedelta

import pytest
from openpyxl import load_workbook
from sqlalchemy import text

from contracts_service.rules.search_limit import ROWS_IN_EXCEL
from event_contracts.contract import CustomerListExported
from shared.db import EVERY_DEALER

from .conftest import TODAY, ContractsApi

COLUMNS = """
    SELECT column_name FROM information_schema.columns
    WHERE table_name = 'contract' AND column_name <> 'contract_no' AND is_generated = 'NEVER'
"""
COPIES = """
    INSERT INTO contract (contract_no, {columns})
    SELECT 'X' || n, {columns} FROM contract, generate_series(1, :number) n
    WHERE contract_no = 'C1'
"""
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


@pytest.mark.rule("D19")
async def test_the_excel_file_has_days_as_days_and_numbers_as_text(
    contracts_api: ContractsApi,
) -> None:
    await contracts_api.contract("230010000502", 契約者名="=1+1", 最終回年月日="2026/12/20")
    answer = await contracts_api.get("H001", "/contracts.xlsx", params=ALL)
    named = "filename*=UTF-8''%E9%A1%A7%E5%AE%A2%E3%83%AA%E3%82%B9%E3%83%88_20250715.xlsx"
    assert named in answer.headers["content-disposition"]
    sheet = load_workbook(io.BytesIO(answer.content))["顧客リスト"]
    heading, row = sheet.iter_rows(values_only=True)
    assert (len(heading), heading[10]) == (14, "契約番号")
    assert [str(day) for day in row[:2]] == ["2026-12-20 00:00:00", "2026-10-20 00:00:00"]
    assert (row[5], row[6], row[10]) == ("=1+1", "2025年12月", "230010000502")
    assert {sheet["F2"].data_type, sheet["K2"].data_type} == {"s"}
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:N2")
    (published,) = await contracts_api.events(CustomerListExported)
    assert published.rows == 1  # type: ignore[attr-defined]


@pytest.mark.rule("D19")
async def test_the_excel_file_takes_a_limited_number_of_rows(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    async with contracts_api.database.transaction(EVERY_DEALER) as tx:
        names = await tx.scalars(text(COLUMNS))
        columns = ", ".join(f'"{name}"' for name in names)
        values = {"number": ROWS_IN_EXCEL}
        await tx.execute(text(COPIES.format(columns=columns)), values)
    answer = await contracts_api.get("H001", "/contracts.xlsx", params=ALL)
    assert (answer.status_code, answer.json()["code"]) == (422, "TOO_MANY_FOR_EXCEL")
    assert await contracts_api.events(CustomerListExported) == []


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
