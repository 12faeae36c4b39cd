"""Dashboard for managers."""

from datetime import date

from contracts_service.rules.search_conditions import DueState

from .conftest import ContractsApi


async def test_due_and_overdue_per_store(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1", 最終回年月日="2025/09/01")
    await contracts_api.contract("C2", 最終回年月日="2025/10/20")
    await contracts_api.contract("C3", 最終回年月日="2025/07/14")
    await contracts_api.contract("C4", 最終回年月日="2025/05/01")
    await contracts_api.contract(
        "C5", 最終回年月日="2025/09/01", 店舗コード="S20", スタッフコード="E201"
    )
    fields = {"categories": ["early_payoff"], "own_replacement": True, "vehicle_code": "PRIUS"}
    await contracts_api.change("E101", "POST", "/contracts/C2/result", fields)
    figures = (await contracts_api.get("H001", "/dashboard")).json()
    first, second = figures["stores"]
    assert (first["store_name"], first["red"], first["yellow"]) == ("本店", 1, 1)
    assert (first["overdue_open"], first["overdue_to_30"], first["overdue_to_90"]) == (2, 1, 1)
    assert (first["replacement_rate"], second["replacement_rate"]) == (1.0, None)
    assert figures["total"]["red"] == 2
    own = (await contracts_api.get("M200", "/dashboard")).json()
    assert [store["store_code"] for store in own["stores"]] == ["S20"]


async def test_without_contracts(contracts_api: ContractsApi) -> None:
    contracts_api.clock.set(date(2025, 7, 16))
    figures = (await contracts_api.get("H001", "/dashboard")).json()
    assert figures == {"stores": [], "total": {"replacement_rate": None}}


async def test_each_figure_is_the_number_of_rows_of_its_list(contracts_api: ContractsApi) -> None:
    days = ["2025/09/01", "2025/10/20", "2025/07/15", "2025/07/14", "2025/06/15", "2025/06/14"]
    days += ["2025/05/16", "2025/05/15", "2025/04/16", "2025/04/15", "2024/07/15"]
    for number, day in enumerate(days):
        store = {"店舗コード": "S20", "スタッフコード": "E201"} if number % 2 else {}
        await contracts_api.contract(f"C{number}", 最終回年月日=day, **store)
    figures = (await contracts_api.get("H001", "/dashboard")).json()
    counted = 0
    for store in figures["stores"]:
        asked = {"mode": "general", "store_code": store["store_code"]}
        found = await contracts_api.get("H001", "/contracts", params=asked)
        assert found.json()["total"] == store["contracts"] > 0
        for due in DueState:
            found = await contracts_api.get("H001", "/contracts", params=asked | {"due": due})
            rows = found.json()["rows"]
            assert len(rows) == store[due], due
            assert {row["store_code"] for row in rows} <= {store["store_code"]}
            counted += len(rows)
    assert counted > 2 * len(days)
