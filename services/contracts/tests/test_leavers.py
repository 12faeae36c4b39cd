"""Leavers: access ends at the next request, and their customers wait for somebody else (C4)."""

from typing import Any

import pytest

from event_contracts import dealer
from event_contracts.masters import StaffAccessChanged, StaffUpdated

from .conftest import ContractsApi

LEAVER: dict[str, Any] = {
    "dealer_id": "D01",
    "staff_code": "E101",
    "name": "山田 太郎",
    "store_code": "S10",
    "role": "sales",
}


def staff(**changes: Any) -> dealer.StaffMasterUpdated:
    return dealer.StaffMasterUpdated.model_validate({**LEAVER, **changes})


@pytest.mark.rule("D156")
async def test_a_leaver_is_refused_at_the_next_request_and_let_in_after_coming_back(
    new_contracts_api: ContractsApi,
) -> None:
    office = new_contracts_api
    await office.contract("C1")
    assert (await office.get("E101", "/contracts/C1")).status_code == 200
    await office.receive(staff(active=False))
    refused = await office.get("E101", "/contracts/C1")
    assert (refused.status_code, refused.json()["code"]) == (403, "STAFF_DEACTIVATED")
    note = await office.change("E101", "PUT", "/contracts/C1/memo", {"text": "x"}, version=0)
    assert (note.status_code, note.json()["code"]) == (403, "STAFF_DEACTIVATED")
    same_code = await office.get("E101", "/contracts/C1", dealer="D02")
    assert same_code.status_code == 404  # somebody else with this code, of another dealer
    assert (await office.get("E102", "/contracts/C1")).status_code == 200
    await office.receive(staff(active=True))
    assert (await office.get("E101", "/contracts/C1")).status_code == 200


@pytest.mark.rule("D156")
async def test_who_leaves_or_comes_back_is_announced_once(new_contracts_api: ContractsApi) -> None:
    office = new_contracts_api
    before = await office.events(StaffAccessChanged)
    await office.receive(staff(mobile_phone="090-9999-0000"))  # a change, and no departure
    await office.receive(staff(active=False), staff(active=False), staff(active=False, name="旧姓"))
    await office.receive(staff(active=True), staff(active=True))
    after = await office.events(StaffAccessChanged)
    assert [event.active for event in after[len(before) :]] == [False, True]  # type: ignore[attr-defined]
    assert len(await office.events(StaffUpdated)) >= 4


@pytest.mark.rule("D157")
async def test_open_contracts_of_a_leaver_are_marked_and_handed_on(
    new_contracts_api: ContractsApi,
) -> None:
    office = new_contracts_api
    await office.contract("C1")
    await office.contract("C2", スタッフコード="E102")
    await office.contract("C3", 店舗コード="S20", スタッフコード="E201")
    assert await left_by_count(office, "H001") is None
    await office.receive(staff(active=False), staff(active=False, staff_code="E201"))
    assert [(await office.row(n))["staff_left"] for n in ("C1", "C2", "C3")] == [True, False, True]
    assert (await office.detail("C1"))["staff_left"]
    assert not (await office.detail("C2"))["staff_left"]
    assert await left_by_count(office, "H001") == ["C1", "C3"]
    assert await left_by_count(office, "M100") == ["C1"]
    bulk = await office.get("H001", "/assignment-changes/search", params={"staff_left": "true"})
    assert sorted(row["contract_no"] for row in bulk.json()["rows"]) == ["C1", "C3"], bulk.text
    unknown = {"mode": "general", "staff_left": "yes"}
    wrong = await office.get("H001", "/contracts", params=unknown)
    assert wrong.json()["errors"][0]["field"] == "staff_left"


@pytest.mark.rule("D157")
async def test_a_completed_contract_of_a_leaver_waits_for_nobody(
    new_contracts_api: ContractsApi,
) -> None:
    office = new_contracts_api
    await office.contract("C1", 最終回年月日="2025/08/31")
    done = {
        "categories": ["cash_settlement"],
        "own_replacement": False,
        "confirmation_received": True,
    }
    assert (await office.change("E101", "POST", "/contracts/C1/result", done)).status_code == 200
    await office.receive(staff(active=False))
    assert await left_by_count(office, "H001") is None


async def left_by_count(office: ContractsApi, code: str) -> list[str] | None:
    """The contracts that the work list counts as a leaver's; None where it counts none."""
    counts = (await office.get(code, "/work")).json()["counts"]
    found = [count for count in counts if count["key"] == "staff_left"]
    if not found:
        return None
    rows = await office.search(code, **found[0]["filter"])
    assert len(rows) == found[0]["count"]
    return sorted(rows)
