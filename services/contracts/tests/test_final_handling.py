"""Final handling: completion by the returns service and by the finance company."""

import pytest

from event_contracts.contract import FinalHandlingCompleted, FinalHandlingReopened
from event_contracts.event import Event
from event_contracts.returns import ApplicationSubmitted, ReturnCompleted, ReturnWithdrawn

from .conftest import ContractsApi

RETURN = {
    "dealer_id": "D01",
    "application_id": "A1",
    "contract_no": "C1",
    "store_code": "S10",
    "originator_id": "D01-E101",
}


def submitted(**names: str) -> Event:
    return ApplicationSubmitted.model_validate(
        {
            **RETURN,
            **names,
            "result": "returned",
            "completion_mail_opt_in": True,
            "route": ["store"],
            "separate_procedure": False,
        }
    )


def completed(contracts_api: ContractsApi, **names: str) -> Event:
    return ReturnCompleted.model_validate(
        {
            **RETURN,
            **names,
            "completed_at": contracts_api.clock.now(),
            "result": "returned",
            "separate_procedure": False,
            "completion_mail_opt_in": True,
        }
    )


def withdrawn(**names: str) -> Event:
    return ReturnWithdrawn.model_validate({**RETURN, **names, "from_status": "REQUESTED"})


@pytest.mark.rule("D32", "D78")
async def test_a_completed_return_completes_the_contract(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1", 制度="スマートバリュープランR")
    await contracts_api.receive(submitted())
    assert (await contracts_api.row("C1"))["completed_mark"] == ""
    await contracts_api.receive(completed(contracts_api))
    assert (await contracts_api.row("C1"))["completed_mark"] == "完了"
    (published,) = await contracts_api.events(FinalHandlingCompleted)
    assert published.basis == "return"  # type: ignore[attr-defined]


@pytest.mark.rule("D78")
@pytest.mark.parametrize(
    "columns",
    [{"制度": "スマートバリュープランA"}, {"制度": "スマートバリュープランR", "債権買取": "1"}],
)
async def test_a_separate_procedure_is_still_waited_for(
    contracts_api: ContractsApi, columns: dict[str, str]
) -> None:
    await contracts_api.contract("C1", **columns)
    await contracts_api.receive(submitted(), completed(contracts_api))
    assert (await contracts_api.row("C1"))["completed_mark"] == ""
    assert await contracts_api.events(FinalHandlingCompleted) == []


async def test_a_later_application_reopens_and_a_withdrawn_one_is_ignored(
    contracts_api: ContractsApi,
) -> None:
    await contracts_api.contract("C1")
    await contracts_api.receive(
        submitted(), completed(contracts_api), submitted(application_id="A2")
    )
    assert len(await contracts_api.events(FinalHandlingReopened)) == 1
    assert (await contracts_api.detail("C1"))["open_return_id"] == "A2"
    await contracts_api.receive(withdrawn(application_id="A2"))
    detail = await contracts_api.detail("C1")
    assert (detail["open_return_id"], detail["result"]["completed"]) == (None, False)
