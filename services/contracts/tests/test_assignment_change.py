"""店舗・スタッフ変更 over HTTP, by the clock, and by the finance company's word."""

from datetime import date
from typing import Any

import pytest

from contracts_service.conditions import ReflectedBy
from event_contracts import dealer, tfc
from event_contracts.contract import (
    AssignmentChangeCancelled,
    AssignmentChangeOverdue,
    AssignmentChangeReflected,
    AssignmentChangeRegistered,
)

from .conftest import Office, OpenOffice

PATH = "/contracts/C1/assignment-change"


async def change(office: Office, code: str = "M100", **typed: str) -> Any:
    return await office.change(code, "POST", PATH, typed)


def code_of(answer: Any) -> str:
    body = answer.json()
    return str(body["errors"][0]["code"] if "errors" in body else body["code"])


async def change_id(office: Office) -> str:
    return str((await office.detail("C1"))["pending_change"]["change_id"])


@pytest.mark.rule("D124")
@pytest.mark.parametrize(
    ("product", "status"), [("スマートバリュープランA", 409), ("スマートバリュープランR", 200)]
)
@pytest.mark.parametrize("typed", [{"to_store": "S20"}, {"to_staff": "E102"}])
async def test_lexus_products_move_elsewhere(
    office: Office, product: str, status: int, typed: dict[str, str]
) -> None:
    await office.contract("C1", 制度=product)
    answer = await change(office, **typed)
    assert answer.status_code == status
    if status == 409:
        assert answer.json()["title"].startswith("レクサス手続担当店移管制度より")


@pytest.mark.rule("D125")
async def test_managers_and_headquarters_only(office: Office) -> None:
    await office.contract("C1")
    assert (await change(office, "E101", to_staff="E102")).status_code == 403
    assert (await change(office, "M200", to_staff="E102")).status_code == 404
    assert (await change(office, "H001", to_staff="E102")).status_code == 200


@pytest.mark.rule("D126", "D129", "D130")
@pytest.mark.parametrize(
    ("typed", "outcome"),
    [
        ({"to_store": "S20"}, "registered"),
        ({"to_staff": "M100"}, "registered"),
        ({"to_store": "S20", "to_staff": "E201"}, "registered"),
        ({}, "DESTINATION_MISSING"),
        ({"to_store": "S10", "to_staff": "E101"}, "NOTHING_CHANGED"),
        ({"to_store": "S20", "to_staff": "E102"}, "STAFF_NOT_IN_STORE"),
        ({"to_store": "S90"}, "STORE_NOT_USABLE"),
    ],
)
async def test_where_a_contract_may_go(office: Office, typed: dict[str, str], outcome: str) -> None:
    await office.contract("C1")
    answer = await change(office, **typed)
    found = answer.json()["outcome"] if answer.status_code == 200 else code_of(answer)
    assert found == outcome


@pytest.mark.rule("D130")
async def test_an_unused_store_is_shown_and_cannot_be_chosen(office: Office) -> None:
    stores = {s["code"]: s["selectable"] for s in (await office.get("M100", "/stores")).json()}
    assert (stores["S20"], stores["S90"]) == (True, False)


@pytest.mark.rule("D138", "D141", "D142", "D144")
async def test_between_two_stores(open_office: OpenOffice) -> None:
    office = await open_office(reflected_by=ReflectedBy.SELF)
    await office.contract("C1")
    answer = (await change(office, to_store="S20")).json()
    assert (answer["reflect_earliest_on"], answer["reflect_latest_on"]) == (
        "2025-07-18",
        "2025-07-23",
    )
    assert (await office.row("C1", "E101"))["change_status"] == "変更中"
    assert (await office.detail("C1", "E101"))["store"]["code"] == "S10"
    gone = {"mode": "individual", "contract_no": "C1"}

    async def in_list_and_counts(code: str) -> tuple[bool, int]:
        listed = await office.get(code, "/contracts.csv", params=gone)
        board = (await office.get(code, "/dashboard")).json()
        return "山本" in listed.text, board["total"].get("contracts", 0)

    office.clock.set(date(2025, 7, 15), hour=23)
    assert await in_list_and_counts("M100") == (True, 1)
    office.clock.set(date(2025, 7, 16), hour=0)
    assert await in_list_and_counts("M100") == (False, 0)
    assert await in_list_and_counts("M200") == (False, 0)
    assert await in_list_and_counts("H001") == (True, 1)
    assert (await office.row("C1"))["colour"]["transferred_in"] is False
    assert (await office.get("E101", "/contracts/C1")).status_code == 404
    assert await office.search("E101", **gone) == []
    assert await office.search("E201", **gone) == []
    assert await office.search("H001", **gone) == ["C1"]
    assert (await office.get("M100", "/transfers-in-progress")).json() == {
        "leaving": 1,
        "coming": 0,
    }
    assert (await office.get("M200", "/transfers-in-progress")).json()["coming"] == 1
    whole = (await office.get("H001", "/transfers-in-progress")).json()
    assert whole == {"leaving": 1, "coming": 1}


