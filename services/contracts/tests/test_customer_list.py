"""Customer list over HTTP: panels, scope, order, a hundred rows."""

from datetime import date, timedelta

import pytest

from .conftest import TODAY, ContractsApi


@pytest.mark.rule("D7")
@pytest.mark.parametrize(
    "keys",
    [
        {"registration_no": "１２３４"},
        {"customer_name": "山本　太郎"},
        {"customer_name": "やまもと"},
        {"contract_no": "c-1"},
        {"customer_name": "山本", "registration_no": "品川"},
    ],
)
async def test_individual_search_finds_a_customer(
    contracts_api: ContractsApi, keys: dict[str, str]
) -> None:
    await contracts_api.contract("C1")
    assert await contracts_api.search("E101", mode="individual", **keys) == ["C1"]


@pytest.mark.rule("D7")
async def test_a_number_is_compared_whole_and_all_keys_hold(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C12")
    assert await contracts_api.search("E101", mode="individual", contract_no="C1") == []
    both = {"customer_name": "山本", "registration_no": "9999"}
    assert await contracts_api.search("E101", mode="individual", **both) == []


@pytest.mark.rule("D2")
async def test_a_store_sees_its_own_contracts_only(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    await contracts_api.contract("C2", 店舗コード="S20", スタッフコード="E201")
    everything = {"mode": "general", "final_from": "2020-01"}
    assert await contracts_api.search("E101", **everything) == ["C1"]
    assert await contracts_api.search("H001", **everything) == ["C1", "C2"]
    assert (await contracts_api.get("E101", "/contracts/C2")).status_code == 404
    assert (await contracts_api.get("H001", "/contracts/C2")).status_code == 200
    assert (await contracts_api.get("H001", "/contracts/C2", dealer="D02")).status_code == 404
    other = await contracts_api.get("H001", "/contracts", params=everything, dealer="D02")
    assert other.json()["rows"] == []


@pytest.mark.rule("D6")
async def test_the_panels_exclude_each_other(contracts_api: ContractsApi) -> None:
    query = {"mode": "individual", "inspection_type": "first"}
    answer = await contracts_api.get("E101", "/contracts", params=query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "KEY_OF_OTHER_PANEL"


@pytest.mark.rule("D8")
async def test_a_search_needs_a_condition(contracts_api: ContractsApi) -> None:
    answer = await contracts_api.get("E101", "/contracts", params={"mode": "general"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["message"] == "検索条件を入力してください"


@pytest.mark.rule("D9", "D12")
async def test_general_keys_narrow_each_other(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1", 車種コード="PRIUS", 制度="ガンマファイナンス")
    await contracts_api.contract("C2", 車種コード="AQUA", 制度="ガンマファイナンス")
    await contracts_api.contract("C3", 車種コード="PRIUS", 制度="スマートバリュープランA")
    found = await contracts_api.search("E101", mode="general", model_code="PRIUS", product="GAMMA")
    assert found == ["C1"]
    assert await contracts_api.search("E101", mode="general", product="SVP_A") == ["C3"]
    unknown = {"mode": "general", "product": "NONE"}
    assert (await contracts_api.get("E101", "/contracts", params=unknown)).status_code == 422


@pytest.mark.rule("D10")
async def test_months_are_inclusive(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1", 最終回年月日="2022/03/31")
    await contracts_api.contract("C2", 最終回年月日="2022/04/01")
    assert await contracts_api.search("E101", mode="general", final_to="2022-03") == ["C1"]
    assert await contracts_api.search("E101", mode="general", final_from="2022-04") == ["C2"]
    turned = {"mode": "general", "final_from": "2022-04", "final_to": "2022-03"}
    assert (await contracts_api.get("E101", "/contracts", params=turned)).status_code == 422


@pytest.mark.rule("D13", "D16")
async def test_inspection_search_counts_months_and_says_so(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1", 初度登録年月日="2022/10", 商用車="1")
    await contracts_api.contract("C2", 初度登録年月日="2022/11/01")
    query = {"mode": "inspection", "inspection_type": "first", "months_from": "3"}
    answer = (await contracts_api.get("E101", "/contracts", params=query)).json()
    assert [row["contract_no"] for row in answer["rows"]] == ["C1"]
    assert answer["rows"][0]["inspection_month"] == "2025-10"
    assert "商用車" in answer["disclaimer"]


@pytest.mark.rule("D14")
@pytest.mark.parametrize(
    ("inspection", "months", "status"),
    [
        *(("first", "35", 200), ("second", "23", 200), ("third", "0", 200)),
        *(("first", "36", 422), ("second", "24", 422), ("first", "-1", 422)),
    ],
)
async def test_how_far_ahead(
    contracts_api: ContractsApi, inspection: str, months: str, status: int
) -> None:
    query = {"mode": "inspection", "inspection_type": inspection, "months_from": months}
    assert (await contracts_api.get("E101", "/contracts", params=query)).status_code == status


@pytest.mark.rule("D21")
async def test_the_eleven_columns(contracts_api: ContractsApi) -> None:
    query = {"mode": "individual", "contract_no": "C1"}
    answer = (await contracts_api.get("E101", "/contracts", params=query)).json()
    assert [column["label"] for column in answer["columns"]] == [
        *("最終回年月日/リース満了年月日", "結果入力期限", "ステータス", "代替", "完了"),
        *("ご契約者名", "車検年月", "車種・登録番号", "スタッフコード", "店舗名", "契約番号"),
    ]


@pytest.mark.rule("D22")
async def test_a_lease_shows_its_end(contracts_api: ContractsApi) -> None:
    await contracts_api.contract(
        "C1", 制度="リース", 最終回年月日="", リース満了年月日="2025/09/30"
    )
    assert (await contracts_api.row("C1"))["final_on"] == "2025-09-30"


@pytest.mark.rule("D25", "D26", "D29", "D34", "D52")
async def test_a_new_contract_in_the_list(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1", 最終回年月日="2025/04/30")
    row = await contracts_api.row("C1")
    assert row["result_due_on"] == "2025-02-28"
    assert (row["selection"], row["selection_label"]) == (None, "")
    assert (row["replacement_mark"], row["completed_mark"]) == ("未", "")
    assert (row["customer_name"], row["store_name"]) == ("山本 太郎", "本店")


@pytest.mark.rule("D23")
async def test_the_nearest_day_comes_first(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C3", 最終回年月日="2025/09/01")
    await contracts_api.contract("C2", 最終回年月日="2025/07/20")
    await contracts_api.contract("C5", 最終回年月日="2025/07/01")
    await contracts_api.contract("C4", 最終回年月日="2025/07/01")
    found = await contracts_api.search("E101", mode="general", final_from="2020-01")
    assert found == ["C4", "C5", "C2", "C3"]


@pytest.mark.rule("D24")
async def test_by_staff_code_both_ways_ties_by_day(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1", 最終回年月日="2025/09/01", スタッフコード="E101")
    await contracts_api.contract("C2", 最終回年月日="2025/08/01", スタッフコード="E102")
    await contracts_api.contract("C3", 最終回年月日="2025/07/20", スタッフコード="E102")
    await contracts_api.contract("C4", 最終回年月日="2025/07/19", スタッフコード="")
    query = {"mode": "general", "final_from": "2020-01"}
    ascending = await contracts_api.search("E101", **query, sort="staff_code")
    descending = await contracts_api.search("E101", **query, sort="-staff_code")
    assert (ascending, descending) == (["C1", "C3", "C2", "C4"], ["C3", "C2", "C1", "C4"])
    refused = await contracts_api.get(
        "E101", "/contracts", params={**query, "sort": "customer_name"}
    )
    assert refused.status_code == 422


@pytest.mark.rule("D17", "D18")
@pytest.mark.parametrize(("hits", "truncated"), [(100, False), (101, True)])
async def test_a_hundred_rows(contracts_api: ContractsApi, hits: int, truncated: bool) -> None:
    days = [TODAY + timedelta(days=n) for n in range(hits)]
    await contracts_api.import_contracts_file(
        *({"契約番号": f"C{n}", "最終回年月日": f"{day:%Y/%m/%d}"} for n, day in enumerate(days))
    )
    query = {"mode": "general", "final_from": "2020-01"}
    for code, csv in (("E101", False), ("M100", True), ("H001", True)):
        answer = (await contracts_api.get(code, "/contracts", params=query)).json()
        assert [row["contract_no"] for row in answer["rows"]] == [f"C{n}" for n in range(100)]
        assert (answer["truncated"], answer["total"], answer["shown"]) == (truncated, hits, 100)
        assert answer["csv_offered"] is csv
        assert ("本部または店長機にて顧客リスト" in (answer["advice"] or "")) is truncated


@pytest.mark.rule("D45", "D42")
async def test_colours_move_with_the_clock(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1", 最終回年月日="2025/09/15")
    assert (await contracts_api.row("C1"))["colour"]["colour"] == "yellow"
    contracts_api.clock.set(date(2025, 7, 16))
    colour = (await contracts_api.row("C1"))["colour"]
    assert (colour["colour"], bool(colour["reason"])) == ("red", True)


async def test_me_with_store_and_telephones(contracts_api: ContractsApi) -> None:
    place = (await contracts_api.get("E101", "/place")).json()
    assert place["dealer"] == {"code": "D01", "name": "みなと自動車販売"}
    assert place["store"] == {"code": "S10", "name": "本店"}
    assert (await contracts_api.get("H001", "/place")).json()["store"] is None
    me = (await contracts_api.get("E101", "/me")).json()
    assert (me["name"], me["role"], me["mobile_phone"]) == ("山田 太郎", "sales", "090-0000-0001")
    assert me["store"] == {"code": "S10", "name": "本店", "phone": "03-0010-1000"}
    assert (await contracts_api.get("H001", "/me")).json()["store"] is None
