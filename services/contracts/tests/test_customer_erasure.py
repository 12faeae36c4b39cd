"""Customer erasure: when it is refused, what is stored, and that erased data never comes back."""

from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from contracts_service.rules.customer_erasure import completed_by_when
from event_contracts.contract import ContractRegistered, CustomerErased
from event_contracts.event import ERASED
from shared.db import EVERY_DEALER
from shared.testing.people import OPERATOR, bearer

from .conftest import ContractsApi
from .test_final_handling import completed, submitted

NAME = "山本 太郎"
DAY = timedelta(days=1)


async def order(
    contracts_api: ContractsApi, contract_no: str = "C1", reason: str = "本人の請求"
) -> httpx.Response:
    return await contracts_api.http.post(
        "/api/contracts/v1/erasures",
        headers=bearer(OPERATOR),
        json={"contract_no": contract_no, "reason": reason},
    )


async def listed(contracts_api: ContractsApi, of: str = "", **query: str) -> dict[str, Any]:
    answer = await contracts_api.http.get(
        f"/api/contracts/v1/erasures{of}",
        headers=bearer(OPERATOR),
        params=query,
    )
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


async def due(contracts_api: ContractsApi, **query: str) -> list[str]:
    found = await listed(contracts_api, "/due", **query)
    return [row["contract_no"] for row in found["items"]]


@pytest.fixture
async def completed_contract(contracts_api: ContractsApi) -> str:
    contract_no = await contracts_api.contract()
    await contracts_api.receive(submitted(), completed(contracts_api))
    return contract_no


@pytest.mark.parametrize(
    ("received", "code"),
    [((), "CONTRACT_STILL_OPEN"), ((submitted(),), "RETURN_STILL_OPEN")],
    ids=["open", "a return is open"],
)
async def test_an_open_contract_cannot_be_erased(
    contracts_api: ContractsApi, received: tuple[object, ...], code: str
) -> None:
    await contracts_api.contract()
    await contracts_api.receive(*received)  # type: ignore[arg-type]
    refused = await order(contracts_api)
    assert (refused.status_code, refused.json()["code"]) == (409, code)
    assert await contracts_api.events(CustomerErased) == []
    assert (await contracts_api.detail("C1"))["customer"]["name"] == NAME


async def test_personal_data_is_erased_and_the_history_is_kept(
    contracts_api: ContractsApi, completed_contract: str
) -> None:
    day = f"{contracts_api.clock.now():%Y-%m-%d}"
    assert await due(contracts_api, before="2020-01-01") == []
    assert await due(contracts_api, before=day) == [completed_contract]
    answer = await order(contracts_api)
    assert answer.status_code == 200, answer.text
    assert answer.json()["erased_by"] == "TFC-O001"
    assert await due(contracts_api, before=day) == []
    [registered] = await contracts_api.events(ContractRegistered)
    assert registered.customer_name == ERASED  # type: ignore[attr-defined]
    assert len(await contracts_api.events(CustomerErased)) == 1
    async with contracts_api.database.transaction(EVERY_DEALER) as tx:
        row = (await tx.execute(text("SELECT * FROM contract"))).one()
    assert (row.customer_name, row.address, row.phone) == (ERASED, ERASED, None)
    assert (row.completion_basis, row.model) == ("return", "プリウス")


async def test_an_erasure_is_idempotent(
    contracts_api: ContractsApi, completed_contract: str
) -> None:
    first = await order(contracts_api)
    assert (await order(contracts_api, reason="もう一度")).json() == first.json()
    assert len(await contracts_api.events(CustomerErased)) == 1


async def test_due_and_completed_erasures_are_listed(
    contracts_api: ContractsApi, completed_contract: str
) -> None:
    [found] = (await listed(contracts_api, "/due", before="2025-07-15"))["items"]
    completed_on = date.fromisoformat(found["completed_on"])
    years_later = completed_on.replace(year=completed_on.year + 7)
    for day, numbers in ((years_later - DAY, []), (years_later, [completed_contract])):
        contracts_api.clock.set(day)
        assert await due(contracts_api) == numbers
    assert (await listed(contracts_api))["items"] == []
    await order(contracts_api)
    [done] = (await listed(contracts_api))["items"]
    published = (done["contract_no"], done["dealer_id"], done["reason"], done["erased_by"])
    assert published == (completed_contract, "D01", "本人の請求", "TFC-O001")
    assert await due(contracts_api) == []


WRITTEN = (
    """INSERT INTO memo (contract_no, version, dealer_id, text, saved_at, saved_by)
       VALUES (:no, 1, 'D01', 'お子様が免許を取得', now(), 'E101')""",
    """INSERT INTO entry (entry_id, contract_no, dealer_id, recorded_at, recorded_by, source,
                          other_text, late)
       VALUES (gen_random_uuid(), :no, 'D01', now(), 'E101', 'result_entry', '外車', false)""",
    """INSERT INTO assignment_change (change_id, dealer_id, contract_no, from_store, registered_on,
           registered_at, registered_by, reflect_earliest_on, reflect_latest_on, state, settled_on,
           rejected_because)
       VALUES (gen_random_uuid(), 'D01', :no, 'S10', current_date, now(), 'E101', current_date,
               current_date, 'rejected', current_date, '退職者宛')""",
    """INSERT INTO customer_change_release (release_id, dealer_id, contract_no, reason, released_at,
                                            released_by)
       VALUES (gen_random_uuid(), 'D01', :no, '本人から電話', now(), 'E101')""",
)
TEXTS = """
    SELECT (SELECT text FROM memo WHERE contract_no = :no),
           (SELECT other_text FROM entry WHERE contract_no = :no AND source = 'result_entry'),
           (SELECT rejected_because FROM assignment_change WHERE contract_no = :no),
           (SELECT reason FROM customer_change_release WHERE contract_no = :no)
"""


