"""Finance company updates: contracts that arrive as events, and their completion."""

from datetime import date
from typing import Any

import pytest

from contracts_service.actions.contract_import import ContractOfOtherDealer
from contracts_service.queries import ContractUnknown
from event_contracts import dealer, tfc
from event_contracts.contract import (
    AssignmentChangeReflected,
    ContractRegistered,
    ContractUpdated,
    FinalHandlingCompleted,
)

from .conftest import ContractsApi
from .test_final_handling import completed, submitted

NAMES = {"dealer_id": "D01", "contract_no": "C1"}
FACTS: dict[str, Any] = {
    **NAMES,
    "product_code": "SVP_R",
    "final_on": "2025-12-31",
    "loan": {
        "last_instalment_yen": 1_000_000,
        "balance_yen": 1_200_000,
        "instalments": 60,
        "monthly_yen": 30_000,
        "yearly_rate_percent": 3.9,
    },
    "vehicle": {
        "model": "プリウス",
        "registration_no": "品川 300 あ 1234",
        "first_registered_on": "2020-12-10",
    },
    "customer": {"name": "山本 太郎", "address": "東京都"},
    "store_code": "S10",
    "staff_code": "E101",
}


async def test_a_contract_is_imported_by_event_and_repeating_it_changes_nothing(
    contracts_api: ContractsApi,
) -> None:
    await contracts_api.receive(tfc.TfcContractImported.model_validate(FACTS))
    await contracts_api.receive(tfc.TfcContractUpdated.model_validate(FACTS))
    assert await contracts_api.search("E101", mode="individual", customer_name="山本") == ["C1"]
    assert len(await contracts_api.events(ContractRegistered, ContractUpdated)) == 1
    await contracts_api.receive(
        tfc.TfcContractUpdated.model_validate({**FACTS, "final_on": "2026-01-31"})
    )
    assert len(await contracts_api.events(ContractUpdated)) == 1
    assert (await contracts_api.row("C1"))["final_on"] == "2026-01-31"


async def test_a_contract_never_moves_to_another_dealer(contracts_api: ContractsApi) -> None:
    await contracts_api.receive(tfc.TfcContractImported.model_validate(FACTS))
    with pytest.raises(ContractOfOtherDealer):
        await contracts_api.receive(
            tfc.TfcContractUpdated.model_validate({**FACTS, "dealer_id": "D02"})
        )


async def test_an_outdated_store_does_not_undo_a_move(contracts_api: ContractsApi) -> None:
    await contracts_api.receive(tfc.TfcContractImported.model_validate(FACTS))
    body = {"to_store": "S20", "to_staff": "E201"}
    await contracts_api.change("M100", "POST", "/contracts/C1/assignment-change", body)
    pending = (await contracts_api.detail("C1"))["pending_change"]
    contracts_api.clock.set(pending_day := date(2025, 7, 18))
    reflection = {**NAMES, "change_id": pending["change_id"], "reflected_on": pending_day}
    await contracts_api.receive(tfc.AssignmentReflected.model_validate(reflection))
    assert len(await contracts_api.events(AssignmentChangeReflected)) == 1
    await contracts_api.receive(
        tfc.TfcContractUpdated.model_validate({**FACTS, "final_on": "2026-01-31"})
    )
    assert (await contracts_api.row("C1"))["store_code"] == "S20"
    new = {**FACTS, "store_code": "S30", "staff_code": "E301"}
    await contracts_api.receive(tfc.TfcContractUpdated.model_validate(new))
    row = await contracts_api.row("C1")
    assert (row["store_code"], row["colour"]["colour"]) == ("S30", "white")


@pytest.mark.rule("D78")
async def test_the_separate_procedure_completes_what_the_return_left_open(
    contracts_api: ContractsApi,
) -> None:
    await contracts_api.receive(
        tfc.TfcContractImported.model_validate({**FACTS, "product_code": "SVP_A"})
    )
    await contracts_api.receive(submitted(), completed(contracts_api))
    assert (await contracts_api.row("C1"))["completed_mark"] == ""
    await contracts_api.receive(tfc.SeparateProcedureCompleted.model_validate(NAMES))
    assert (await contracts_api.row("C1"))["completed_mark"] == "完了"


