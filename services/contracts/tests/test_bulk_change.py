"""店舗・スタッフ一括変更 over HTTP: search, rows with a result each, all or nothing."""

from datetime import date
from typing import Any

import pytest

from event_contracts.contract import AssignmentChangeRegistered

from .conftest import Office
from .test_assignment_change import code_of


async def search(office: Office, code: str = "M100", **query: str) -> list[str]:
    answer = await office.get(code, "/assignment-changes/search", params=query)
    assert answer.status_code == 200, answer.text
    return [row["contract_no"] for row in answer.json()["rows"]]


@pytest.mark.rule("D131")
async def test_bulk_is_for_managers_and_headquarters(office: Office) -> None:
    query = {"from_staff": "E101"}
    answer = await office.get("E101", "/assignment-changes/search", params=query)
    assert answer.status_code == 403
    answer = await office.ask("E101", "POST", "/assignment-changes", json={"rows": []})
    assert answer.status_code == 403


@pytest.mark.rule("D132", "D133")
async def test_bulk_search_by_each_key(office: Office) -> None:
    await office.contract("C1", 登録番号="品川 300 あ 1111", 初度登録年月日="2022/07")
    await office.contract(
        "C2", 契約者名="鈴木 一", 契約者名カナ="スズキ", スタッフコード="E102", 車種コード="AQUA"
    )
    await office.contract("C3", 店舗コード="S20", スタッフコード="E201")
    assert await search(office, customer_name="鈴木") == ["C2"]
    assert await search(office, inspection_month="2025-07") == ["C1"]
    assert await search(office, registration_no="1111") == ["C1"]
    assert await search(office, model_code="AQUA") == ["C2"]
    assert await search(office, from_staff="E102") == ["C2"]
    assert await search(office, "H001", from_store="S10") == ["C1", "C2"]
    assert await search(office, "H001", from_store="S10", model_code="AQUA") == ["C2"]
    assert await search(office, "M100", from_store="S20") == []
    empty = await office.get("M100", "/assignment-changes/search")
    assert (empty.status_code, code_of(empty)) == (422, "CONDITION_MISSING")


@pytest.mark.rule("D134")
async def test_bulk_search_shows_a_hundred_without_csv_advice(office: Office) -> None:
    await office.take_in(*({"契約番号": f"C{n}"} for n in range(101)))
    answer = await office.get("M100", "/assignment-changes/search", params={"from_staff": "E101"})
    found = answer.json()
    assert (len(found["rows"]), found["total"], found["csv_offered"]) == (100, 101, False)
    assert "再検索" in found["advice"]
    assert "csv" not in found["advice"]


async def bulk(office: Office, *rows: dict[str, Any], **more: object) -> Any:
    return await office.ask("M100", "POST", "/assignment-changes", json={"rows": rows, **more})


@pytest.mark.rule("D124", "D129", "D130", "D137", "D140")
async def test_bulk_registers_what_it_can_and_says_why_not(office: Office) -> None:
    for number in ("C1", "C2", "C3", "C4"):
        await office.contract(number)
    await office.contract("C5", 制度="スマートバリュープランA")
    await office.contract("C6", 店舗コード="S20", スタッフコード="E201")
    office.clock.set(date(2025, 7, 14))
    await office.change("M100", "POST", "/contracts/C4/assignment-change", {"to_staff": "E102"})
    office.clock.set(date(2025, 7, 15))
    answer = await bulk(
        office,
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
    assert (await office.row("C1"))["change_status"] == "変更中"
    assert (await office.row("C2"))["change_status"] == ""


@pytest.mark.rule("D137")
async def test_all_or_nothing_on_request(office: Office) -> None:
    await office.contract("C1")
    await office.contract("C2")
    good, bad = {"contract_no": "C1", "to_store": "S20"}, {"contract_no": "C2", "to_store": "S90"}
    result = (await bulk(office, good, bad, all_or_nothing=True)).json()
    assert (result["accepted"], result["refused"]) == (0, 1)
    assert await office.events(AssignmentChangeRegistered) == []


@pytest.mark.rule("D135")
async def test_a_row_has_to_be_checked(office: Office) -> None:
    answer = await bulk(office)
    assert (answer.status_code, code_of(answer)) == (422, "NO_ROW_CHECKED")


async def test_a_row_that_somebody_changed_is_left_alone(office: Office) -> None:
    await office.contract("C1")
    stale = {"contract_no": "C1", "to_store": "S20", "version": 7}
    (row,) = (await bulk(office, stale)).json()["rows"]
    assert row["problem"]["code"] == "VERSION_CONFLICT"
    twice = await bulk(office, stale, stale)
    assert (twice.status_code, code_of(twice)) == (422, "ROW_TWICE")


@pytest.mark.rule("D140", "D143")
async def test_bulk_again_on_the_same_day_replaces(office: Office) -> None:
    await office.contract("C1")
    await office.contract("C2")
    await bulk(office, *({"contract_no": n, "to_store": "S20"} for n in ("C1", "C2")))
    again = await bulk(office, *({"contract_no": n, "to_store": "S30"} for n in ("C1", "C2")))
    assert {row["outcome"] for row in again.json()["rows"]} == {"replaced"}
    assert (await office.detail("C1"))["pending_change"]["to_store"] == "S30"