async def texts_of(contracts_api: ContractsApi, contract_no: str) -> tuple[str | None, ...]:
    async with contracts_api.database.transaction(EVERY_DEALER) as tx:
        return tuple((await tx.execute(text(TEXTS), {"no": contract_no})).one())


async def test_the_texts_of_one_contract_are_erased_and_of_its_neighbour_kept(
    contracts_api: ContractsApi, completed_contract: str
) -> None:
    await contracts_api.contract("C2", 契約者名="鈴木 一", 契約者名カナ="スズキ")
    for contract_no in (completed_contract, "C2"):
        async with contracts_api.database.transaction(EVERY_DEALER) as tx:
            for statement in WRITTEN:
                await tx.execute(text(statement), {"no": contract_no})
    before = await texts_of(contracts_api, "C2")
    assert before == ("お子様が免許を取得", "外車", "退職者宛", "本人から電話")
    assert (await order(contracts_api)).status_code == 200
    assert await texts_of(contracts_api, completed_contract) == (ERASED, None, None, ERASED)
    assert await texts_of(contracts_api, "C2") == before
    assert (await contracts_api.detail("C2"))["customer"]["name"] == "鈴木 一"


async def test_only_searches_that_name_the_customer_are_erased(
    contracts_api: ContractsApi, completed_contract: str
) -> None:
    logged = text("""INSERT INTO customer_list_export (export_id, dealer_id, exported_at,
                         exported_by, conditions, rows)
                     VALUES (gen_random_uuid(), :dealer, now(), 'H001',
                             jsonb_build_object('customer_name', CAST(:name AS text)), 1)""")
    async with contracts_api.database.transaction(EVERY_DEALER) as tx:
        for dealer, name in (("D01", "山本"), ("D01", "鈴木"), ("D01", ""), ("D02", "山本")):
            await tx.execute(logged, {"dealer": dealer, "name": name})
    assert (await order(contracts_api)).status_code == 200
    async with contracts_api.database.transaction(EVERY_DEALER) as tx:
        rows = await tx.execute(
            text("SELECT dealer_id, conditions ->> 'customer_name' FROM customer_list_export")
        )
        assert sorted(map(tuple, rows)) == sorted(
            [("D01", ERASED), ("D01", "鈴木"), ("D01", ""), ("D02", "山本")]
        )


async def test_a_completed_contract_with_an_open_return_is_not_due(
    contracts_api: ContractsApi, completed_contract: str
) -> None:
    day = f"{contracts_api.clock.now():%Y-%m-%d}"
    assert await due(contracts_api, before=day) == [completed_contract]
    for column in ("open_return_id", "pending_change_id"):
        value = "'A9'" if column == "open_return_id" else "gen_random_uuid()"
        async with contracts_api.database.transaction(EVERY_DEALER) as tx:
            await tx.execute(text(f"UPDATE contract SET {column} = {value}"))
        assert await due(contracts_api, before=day) == []
        async with contracts_api.database.transaction(EVERY_DEALER) as tx:
            await tx.execute(text(f"UPDATE contract SET {column} = NULL"))


@pytest.mark.parametrize("reason", ["", " ", f"{NAME}様の請求", "電話 090-0123-4567", "x" * 201])
async def test_a_reason_without_personal_data_is_required(
    contracts_api: ContractsApi, completed_contract: str, reason: str
) -> None:
    refused = await order(contracts_api, reason=reason)
    assert refused.status_code == 422, refused.text
    assert await contracts_api.events(CustomerErased) == []


async def test_importing_the_same_file_restores_nothing(
    contracts_api: ContractsApi, completed_contract: str
) -> None:
    assert (await order(contracts_api)).status_code == 200
    report = await contracts_api.import_contracts_file(
        {"契約番号": completed_contract, "住所": "東京都新住所"}
    )
    assert (report.accepted, report.updated, report.refused) == (1, 0, ())
    async with contracts_api.database.transaction(EVERY_DEALER) as tx:
        stored = await tx.execute(text("SELECT customer_name, address FROM contract"))
    assert stored.one() == (ERASED, ERASED)


async def test_only_operators_erase(contracts_api: ContractsApi, completed_contract: str) -> None:
    body = {"contract_no": completed_contract, "reason": "x"}
    for code in ("E101", "M100", "H001"):
        assert (
            await contracts_api.request(code, "POST", "/erasures", json=body)
        ).status_code == 403
    assert (await order(contracts_api, "NONE")).json()["code"] == "CONTRACT_NOT_FOUND"


def test_seven_years_are_counted_by_the_calendar() -> None:
    assert completed_by_when(date(2032, 2, 29), years=7) == date(2025, 2, 28)
    assert completed_by_when(date(2032, 7, 15), years=7) == date(2025, 7, 15)