@pytest.mark.rule("D78")
async def test_a_purchase_after_the_return_reopens(contracts_api: ContractsApi) -> None:
    await contracts_api.receive(tfc.TfcContractImported.model_validate(FACTS))
    await contracts_api.receive(submitted(), completed(contracts_api))
    assert (await contracts_api.row("C1"))["completed_mark"] == "完了"
    await contracts_api.receive(tfc.ReceivablePurchased.model_validate(NAMES))
    assert (await contracts_api.row("C1"))["completed_mark"] == ""


@pytest.mark.rule("D32")
async def test_tfc_completes_by_itself(contracts_api: ContractsApi) -> None:
    await contracts_api.receive(tfc.TfcContractImported.model_validate(FACTS))
    done = {**NAMES, "basis": "total_loss"}
    await contracts_api.receive(tfc.TfcCompletedFinalHandling.model_validate(done))
    row = await contracts_api.row("C1")
    assert (row["completed_mark"], row["replacement_mark"]) == ("完了", "")
    (published,) = await contracts_api.events(FinalHandlingCompleted)
    assert published.basis == "tfc"  # type: ignore[attr-defined]


@pytest.mark.rule("D5")
async def test_completed_contracts_leave_the_list_three_months_later(
    contracts_api: ContractsApi,
) -> None:
    for number, final_on in (("C1", "2025-04-14"), ("C2", "2025-04-15"), ("C3", "2024-01-01")):
        names = {**FACTS, "contract_no": number, "final_on": final_on}
        await contracts_api.receive(tfc.TfcContractImported.model_validate(names))
        if number != "C3":
            done = {**NAMES, "contract_no": number, "basis": "paid"}
            await contracts_api.receive(tfc.TfcCompletedFinalHandling.model_validate(done))
    found = await contracts_api.search("E101", mode="general", final_from="2020-01")
    assert found == ["C3", "C2"]


async def test_a_product_is_known_from_its_event_on(contracts_api: ContractsApi) -> None:
    """Stored as in the last event (D76-D79)."""
    known: dict[str, Any] = {
        "dealer_id": "*", "product_code": "NEW", "name": "新商品",
        "return_allowed": True, "separate_procedure": False, "transferable": True,
    }  # fmt: skip
    searched = {"mode": "general", "product": "NEW"}
    assert (await contracts_api.get("H001", "/contracts", params=searched)).status_code == 422
    await contracts_api.receive(
        tfc.ProductMasterUpdated(**known), tfc.ProductMasterUpdated(**{**known, "name": "改名"})
    )
    assert await contracts_api.search("H001", **searched) == []
    listed = (await contracts_api.get("H001", "/products")).json()
    assert [row["name"] for row in listed if row["code"] == "NEW"] == ["改名"]


async def test_a_sold_car_is_a_suggestion_and_no_result(contracts_api: ContractsApi) -> None:
    """C4: a user confirms it; another dealer's event changes nothing."""
    await contracts_api.receive(tfc.TfcContractImported.model_validate(FACTS))
    sold = dealer.ReplacementSold(**NAMES, vehicle_code="PRIUS", ordered_on=date(2025, 7, 10))
    await contracts_api.receive(sold, sold)
    detail = await contracts_api.detail("C1")
    suggestion = {"vehicle_code": "PRIUS", "ordered_on": "2025-07-10"}
    assert detail["replacement_suggestion"] == suggestion
    assert (await contracts_api.row("C1"))["replacement_mark"] == "未"
    with pytest.raises(ContractUnknown):
        await contracts_api.receive(
            sold.model_copy(update={"dealer_id": "D02", "vehicle_code": "AQUA"})
        )
    assert (await contracts_api.detail("C1"))["replacement_suggestion"] == suggestion
