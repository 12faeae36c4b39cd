"""Demo data is deterministic and consistent, and covers everything that the pages can show."""

import csv
from collections import Counter
from datetime import date, timedelta
from itertools import islice
from pathlib import Path

import pytest

from madoguchi.embedded.demo import (
    COLUMNS,
    PRODUCTS,
    ROWS_OF_EVERY_KIND,
    VEHICLES,
    demo_contracts,
    demo_masters,
    write_csv,
)
from shared.roles import Role

TODAY = date(2025, 7, 15)
Contract = dict[str, str]


def contracts(count: int, seed: int = 1, today: date = TODAY, dealers: int = 6) -> list[Contract]:
    rows = demo_contracts(seed, count, today, demo_masters(dealers).dealers)
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def day(text: str) -> date:
    year, month, of_month = text.split("/")
    return date(int(year), int(month), int(of_month))


def final_on(contract: Contract) -> date:
    return day(contract["最終回年月日"] or contract["リース満了年月日"])


def colour(contract: Contract, today: date) -> str:
    """The colour by days only: two months have 59 to 62 days, four have 120 to 123."""
    left = (final_on(contract) - today).days
    if left < 0:
        return "grey"
    if contract["TFC対応"] == "1":
        return "blue"
    sure = {"red": range(59), "yellow": range(62, 120), "white": range(124, 2000)}
    return next((name for name, days in sure.items() if left in days), "boundary")


def test_the_same_seed_gives_the_same_rows() -> None:
    assert contracts(500) == contracts(500)
    assert contracts(500)[:200] == contracts(200)
    assert contracts(500) != contracts(500, seed=2)


@pytest.mark.parametrize("today", [TODAY, date(2024, 2, 29), date(2025, 12, 31), date(2026, 3, 1)])
def test_the_first_rows_show_every_product_in_every_colour_at_d01(today: date) -> None:
    first = contracts(ROWS_OF_EVERY_KIND, today=today)
    shown = {(contract["制度"], colour(contract, today)) for contract in first}
    colours = ("grey", "red", "yellow", "white", "blue")
    assert shown == {(product.name, one) for product in PRODUCTS for one in colours}
    assert {contract["販売店コード"] for contract in first} == {"D01"}


def test_later_rows_spread_over_all_dealers_products_and_flags() -> None:
    later = contracts(5000)[ROWS_OF_EVERY_KIND:]
    assert {contract["販売店コード"] for contract in later} == {f"D0{n}" for n in range(1, 7)}
    assert {contract["制度"] for contract in later} == {product.name for product in PRODUCTS}
    assert {colour(contract, TODAY) for contract in later} >= {"grey", "red", "yellow", "white"}
    for flag in ("債権買取", "TFC対応", "届出変更中", "商用車"):
        raised = sum(contract[flag] == "1" for contract in later)
        assert 0 < raised < len(later) / 4, flag


def test_every_code_of_a_contract_exists_in_the_masters() -> None:
    masters = demo_masters()
    staff = {
        (dealer.code, person.store_code, person.code)
        for dealer in masters.dealers
        for person in dealer.staff
        if person.role is Role.SALES
    }
    vehicles = {(vehicle.code, vehicle.name): vehicle for vehicle in masters.vehicles}
    products = {product.name: product for product in masters.products}
    for contract in contracts(3000):
        codes = tuple(contract[one] for one in ("販売店コード", "店舗コード", "スタッフコード"))
        assert codes in staff
        vehicle = vehicles[contract["車種コード"], contract["車種"]]
        assert vehicle.lexus == products[contract["制度"]].lexus
        assert contract["商用車"] == str(int(vehicle.commercial))


def test_contract_numbers_are_unique() -> None:
    numbers = Counter(contract["契約番号"] for contract in contracts(20_000))
    assert max(numbers.values()) == 1


def test_only_leases_have_a_lease_end_and_nothing_else_has_both_dates() -> None:
    for contract in contracts(2000):
        lease = contract["制度"] == "リース"
        assert bool(contract["リース満了年月日"]) == lease
        assert bool(contract["最終回年月日"]) != lease


