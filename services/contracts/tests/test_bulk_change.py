"""Bulk change (店舗・スタッフ一括変更) over HTTP: search, a result per row, all or nothing."""

from datetime import date, timedelta
from typing import Any

import pytest

from contracts_service.rules.search_limit import ROWS_AT_ONCE
from event_contracts.contract import AssignmentChangeRegistered

from .conftest import ContractsApi
from .test_assignment_change import code_of


async def search(contracts_api: ContractsApi, code: str = "M100", **query: str) -> list[str]:
    answer = await contracts_api.get(code, "/assignment-changes/search", params=query)
    assert answer.status_code == 200, answer.text
    return [row["contract_no"] for row in answer.json()["rows"]]


@pytest.mark.rule("D131")
async def test_bulk_is_for_managers_and_headquarters(contracts_api: ContractsApi) -> None:
    query = {"from_staff": "E101"}
    answer = await contracts_api.get("E101", "/assignment-changes/search", params=query)
    assert answer.status_code == 403
    answer = await contracts_api.request("E101", "POST", "/assignment-changes", json={"rows": []})
    assert answer.status_code == 403


@pytest.mark.rule("D132", "D133")
async def test_bulk_search_by_each_key(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1", 登録番号="品川 300 あ 1111", 初度登録年月日="2022/07")
    await contracts_api.contract(
        "C2", 契約者名="鈴木 一", 契約者名カナ="スズキ", スタッフコード="E102", 車種コード="AQUA"
    )
    await contracts_api.contract("C3", 店舗コード="S20", スタッフコード="E201")
    assert await search(contracts_api, customer_name="鈴木") == ["C2"]
    assert await search(contracts_api, inspection_month="2025-07") == ["C1"]
    assert await search(contracts_api, registration_no="1111") == ["C1"]
    assert await search(contracts_api, model_code="AQUA") == ["C2"]
    assert await search(contracts_api, from_staff="E102") == ["C2"]
    assert await search(contracts_api, "H001", from_store="S10") == ["C1", "C2"]
    assert await search(contracts_api, "H001", from_store="S10", model_code="AQUA") == ["C2"]
    assert await search(contracts_api, "M100", from_store="S20") == []
    empty = await contracts_api.get("M100", "/assignment-changes/search")
    assert (empty.status_code, code_of(empty)) == (422, "CONDITION_MISSING")


@pytest.mark.rule("D134")
async def test_bulk_search_shows_a_hundred_without_csv_advice(contracts_api: ContractsApi) -> None:
    await contracts_api.import_contracts_file(*({"契約番号": f"C{n}"} for n in range(101)))
    answer = await contracts_api.get(
        "M100", "/assignment-changes/search", params={"from_staff": "E101"}
    )
    found = answer.json()
    assert (len(found["rows"]), found["total"], found["csv_offered"]) == (100, 101, False)
    assert "再検索" in found["advice"]
    assert "csv" not in found["advice"]


@pytest.mark.rule("D134")
async def test_the_whole_result_on_request_up_to_its_limit(contracts_api: ContractsApi) -> None:
    await contracts_api.import_contracts_file(
        *({"契約番号": f"C{n:03}"} for n in range(ROWS_AT_ONCE + 1))
    )
    query = {"from_staff": "E101", "whole": "true"}
    found = (await contracts_api.get("M100", "/assignment-changes/search", params=query)).json()
    assert (len(found["rows"]), found["total"]) == (ROWS_AT_ONCE, ROWS_AT_ONCE + 1)
    assert "300件まで" in found["advice"]
    rows = [{"contract_no": row["contract_no"], "to_staff": "E102"} for row in found["rows"]]
    answer = await bulk(contracts_api, *rows)
    assert (answer.json()["accepted"], answer.json()["refused"]) == (ROWS_AT_ONCE, 0)
    too_many = await bulk(contracts_api, *rows, {"contract_no": "C300", "to_staff": "E102"})
    assert too_many.status_code == 422


async def bulk(contracts_api: ContractsApi, *rows: dict[str, Any], **more: object) -> Any:
    return await contracts_api.request(
        "M100", "POST", "/assignment-changes", json={"rows": rows, **more}
    )


@pytest.mark.rule("D124", "D129", "D130", "D137", "D140")
async def test_bulk_registers_valid_rows_and_explains_refusals(contracts_api: ContractsApi) -> None:
    for number in ("C1", "C2", "C3", "C4"):
        await contracts_api.contract(number)
    await contracts_api.contract("C5", 制度="スマートバリュープランA")
    await contracts_api.contract("C6", 店舗コード="S20", スタッフコード="E201")
    contracts_api.clock.set(date(2025, 7, 14))
    await contracts_api.change(
        "M100", "POST", "/contracts/C4/assignment-change", {"to_staff": "E102"}
    )
    contracts_api.clock.set(date(2025, 7, 15))
    answer = await bulk(
        contracts_api,
        {"contract_no": "C1", "to_store": "S20", "to_staff": "E201"},
        {"contract_no": "C2", "to_store": "S90"},
        {"contract_no": "C3", "to_store": "S20", "to_staff": "E101"},
        {"contract_no": "C4", "to_store": "S20"},
        {"contract_no": "C5", "to_store": "S20"},
        {"contract_no": "C6", "to_store": "S10"},
    )
    result = answer.json()
    assert (result["accepted"], result["refused"]) == (1, 5)
    problems = {row["contract_no"]: row.get("problem") for row in result["rows"]}
    assert problems["C1"] is None
    assert problems["C2"]["errors"][0]["code"] == "STORE_NOT_USABLE"
    assert problems["C3"]["errors"][0]["code"] == "STAFF_NOT_IN_STORE"
    assert problems["C4"]["code"] == "ASSIGNMENT_LOCKED"
    assert problems["C5"]["code"] == "PRODUCT_NOT_TRANSFERABLE"
    assert problems["C6"]["code"] == "CONTRACT_NOT_FOUND"
    assert (await contracts_api.row("C1"))["change_status"] == "変更中"
    assert (await contracts_api.row("C2"))["change_status"] == ""


@pytest.mark.rule("D137")
async def test_all_or_nothing_on_request(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    await contracts_api.contract("C2")
    good, bad = {"contract_no": "C1", "to_store": "S20"}, {"contract_no": "C2", "to_store": "S90"}
    result = (await bulk(contracts_api, good, bad, all_or_nothing=True)).json()
    assert (result["accepted"], result["refused"]) == (0, 1)
    assert await contracts_api.events(AssignmentChangeRegistered) == []


async def test_a_check_answers_as_the_change_and_registers_nothing(
    contracts_api: ContractsApi,
) -> None:
    await contracts_api.contract("C1")
    good = {"contract_no": "C1", "to_store": "S20", "to_staff": "E201"}
    bad = {"contract_no": "C1", "to_store": "S90", "to_staff": "E201"}
    path = "/assignment-changes/check"
    answer = await contracts_api.request("M100", "POST", path, json={"rows": [good]})
    assert (answer.json()["accepted"], answer.json()["refused"]) == (1, 0)
    answer = await contracts_api.request("M100", "POST", path, json={"rows": [bad]})
    (row,) = answer.json()["rows"]
    fields = [error["field"] for error in row["problem"]["errors"]]
    assert fields == ["to_store", "to_staff"]  # not one after the other
    one = {key: value for key, value in good.items() if key != "contract_no"}
    single = "/contracts/C1/assignment-change/check"
    checked = await contracts_api.change("M100", "POST", single, one)
    assert checked.json()["outcome"] == "registered"
    assert await contracts_api.events(AssignmentChangeRegistered) == []
    assert (await contracts_api.row("C1"))["change_status"] == ""


async def test_a_row_that_cannot_be_chosen_says_why(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    await contracts_api.contract("C2")
    await bulk(contracts_api, {"contract_no": "C1", "to_staff": "E102"})
    query = {"from_store": "S10"}
    path = "/assignment-changes/search"
    rows = (await contracts_api.get("M100", path, params=query)).json()["rows"]
    assert [row["not_possible"] for row in rows] == [None, None]  # today it may be changed again
    contracts_api.clock.set(contracts_api.clock.now().date() + timedelta(days=1))
    rows = (await contracts_api.get("M100", path, params=query)).json()["rows"]
    reasons = {row["contract_no"]: row["not_possible"] for row in rows}
    assert reasons == {"C1": "変更中のため、反映が完了するまで再変更できません", "C2": None}


@pytest.mark.rule("D135")
async def test_a_row_has_to_be_checked(contracts_api: ContractsApi) -> None:
    answer = await bulk(contracts_api)
    assert (answer.status_code, code_of(answer)) == (422, "NO_ROW_CHECKED")


async def test_a_concurrently_changed_row_is_refused(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    stale = {"contract_no": "C1", "to_store": "S20", "version": 7}
    (row,) = (await bulk(contracts_api, stale)).json()["rows"]
    assert row["problem"]["code"] == "VERSION_CONFLICT"
    twice = await bulk(contracts_api, stale, stale)
    assert (twice.status_code, code_of(twice)) == (422, "ROW_TWICE")


@pytest.mark.rule("D140", "D143")
async def test_bulk_again_on_the_same_day_replaces(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    await contracts_api.contract("C2")
    await bulk(contracts_api, *({"contract_no": n, "to_store": "S20"} for n in ("C1", "C2")))
    again = await bulk(
        contracts_api, *({"contract_no": n, "to_store": "S30"} for n in ("C1", "C2"))
    )
    assert {row["outcome"] for row in again.json()["rows"]} == {"replaced"}
    assert (await contracts_api.detail("C1"))["pending_change"]["to_store"] == "S30"
