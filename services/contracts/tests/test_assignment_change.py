"""Assignment change (店舗・スタッフ変更) over HTTP, by timers, and by finance company events."""

from datetime import date
from typing import Any

import pytest

from contracts_service.actions.master_data import upsert_stores
from contracts_service.policy import ReflectedBy
from event_contracts import dealer, tfc
from event_contracts.contract import (
    AssignmentChangeCancelled,
    AssignmentChangeOverdue,
    AssignmentChangeReflected,
    AssignmentChangeRegistered,
)
from shared.db import EVERY_DEALER

from .conftest import ContractsApi, OpenContractsApi

PATH = "/contracts/C1/assignment-change"


async def change(contracts_api: ContractsApi, code: str = "M100", **fields: str) -> Any:
    return await contracts_api.change(code, "POST", PATH, fields)


def code_of(answer: Any) -> str:
    body = answer.json()
    return str(body["errors"][0]["code"] if "errors" in body else body["code"])


async def change_id(contracts_api: ContractsApi) -> str:
    return str((await contracts_api.detail("C1"))["pending_change"]["change_id"])


@pytest.mark.rule("D124")
@pytest.mark.parametrize(
    ("product", "status"), [("スマートバリュープランA", 409), ("スマートバリュープランR", 200)]
)
@pytest.mark.parametrize("fields", [{"to_store": "S20"}, {"to_staff": "E102"}])
async def test_lexus_products_move_elsewhere(
    contracts_api: ContractsApi, product: str, status: int, fields: dict[str, str]
) -> None:
    await contracts_api.contract("C1", 制度=product)
    answer = await change(contracts_api, **fields)
    assert answer.status_code == status
    if status == 409:
        assert answer.json()["title"].startswith("レクサス手続担当店移管制度より")