def test_the_car_was_registered_when_the_instalments_began() -> None:
    for contract in contracts(3000):
        age = final_on(contract) - day(contract["初度登録年月日"])
        months = int(contract["分割回数"])
        assert timedelta(0) <= age - timedelta(months * 365.25 / 12 - 1) <= timedelta(30)
        assert 36 <= months <= 60
        assert day(contract["初度登録年月日"]) <= TODAY


def test_the_balance_is_the_present_value_of_the_instalments() -> None:
    for contract in contracts(3000):
        last, balance, monthly = (int(contract[c]) for c in ("最終回支払額", "残高", "月額"))
        days_left = max(0, (final_on(contract) - TODAY).days)
        left = min(int(contract["分割回数"]), -int(-days_left // (365.25 / 12)))
        assert monthly > 0
        if contract["制度"] == "リース":
            assert (last, balance) == (0, monthly * left)
            continue
        due = last + monthly * max(0, left - 1)
        years = left / 12
        assert due / (1 + float(contract["年率"]) / 100) ** (years + 0.1) <= balance <= due
        assert balance == last or left > 0


def test_d01_has_the_stores_and_people_of_the_examples() -> None:
    d01 = demo_masters().dealers[0]
    assert d01.code == "D01"
    assert [(store.code, store.name, store.unused) for store in d01.stores] == [
        ("S10", "本店", False),
        ("S20", "西店", False),
        ("S90", "(旧東店)", True),
    ]
    assert [(p.code, p.name.split()[0], p.role, p.store_code) for p in d01.staff] == [
        ("E101", "山田", "sales", "S10"),
        ("M100", "佐藤", "manager", "S10"),
        ("E201", "鈴木", "sales", "S20"),
        ("M200", "高橋", "manager", "S20"),
        ("H001", "田中", "hq", None),
    ]
    assert demo_masters().tfc_operator.role is Role.TFC


def test_masters_are_consistent_for_many_dealers() -> None:
    dealers = demo_masters(300).dealers
    assert len({dealer.code for dealer in dealers}) == 300
    assert len({dealer.name for dealer in dealers}) == 300
    assert dealers[:6] == demo_masters(6).dealers
    for dealer in dealers:
        stores = {store.code for store in dealer.stores if not store.unused}
        assert {person.store_code for person in dealer.sales} == stores
        assert {p.store_code for p in dealer.staff if p.role is Role.MANAGER} == stores
        assert any(person.role is Role.HQ for person in dealer.staff)
        assert len({person.code for person in dealer.staff}) == len(dealer.staff)
        assert len({person.name for person in dealer.staff}) == len(dealer.staff)
        assert all(len(p.name.split()) == len(p.name_kana.split()) == 2 for p in dealer.staff)
    mails = Counter(person.mail for dealer in dealers for person in dealer.staff)
    assert max(mails.values()) == 1
    with pytest.raises(ValueError, match="D01"):
        demo_masters(0)


def test_product_and_vehicle_codes_are_stable() -> None:
    assert [product.code for product in PRODUCTS] == [
        *("GAMMA", "MVP_A", "MVP_R", "DEFERRED_DEALER", "DEFERRED_TFC"),
        *("SVP_A", "SVP_R", "SVT_A", "SVT_R", "SVP_OPEN", "SVT_OPEN"),
        *("LEASE", "OTHER"),
    ]
    assert sum(product.share for product in PRODUCTS) == 100
    assert len({vehicle.code for vehicle in VEHICLES}) == len(VEHICLES)
    assert "その他" not in {vehicle.name for vehicle in VEHICLES}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "cp932"])
def test_the_file_reads_back_as_written(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "contracts.csv"
    write_csv(path, demo_contracts(1, 2000, TODAY), encoding)
    with path.open(encoding=encoding, newline="") as file:
        assert list(csv.DictReader(file)) == contracts(2000)


def test_rows_are_generated_lazily() -> None:
    endless = demo_contracts(1, 10**12, TODAY)
    assert len(list(islice(endless, 3))) == 3
