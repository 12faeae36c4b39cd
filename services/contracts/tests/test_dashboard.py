"""What managers look at first."""

from datetime import date

from .conftest import Office


async def test_due_and_overdue_per_store(office: Office) -> None:
    await office.contract("C1", 最終回年月日="2025/09/01")
    await office.contract("C2", 最終回年月日="2025/10/20")
    await office.contract("C3", 最終回年月日="2025/07/14")
    await office.contract("C4", 最終回年月日="2025/05/01")
    await office.contract("C5", 最終回年月日="2025/09/01", 店舗コード="S20", スタッフコード="E201")
    typed = {"categories": ["early_payoff"], "own_replacement": True, "vehicle_code": "PRIUS"}
    await office.change("E101", "POST", "/contracts/C2/result", typed)
    figures = (await office.get("H001", "/dashboard")).json()
    first, second = figures["stores"]
    assert (first["store_name"], first["red"], first["yellow"]) == ("本店", 1, 1)
    assert (first["overdue_open"], first["overdue_to_30"], first["overdue_to_90"]) == (2, 1, 1)
    assert (first["replacement_rate"], second["replacement_rate"]) == (1.0, None)
    assert figures["total"]["red"] == 2
    own = (await office.get("M200", "/dashboard")).json()
    assert [store["store_code"] for store in own["stores"]] == ["S20"]


async def test_without_contracts(office: Office) -> None:
    office.clock.set(date(2025, 7, 16))
    figures = (await office.get("H001", "/dashboard")).json()
    assert figures == {"stores": [], "total": {"replacement_rate": None}}