@pytest.mark.rule("D125")
async def test_managers_and_headquarters_only(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    assert (await change(contracts_api, "E101", to_staff="E102")).status_code == 403
    assert (await change(contracts_api, "M200", to_staff="E102")).status_code == 404
    assert (await change(contracts_api, "H001", to_staff="E102")).status_code == 200


@pytest.mark.rule("D126", "D129", "D130")
@pytest.mark.parametrize(
    ("fields", "outcome"),
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
async def test_where_a_contract_may_go(
    contracts_api: ContractsApi, fields: dict[str, str], outcome: str
) -> None:
    await contracts_api.contract("C1")
    answer = await change(contracts_api, **fields)
    found = answer.json()["outcome"] if answer.status_code == 200 else code_of(answer)
    assert found == outcome


@pytest.mark.rule("D130")
async def test_an_unused_store_is_shown_and_cannot_be_chosen(contracts_api: ContractsApi) -> None:
    stores = {
        s["code"]: s["selectable"] for s in (await contracts_api.get("M100", "/stores")).json()
    }
    assert (stores["S20"], stores["S90"]) == (True, False)


@pytest.mark.rule("D138", "D141", "D142", "D144")
async def test_between_two_stores(open_contracts_api: OpenContractsApi) -> None:
    contracts_api = await open_contracts_api(reflection=ReflectedBy.SELF)
    await contracts_api.contract("C1")
    answer = (await change(contracts_api, to_store="S20")).json()
    assert (answer["reflect_earliest_on"], answer["reflect_latest_on"]) == (
        "2025-07-18",
        "2025-07-23",
    )
    assert (await contracts_api.row("C1", "E101"))["change_status"] == "変更中"
    assert (await contracts_api.detail("C1", "E101"))["store"]["code"] == "S10"
    gone = {"mode": "individual", "contract_no": "C1"}

    async def in_list_and_counts(code: str) -> tuple[bool, int]:
        listed = await contracts_api.get(code, "/contracts.csv", params=gone)
        board = (await contracts_api.get(code, "/dashboard")).json()
        return "山本" in listed.text, board["total"].get("contracts", 0)

    contracts_api.clock.set(date(2025, 7, 15), hour=23)
    assert await in_list_and_counts("M100") == (True, 1)
    contracts_api.clock.set(date(2025, 7, 16), hour=0)
    assert await in_list_and_counts("M100") == (False, 0)
    assert await in_list_and_counts("M200") == (False, 0)
    assert await in_list_and_counts("H001") == (True, 1)
    assert (await contracts_api.row("C1"))["colour"]["transferred_in"] is False
    assert (await contracts_api.get("E101", "/contracts/C1")).status_code == 404
    assert await contracts_api.search("E101", **gone) == []
    assert await contracts_api.search("E201", **gone) == []
    assert await contracts_api.search("H001", **gone) == ["C1"]
    assert (await contracts_api.get("M100", "/transfers-in-progress")).json() == {
        "leaving": 1,
        "coming": 0,
    }
    assert (await contracts_api.get("M200", "/transfers-in-progress")).json()["coming"] == 1
    whole = (await contracts_api.get("H001", "/transfers-in-progress")).json()
    assert whole == {"leaving": 1, "coming": 1}


@pytest.mark.rule("D139", "D141", "D144")
async def test_the_scheduler_reflects_on_business_day_3(
    open_contracts_api: OpenContractsApi,
) -> None:
    contracts_api = await open_contracts_api(reflection=ReflectedBy.SELF)
    await contracts_api.contract("C1")
    await change(contracts_api, to_store="S20", to_staff="E201")
    contracts_api.clock.set(date(2025, 7, 17), hour=23)
    assert await contracts_api.timers() == 0
    assert (await contracts_api.detail("C1"))["store"]["code"] == "S10"
    contracts_api.clock.set(date(2025, 7, 18), hour=0)
    assert await contracts_api.timers() == 1
    row = await contracts_api.row("C1", "E201")
    assert (row["staff_code"], row["change_status"], row["colour"]["colour"]) == (
        "E201",
        "",
        "green",
    )
    (published,) = await contracts_api.events(AssignmentChangeReflected)
    assert (published.transferred_in, str(published.reflected_on)) == (True, "2025-07-18")  # type: ignore[attr-defined]
    contracts_api.clock.set(date(2025, 8, 1))
    assert await contracts_api.timers() == 0


@pytest.mark.rule("D142", "D144")
async def test_a_staff_change_hides_and_colours_nothing(
    open_contracts_api: OpenContractsApi,
) -> None:
    contracts_api = await open_contracts_api(reflection=ReflectedBy.SELF)
    await contracts_api.contract("C1")
    await change(contracts_api, to_staff="E102")
    contracts_api.clock.set(date(2025, 7, 16))
    assert (await contracts_api.get("E101", "/contracts/C1")).status_code == 200
    contracts_api.clock.set(date(2025, 7, 18))
    await contracts_api.timers()
    row = await contracts_api.row("C1", "E101")
    assert (row["staff_code"], row["colour"]["colour"]) == ("E102", "white")


@pytest.mark.rule("D140")
async def test_from_the_next_day_it_is_locked_until_reflected(
    open_contracts_api: OpenContractsApi,
) -> None:
    contracts_api = await open_contracts_api(reflection=ReflectedBy.SELF)
    await contracts_api.contract("C1")
    await change(contracts_api, to_staff="E102")
    contracts_api.clock.set(date(2025, 7, 16))
    answer = await change(contracts_api, to_staff="M100")
    assert (answer.status_code, code_of(answer)) == (409, "ASSIGNMENT_LOCKED")
    assert "変更中" in answer.json()["title"]
    contracts_api.clock.set(date(2025, 7, 18))
    await contracts_api.timers()
    assert (await change(contracts_api, to_staff="M100")).status_code == 200


@pytest.mark.rule("D140", "D143")
async def test_the_same_day_merges_per_field(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    await change(contracts_api, to_store="S20")
    contracts_api.clock.set(date(2025, 7, 15), hour=18)
    answer = await change(contracts_api, to_staff="E201")
    assert answer.json()["outcome"] == "replaced"
    pending = (await contracts_api.detail("C1"))["pending_change"]
    assert (pending["to_store"], pending["to_staff"]) == ("S20", "E201")
    first, second = await contracts_api.events(AssignmentChangeRegistered)
    assert second.replaces_change_id == first.change_id  # type: ignore[attr-defined]


@pytest.mark.rule("D143")
async def test_only_the_last_store_counts(open_contracts_api: OpenContractsApi) -> None:
    contracts_api = await open_contracts_api(reflection=ReflectedBy.SELF)
    await contracts_api.contract("C1")
    await change(contracts_api, to_store="S20")
    await change(contracts_api, to_store="S30")
    contracts_api.clock.set(date(2025, 7, 18))
    assert await contracts_api.timers() == 1
    assert (await contracts_api.detail("C1"))["store"]["code"] == "S30"


@pytest.mark.rule("D143")
@pytest.mark.parametrize("way", ["set back", "delete"])
async def test_a_change_is_cancelled_on_its_day(
    open_contracts_api: OpenContractsApi, way: str
) -> None:
    contracts_api = await open_contracts_api(reflection=ReflectedBy.SELF)
    await contracts_api.contract("C1")
    await change(contracts_api, to_store="S20")
    if way == "delete":
        assert (await contracts_api.change("M100", "DELETE", PATH)).status_code == 200
    else:
        answer = await change(contracts_api, to_store="S10", to_staff="E101")
        assert answer.json()["outcome"] == "cancelled"
    assert (await contracts_api.detail("C1"))["pending_change"] is None
    contracts_api.clock.set(date(2025, 7, 24))
    assert await contracts_api.timers() == 0
    assert (await contracts_api.get("E101", "/contracts/C1")).status_code == 200
    (published,) = await contracts_api.events(AssignmentChangeCancelled)
    assert published.reason == "cancelled"  # type: ignore[attr-defined]


@pytest.mark.rule("D140")
async def test_the_day_after_nothing_is_cancelled(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    nothing = await contracts_api.change("M100", "DELETE", PATH)
    assert (nothing.status_code, code_of(nothing)) == (409, "NOTHING_PENDING")
    await change(contracts_api, to_staff="E102")
    contracts_api.clock.set(date(2025, 7, 16))
    answer = await contracts_api.change("M100", "DELETE", PATH)
    assert (answer.status_code, code_of(answer)) == (409, "ASSIGNMENT_LOCKED")


@pytest.mark.rule("D141")
async def test_tfc_reflects_and_never_before_business_day_3(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    await change(contracts_api, to_store="S20")
    reflection = {
        "dealer_id": "D01",
        "contract_no": "C1",
        "change_id": await change_id(contracts_api),
        "reflected_on": "2025-07-16",
    }
    contracts_api.clock.set(date(2025, 7, 16))
    await contracts_api.receive(tfc.AssignmentReflected.model_validate(reflection))
    assert (await contracts_api.detail("C1"))["store"]["code"] == "S10"
    contracts_api.clock.set(date(2025, 7, 18), hour=0)
    assert await contracts_api.timers() == 1
    moved = await contracts_api.detail("C1")
    assert (moved["store"]["code"], moved["staff"]["code"]) == ("S20", None)
    await contracts_api.receive(tfc.AssignmentReflected.model_validate(reflection))
    assert len(await contracts_api.events(AssignmentChangeReflected)) == 1


@pytest.mark.rule("D141")
async def test_only_tfc_reflects_and_day_5_raises_an_alarm(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    await change(contracts_api, to_store="S20")
    contracts_api.clock.set(date(2025, 7, 23), hour=23)
    assert await contracts_api.timers() == 0
    contracts_api.clock.set(date(2025, 7, 24), hour=0)
    assert await contracts_api.timers() == 1
    assert len(await contracts_api.events(AssignmentChangeOverdue)) == 1
    assert (await contracts_api.detail("C1"))["store"]["code"] == "S10"


@pytest.mark.rule("D141")
async def test_a_rejection_returns_the_contract_with_a_reason(
    contracts_api: ContractsApi,
) -> None:
    await contracts_api.contract("C1")
    await change(contracts_api, to_store="S20")
    contracts_api.clock.set(date(2025, 7, 16))
    rejection = {"change_id": await change_id(contracts_api), "reason": "受入不可"}
    names = {"dealer_id": "D01", "contract_no": "C1"}
    await contracts_api.receive(tfc.AssignmentRejected.model_validate({**names, **rejection}))
    detail = await contracts_api.detail("C1", "E101")
    assert (detail["pending_change"], detail["rejected_change"]["reason"]) == (None, "受入不可")
    (published,) = await contracts_api.events(AssignmentChangeCancelled)
    assert published.reason == "rejected_by_tfc"  # type: ignore[attr-defined]


@pytest.mark.rule("D141")
async def test_the_finance_companys_calendar_counts(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    calendar = {"dealer_id": "*", "year": 2025, "closed_on": ["2025-07-17"]}
    await contracts_api.receive(tfc.BusinessCalendarUpdated.model_validate(calendar))
    answer = (await change(contracts_api, to_store="S20")).json()
    assert answer["reflect_earliest_on"] == "2025-07-22"


async def test_dealers_maintain_their_own_masters(new_contracts_api: ContractsApi) -> None:
    contracts_api = new_contracts_api
    opened = {"dealer_id": "D01", "store_code": "S40", "name": "北店", "phone": "03-0010-4000"}
    hired = {"dealer_id": "D01", "staff_code": "E401", "name": "新人", "store_code": "S40"}
    car = {"dealer_id": "D01", "vehicle_code": "NEW", "name": "新型"}
    await contracts_api.receive(
        dealer.StoreMasterUpdated.model_validate(opened),
        dealer.StaffMasterUpdated.model_validate({**hired, "role": "sales"}),
        dealer.ReplacementVehicleMasterUpdated.model_validate(car),
    )
    await contracts_api.contract("C1")
    assert (await change(contracts_api, to_store="S40", to_staff="E401")).status_code == 200
    own = [v["code"] for v in (await contracts_api.get("M100", "/vehicles")).json()]
    other = [v["code"] for v in (await contracts_api.get("M100", "/vehicles", dealer="D02")).json()]
    assert ("NEW" in own, "NEW" in other, "PRIUS" in other) == (True, False, True)
    assert (await contracts_api.get("H001", "/assignment-changes/closed-stores")).json() == []
    closed = {**opened, "active": False, "successor": "S20"}
    await contracts_api.receive(dealer.StoreMasterUpdated.model_validate(closed))
    stores = {
        s["code"]: s["selectable"] for s in (await contracts_api.get("M100", "/stores")).json()
    }
    assert not stores["S40"]


async def test_customers_of_a_closed_store_are_offered_for_the_move_to_its_successor(
    new_contracts_api: ContractsApi,
) -> None:
    contracts_api = new_contracts_api

    async def left(code: str, **who: str) -> list[dict[str, Any]]:
        answer = await contracts_api.get(code, "/assignment-changes/closed-stores", **who)
        found: list[dict[str, Any]] = answer.json()
        return found

    await contracts_api.contract("C1")
    await contracts_api.contract("C2")
    assert await left("H001") == []
    store = {"dealer_id": "D01", "store_code": "S10", "name": "(旧本店)", "unused": True}
    closed = dealer.StoreMasterUpdated.model_validate({**store, "successor": "S20"})
    await contracts_api.receive(closed)
    expected = {"code": "S10", "name": "(旧本店)", "successor": "S20", "contracts": 2}
    assert [await left("H001"), await left("M100")] == [[expected], [expected]]
    assert [await left("M200"), await left("H001", dealer="D02")] == [[], []]
    same_but_the_successor = [{**store, "phone": None}]
    async with contracts_api.database.transaction(EVERY_DEALER) as tx:  # as a master data file does
        await upsert_stores(tx, same_but_the_successor, now=contracts_api.clock.now())
    assert await left("H001") == [expected]
    await contracts_api.receive(dealer.StoreMasterUpdated.model_validate(store))
    assert await left("H001") == [{**expected, "successor": None}]
