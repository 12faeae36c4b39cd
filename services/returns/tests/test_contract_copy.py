"""Copy of contracts: an import's events come many at a time."""

from sqlalchemy import text

from event_contracts.contract import SelectionRecorded
from returns_service.actions.contract_copy import upsert_contracts
from shared.db import EVERY_DEALER
from shared.testing.people import YAMADA

from .conftest import ReturnsApi, registered


async def rows(returns: ReturnsApi, query: str) -> list[tuple[object, ...]]:
    async with returns.database.transaction(EVERY_DEALER) as tx:
        return [tuple(row) for row in await tx.execute(text(query))]


async def test_of_many_events_each_contracts_last_one_counts(returns: ReturnsApi) -> None:
    async with returns.database.transaction(EVERY_DEALER) as tx:
        await upsert_contracts(
            tx,
            [
                registered("C-3001", customer_name="鈴木　一郎"),
                registered("C-3002", store="S20", staff_code=None),
                registered("C-3001", customer_name="鈴木　二郎", receivable_purchased=True),
            ],
        )
    query = """SELECT contract_no, customer_name, store_code, staff_code, receivable_purchased
               FROM contract_view WHERE contract_no LIKE 'C-300%' ORDER BY 1"""
    assert await rows(returns, query) == [
        ("C-3001", "鈴木　二郎", "S10", "E101", True),
        ("C-3002", "山本　太郎", "S20", None, False),
    ]


async def test_a_new_name_shows_in_the_contracts_own_applications_only(returns: ReturnsApi) -> None:
    await returns.receive(registered("C-1002"))
    sales = returns(YAMADA)
    for contract_no in ("C-1001", "C-1002"):
        assert (await sales.submit(contract_no)).status_code == 201
    async with returns.database.transaction(EVERY_DEALER) as tx:
        await upsert_contracts(
            tx, [registered(customer_name="山田　花子"), registered("C-1002"), registered("C-3003")]
        )
    query = "SELECT contract_no, customer_name, name_key FROM application ORDER BY 1"
    assert await rows(returns, query) == [
        ("C-1001", "山田　花子", "山田花子"),
        ("C-1002", "山本　太郎", "山本太郎"),
    ]


async def test_what_other_events_said_stays(returns: ReturnsApi) -> None:
    chosen = SelectionRecorded.model_validate(
        {
            "dealer_id": "D01", "contract_no": "C-1001", "category": "vehicle_return",
            "own_replacement": True, "vehicle_code": "PRIUS", "late": False,
            "deadline_on": "2025-07-15", "confirmation_received_on": "2025-07-01",
        }
    )  # fmt: skip
    await returns.receive(chosen, registered("C-1001", customer_name="山田　花子"))
    query = "SELECT customer_name, selection FROM contract_view WHERE contract_no = 'C-1001'"
    assert await rows(returns, query) == [("山田　花子", "RETURN")]
