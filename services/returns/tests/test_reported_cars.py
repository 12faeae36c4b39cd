"""Cars reported by a dealer's own system fill the form in, and submit nothing."""

from datetime import date
from typing import Any

import pytest

from event_contracts.dealer import VehicleReturnCancelled, VehicleReturned
from shared.testing.people import SUZUKI, YAMADA

from .conftest import ReturnsApi, registered


def reported(source_id: str = "W-1", **facts: Any) -> VehicleReturned:
    known = {"contract_no": "C-1001", "received_on": date(2025, 7, 10), "place": "本店 第2ヤード"}
    return VehicleReturned(dealer_id="D01", source_id=source_id, **{**known, **facts})


async def form(returns: ReturnsApi, contract_no: str = "C-1001") -> dict[str, Any]:
    answer = await returns(YAMADA).get(f"/contracts/{contract_no}/form")
    assert answer.status_code == 200, answer.text
    opened: dict[str, Any] = answer.json()
    return opened


@pytest.mark.rule("D93")
async def test_a_reported_car_fills_the_form_and_submits_nothing(returns: ReturnsApi) -> None:
    assert (await form(returns))["received_on"] is None
    await returns.receive(reported(odometer_km=41_200))
    opened = await form(returns)
    assert (opened["kind"], opened["received_on"]) == ("RETURNED", "2025-07-10")
    assert opened["reported_car"] == {
        "received_on": "2025-07-10", "place": "本店 第2ヤード", "odometer_km": 41_200,
    }  # fmt: skip
    assert await returns.rows("SELECT 1 FROM application") == []
    assert await returns.published() == []


async def test_it_may_name_the_plate_instead_of_the_contract(returns: ReturnsApi) -> None:
    await returns.receive(
        registered("C-2", store="S10"),
        reported(contract_no=None, registration_no="品川３００あ１２３４"),
    )
    assert (await form(returns))["received_on"] == "2025-07-10"
    await returns.receive(reported(contract_no=None, registration_no="品川 300 あ 9999"))
    assert (await form(returns))["received_on"] is None, "the same message, corrected"


async def test_the_last_report_counts_until_it_is_cancelled(returns: ReturnsApi) -> None:
    await returns.receive(reported(), reported("W-2", received_on=date(2025, 7, 11)))
    assert (await form(returns))["received_on"] == "2025-07-11"
    await returns.receive(VehicleReturnCancelled(dealer_id="D01", source_id="W-2"))
    assert (await form(returns))["received_on"] == "2025-07-10"
    await returns.receive(VehicleReturnCancelled(dealer_id="D01", source_id="W-1"))
    opened = await form(returns)
    assert (opened["received_on"], opened["reported_car"]) == (None, None)


@pytest.mark.rule("D90")
async def test_a_day_that_may_not_be_entered_is_shown_and_not_filled_in(
    returns: ReturnsApi,
) -> None:
    await returns.receive(reported(received_on=date(2025, 7, 16)))
    opened = await form(returns)
    assert opened["received_on"] is None
    assert opened["reported_car"]["received_on"] == "2025-07-16"


@pytest.mark.rule("D2")
async def test_it_is_the_dealers_own(returns: ReturnsApi) -> None:
    await returns.receive(reported().model_copy(update={"dealer_id": "D02"}))
    assert (await form(returns))["reported_car"] is None
    await returns.receive(reported())
    assert (await returns(SUZUKI).get("/contracts/C-1001/form")).status_code == 404