@pytest.mark.rule("D139", "D141", "D144")
async def test_the_scheduler_reflects_on_business_day_3(open_office: OpenOffice) -> None:
    office = await open_office(reflected_by=ReflectedBy.SELF)
    await office.contract("C1")
    await change(office, to_store="S20", to_staff="E201")
    office.clock.set(date(2025, 7, 17), hour=23)
    assert await office.timers() == 0
    assert (await office.detail("C1"))["store"]["code"] == "S10"
    office.clock.set(date(2025, 7, 18), hour=0)
    assert await office.timers() == 1
    row = await office.row("C1", "E201")
    assert (row["staff_code"], row["change_status"], row["colour"]["colour"]) == (
        "E201",
        "",
        "green",
    )
    (told,) = await office.events(AssignmentChangeReflected)
    assert (told.transferred_in, str(told.reflected_on)) == (True, "2025-07-18")  # type: ignore[attr-defined]
    office.clock.set(date(2025, 8, 1))
    assert await office.timers() == 0


@pytest.mark.rule("D142", "D144")
async def test_a_staff_change_hides_and_colours_nothing(open_office: OpenOffice) -> None:
    office = await open_office(reflected_by=ReflectedBy.SELF)
    await office.contract("C1")
    await change(office, to_staff="E102")
    office.clock.set(date(2025, 7, 16))
    assert (await office.get("E101", "/contracts/C1")).status_code == 200
    office.clock.set(date(2025, 7, 18))
    await office.timers()
    row = await office.row("C1", "E101")
    assert (row["staff_code"], row["colour"]["colour"]) == ("E102", "white")


@pytest.mark.rule("D140")
async def test_from_the_next_day_it_is_locked_until_reflected(open_office: OpenOffice) -> None:
    office = await open_office(reflected_by=ReflectedBy.SELF)
    await office.contract("C1")
    await change(office, to_staff="E102")
    office.clock.set(date(2025, 7, 16))
    answer = await change(office, to_staff="M100")
    assert (answer.status_code, code_of(answer)) == (409, "ASSIGNMENT_LOCKED")
    assert "変更中" in answer.json()["title"]
    office.clock.set(date(2025, 7, 18))
    await office.timers()
    assert (await change(office, to_staff="M100")).status_code == 200


@pytest.mark.rule("D140", "D143")
async def test_the_same_day_merges_per_field(office: Office) -> None:
    await office.contract("C1")
    await change(office, to_store="S20")
    office.clock.set(date(2025, 7, 15), hour=18)
    answer = await change(office, to_staff="E201")
    assert answer.json()["outcome"] == "replaced"
    pending = (await office.detail("C1"))["pending_change"]
    assert (pending["to_store"], pending["to_staff"]) == ("S20", "E201")
    first, second = await office.events(AssignmentChangeRegistered)
    assert second.replaces_change_id == first.change_id  # type: ignore[attr-defined]


@pytest.mark.rule("D143")
async def test_only_the_last_store_counts(open_office: OpenOffice) -> None:
    office = await open_office(reflected_by=ReflectedBy.SELF)
    await office.contract("C1")
    await change(office, to_store="S20")
    await change(office, to_store="S30")
    office.clock.set(date(2025, 7, 18))
    assert await office.timers() == 1
    assert (await office.detail("C1"))["store"]["code"] == "S30"


@pytest.mark.rule("D143")
@pytest.mark.parametrize("way", ["set back", "delete"])
async def test_a_change_is_taken_back_on_its_day(open_office: OpenOffice, way: str) -> None:
    office = await open_office(reflected_by=ReflectedBy.SELF)
    await office.contract("C1")
    await change(office, to_store="S20")
    if way == "delete":
        assert (await office.change("M100", "DELETE", PATH)).status_code == 200
    else:
        answer = await change(office, to_store="S10", to_staff="E101")
        assert answer.json()["outcome"] == "cancelled"
    assert (await office.detail("C1"))["pending_change"] is None
    office.clock.set(date(2025, 7, 24))
    assert await office.timers() == 0
    assert (await office.get("E101", "/contracts/C1")).status_code == 200
    (told,) = await office.events(AssignmentChangeCancelled)
    assert told.reason == "cancelled"  # type: ignore[attr-defined]


@pytest.mark.rule("D140")
async def test_the_day_after_nothing_is_taken_back(office: Office) -> None:
    await office.contract("C1")
    nothing = await office.change("M100", "DELETE", PATH)
    assert (nothing.status_code, code_of(nothing)) == (409, "NOTHING_PENDING")
    await change(office, to_staff="E102")
    office.clock.set(date(2025, 7, 16))
    answer = await office.change("M100", "DELETE", PATH)
    assert (answer.status_code, code_of(answer)) == (409, "ASSIGNMENT_LOCKED")


@pytest.mark.rule("D141")
async def test_tfc_reflects_and_never_before_business_day_3(office: Office) -> None:
    await office.contract("C1")
    await change(office, to_store="S20")
    word = {
        "dealer_id": "D01",
        "contract_no": "C1",
        "change_id": await change_id(office),
        "reflected_on": "2025-07-16",
    }
    office.clock.set(date(2025, 7, 16))
    await office.hears(tfc.AssignmentReflected.model_validate(word))
    assert (await office.detail("C1"))["store"]["code"] == "S10"
    office.clock.set(date(2025, 7, 18), hour=0)
    assert await office.timers() == 1
    moved = await office.detail("C1")
    assert (moved["store"]["code"], moved["staff"]["code"]) == ("S20", None)
    await office.hears(tfc.AssignmentReflected.model_validate(word))
    assert len(await office.events(AssignmentChangeReflected)) == 1


@pytest.mark.rule("D141")
async def test_nobody_but_tfc_reflects_and_day_5_is_alarming(office: Office) -> None:
    await office.contract("C1")
    await change(office, to_store="S20")
    office.clock.set(date(2025, 7, 23), hour=23)
    assert await office.timers() == 0
    office.clock.set(date(2025, 7, 24), hour=0)
    assert await office.timers() == 1
    assert len(await office.events(AssignmentChangeOverdue)) == 1
    assert (await office.detail("C1"))["store"]["code"] == "S10"


@pytest.mark.rule("D141")
async def test_a_rejection_gives_the_contract_back_and_says_why(office: Office) -> None:
    await office.contract("C1")
    await change(office, to_store="S20")
    office.clock.set(date(2025, 7, 16))
    word = {"change_id": await change_id(office), "reason": "受入不可"}
    names = {"dealer_id": "D01", "contract_no": "C1"}
    await office.hears(tfc.AssignmentRejected.model_validate({**names, **word}))
    detail = await office.detail("C1", "E101")
    assert (detail["pending_change"], detail["rejected_change"]["reason"]) == (None, "受入不可")
    (told,) = await office.events(AssignmentChangeCancelled)
    assert told.reason == "rejected_by_tfc"  # type: ignore[attr-defined]


@pytest.mark.rule("D141")
async def test_the_finance_companys_calendar_counts(office: Office) -> None:
    await office.contract("C1")
    calendar = {"dealer_id": "*", "year": 2025, "closed_on": ["2025-07-17"]}
    await office.hears(tfc.BusinessCalendarUpdated.model_validate(calendar))
    answer = (await change(office, to_store="S20")).json()
    assert answer["reflect_earliest_on"] == "2025-07-22"


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
    assert row["problem"]["code"] == "CHANGED_MEANWHILE"
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


async def test_dealers_keep_their_own_masters(new_office: Office) -> None:
    office = new_office
    opened = {"dealer_id": "D01", "store_code": "S40", "name": "北店", "phone": "03-0010-4000"}
    hired = {"dealer_id": "D01", "staff_code": "E401", "name": "新人", "store_code": "S40"}
    car = {"dealer_id": "D01", "vehicle_code": "NEW", "name": "新型"}
    await office.hears(
        dealer.StoreMasterUpdated.model_validate(opened),
        dealer.StaffMasterUpdated.model_validate({**hired, "role": "sales"}),
        dealer.ReplacementVehicleMasterUpdated.model_validate(car),
    )
    await office.contract("C1")
    assert (await change(office, to_store="S40", to_staff="E401")).status_code == 200
    own = [v["code"] for v in (await office.get("M100", "/vehicles")).json()]
    other = [v["code"] for v in (await office.get("M100", "/vehicles", dealer="D02")).json()]
    assert ("NEW" in own, "NEW" in other, "PRIUS" in other) == (True, False, True)
    closed = {**opened, "active": False}
    await office.hears(dealer.StoreMasterUpdated.model_validate(closed))
    stores = {s["code"]: s["selectable"] for s in (await office.get("M100", "/stores")).json()}
    assert not stores["S40"]
