"""Search: the three panels, the bulk search, and the advice above one hundred hits."""

import re
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts_service.rules.bulk_search import BulkSearch, read_bulk_search
from contracts_service.rules.customer_list_csv import (
    CUSTOMER_LIST_COLUMNS,
    REPLACEMENT_COLUMNS,
    customer_list_csv,
)
from contracts_service.rules.inspection import Inspection
from contracts_service.rules.products import PRODUCT_BY_CODE
from contracts_service.rules.search_conditions import (
    GeneralSearch,
    IndividualSearch,
    InspectionSearch,
    Search,
    StatusCondition,
    read_search,
)
from contracts_service.rules.search_limit import SearchScreen, search_limit
from contracts_service.rules.search_text import (
    folded_contract_no,
    folded_name,
    folded_registration,
)
from shared.errors import FormErrors
from shared.roles import Role

T = date(2025, 7, 15)


def search(mode: str, **fields: str) -> Search:
    return read_search(mode, fields, today=T, product_codes=PRODUCT_BY_CODE)


def codes_of(mode: str, **fields: str) -> list[str]:
    with pytest.raises(FormErrors) as refused:
        search(mode, **fields)
    return [error.code for error in refused.value.fields]


@pytest.mark.rule("D6")
@pytest.mark.parametrize(
    ("mode", "fields"),
    [
        ("individual", {"inspection_type": "first"}),
        ("individual", {"contract_no": "C1", "final_to": "2022-03"}),
        ("general", {"customer_name": "山本"}),
        ("inspection", {"inspection_type": "first", "months_from": "3", "product": "GAMMA"}),
        ("general", {"paint": "red"}),
    ],
)
def test_one_panel_at_a_time(mode: str, fields: dict[str, str]) -> None:
    assert set(codes_of(mode, **fields)) == {"KEY_OF_OTHER_PANEL"}


@pytest.mark.rule("D6")
def test_a_panel_has_to_be_named() -> None:
    assert codes_of("all", customer_name="山本") == ["MODE_UNKNOWN"]


@pytest.mark.rule("D8")
@pytest.mark.parametrize("mode", ["individual", "general", "inspection"])
@pytest.mark.parametrize("fields", [{}, {"customer_name": " "}, {"final_to": "　"}])
def test_a_search_needs_a_condition(mode: str, fields: dict[str, str]) -> None:
    with pytest.raises(FormErrors) as refused:
        search(mode, **fields)
    assert [error.message for error in refused.value.fields] == ["検索条件を入力してください"]


@pytest.mark.rule("D8")
def test_hyphens_alone_are_no_condition() -> None:
    assert codes_of("individual", contract_no="--") == ["CONDITION_MISSING"]


@pytest.mark.rule("D7")
@pytest.mark.parametrize(
    ("stored", "text"),
    [
        ("品川 300 あ 1234", "１２３４"),
        ("品川 300 あ 1234", "品川３００あ"),
        ("品川 300 あ 12-34", "1234"),
        ("品川 300 あ 1234", "12ー34"),
        ("品川 300 あ 1234", "ア1234"),
    ],
)
def test_a_plate_is_found_by_any_part_in_any_width(stored: str, text: str) -> None:
    found = search("individual", registration_no=text)
    assert isinstance(found, IndividualSearch)
    assert found.registration_no is not None
    assert found.registration_no in folded_registration(stored)


@pytest.mark.rule("D7")
@pytest.mark.parametrize(
    ("stored", "text"),
    [
        ("山本 太郎", "山本　太郎"),
        ("山本 太郎", "本太"),
        ("ヤマモト タロウ", "ﾔﾏﾓﾄ"),
        ("ヤマモト タロウ", "やまもと"),
        ("サーバー商事", "サーバー"),
        ("ABC商会", "ａｂｃ"),
    ],
)
def test_a_name_is_found_by_any_part_in_any_spelling(stored: str, text: str) -> None:
    found = search("individual", customer_name=text)
    assert isinstance(found, IndividualSearch)
    assert found.customer_name is not None
    assert found.customer_name in folded_name(stored)


@pytest.mark.rule("D7")
def test_a_contract_number_is_compared_whole() -> None:
    found = search("individual", contract_no=" １２-３４５ ", customer_name="山本")
    assert found == IndividualSearch(contract_no="12345", customer_name="山本")
    assert folded_contract_no("12-345") == "12345" != folded_contract_no("12-3")


@pytest.mark.rule("D7")
@given(st.text("019azAZ０１９ａｚＡＺ -－‐―ー　"))
def test_only_plain_letters_and_digits_remain_of_any_number(written: str) -> None:
    folded = folded_contract_no(written)
    assert re.fullmatch("[0-9A-Z]*", folded)
    assert folded_contract_no(folded) == folded


@pytest.mark.rule("D9", "D12")
def test_general_keys_are_combined() -> None:
    found = search("general", model_code="PRIUS", product="GAMMA")
    assert found == GeneralSearch(model_code="PRIUS", product="GAMMA")


@pytest.mark.rule("D10")
@pytest.mark.parametrize(
    ("fields", "first", "last"),
    [
        ({"final_to": "2022-03"}, None, date(2022, 3, 31)),
        ({"final_from": "2022-04"}, date(2022, 4, 1), None),
        (
            {"final_from": "2024/2", "final_to": "２０２４-０２"},
            date(2024, 2, 1),
            date(2024, 2, 29),
        ),
    ],
)
def test_months_of_the_last_day_are_whole_and_inclusive(
    fields: dict[str, str], first: date | None, last: date | None
) -> None:
    assert search("general", **fields) == GeneralSearch(final_from=first, final_to=last)


@pytest.mark.rule("D10")
@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"final_from": "2022-04", "final_to": "2022-03"}, "RANGE_REVERSED"),
        ({"final_to": "2022-13"}, "MONTH_UNREADABLE"),
        ({"final_to": "三月"}, "MONTH_UNREADABLE"),
    ],
)
def test_months_that_make_no_range(fields: dict[str, str], code: str) -> None:
    assert codes_of("general", **fields) == [code]


@pytest.mark.rule("D11")
@pytest.mark.parametrize("status", StatusCondition)
def test_every_status_can_be_asked_for(status: StatusCondition) -> None:
    assert search("general", status=status.value) == GeneralSearch(status=status)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        pytest.param({"status": "lost"}, "STATUS_UNKNOWN", marks=pytest.mark.rule("D11")),
        pytest.param({"product": "NONSENSE"}, "PRODUCT_UNKNOWN", marks=pytest.mark.rule("D12")),
    ],
)
def test_codes_have_to_be_known(fields: dict[str, str], code: str) -> None:
    assert codes_of("general", **fields) == [code]


@pytest.mark.rule("D13")
def test_three_months_before_the_first_inspection() -> None:
    assert search("inspection", inspection_type="first", months_from="3") == InspectionSearch(
        inspection=Inspection.FIRST,
        months_from=3,
        months_to=3,
        registered_from=date(2022, 10, 1),
        registered_to=date(2022, 10, 1),
    )


@pytest.mark.rule("D14")
@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("first", {"months_from": "0"}),
        ("first", {"months_to": "35"}),
        ("first", {"months_from": "0", "months_to": "35"}),
        ("second", {"months_from": "２３"}),
        ("third", {"months_from": "0", "months_to": "23"}),
    ],
)
def test_months_ahead_within_the_cycle(kind: str, fields: dict[str, str]) -> None:
    assert isinstance(search("inspection", inspection_type=kind, **fields), InspectionSearch)


@pytest.mark.rule("D14")
@pytest.mark.parametrize(
    ("kind", "fields", "codes"),
    [
        ("first", {"months_from": "36"}, ["MONTHS_OUT_OF_RANGE"] * 2),
        ("second", {"months_from": "24"}, ["MONTHS_OUT_OF_RANGE"] * 2),
        ("third", {"months_from": "0", "months_to": "24"}, ["MONTHS_OUT_OF_RANGE"]),
        ("first", {"months_from": "-1"}, ["MONTHS_OUT_OF_RANGE"] * 2),
        ("first", {"months_from": "−1"}, ["MONTHS_OUT_OF_RANGE"] * 2),
        ("first", {"months_from": "x"}, ["MONTHS_OUT_OF_RANGE"] * 2),
        ("first", {}, ["MONTHS_OUT_OF_RANGE"] * 2),
        ("first", {"months_from": "5", "months_to": "3"}, ["RANGE_REVERSED"]),
        ("fourth", {"months_from": "3"}, ["INSPECTION_MISSING"]),
        ("", {"months_from": "3"}, ["INSPECTION_MISSING"]),
    ],
)
def test_months_ahead_beyond_the_cycle(kind: str, fields: dict[str, str], codes: list[str]) -> None:
    assert codes_of("inspection", inspection_type=kind, **fields) == codes


@pytest.mark.rule("D132")
def test_the_bulk_search_combines_six_keys() -> None:
    found = read_bulk_search(
        {
            "customer_name": "山本　太郎",
            "inspection_month": "2025/10",
            "registration_no": "12-34",
            "model_code": "PRIUS",
            "from_staff": "E101",
            "from_store": "S10",
        }
    )
    assert found == BulkSearch(
        customer_name="山本太郎",
        inspection_month=date(2025, 10, 1),
        registration_no="1234",
        model_code="PRIUS",
        from_staff="E101",
        from_store="S10",
    )


@pytest.mark.rule("D132")
@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "CONDITION_MISSING"),
        ({"from_staff": " "}, "CONDITION_MISSING"),
        ({"inspection_month": "soon"}, "MONTH_UNREADABLE"),
    ],
)
def test_the_bulk_search_needs_one_good_key(fields: dict[str, str], code: str) -> None:
    with pytest.raises(FormErrors) as refused:
        read_bulk_search(fields)
    assert [error.code for error in refused.value.fields] == [code]


@pytest.mark.rule("D17", "D18")
@pytest.mark.parametrize(
    ("total", "shown", "truncated"), [(0, 0, False), (100, 100, False), (101, 100, True)]
)
def test_one_hundred_rows_are_shown(total: int, shown: int, truncated: bool) -> None:
    found = search_limit(total, role=Role.SALES, screen=SearchScreen.CUSTOMER_LIST)
    assert (found.total, found.shown, found.truncated) == (total, shown, truncated)
    assert (found.advice is not None) is truncated


@pytest.mark.rule("D4", "D18")
@pytest.mark.parametrize(
    ("role", "offered"), [(Role.SALES, False), (Role.MANAGER, True), (Role.HQ, True)]
)
def test_everyone_reads_the_advice_but_only_leaders_get_the_button(
    role: Role, offered: bool
) -> None:
    found = search_limit(101, role=role, screen=SearchScreen.CUSTOMER_LIST)
    assert found.advice is not None
    assert "検索条件を絞るか、本部または店長機にて顧客リスト（csv）出力" in found.advice
    assert found.csv_offered is offered


@pytest.mark.rule("D134")
def test_the_bulk_screen_does_not_offer_csv() -> None:
    found = search_limit(101, role=Role.HQ, screen=SearchScreen.BULK_CHANGE)
    assert found.advice is not None
    assert "再検索" in found.advice
    assert "csv" not in found.advice
    assert (found.shown, found.csv_offered) == (100, False)


@pytest.mark.rule("D21")
def test_the_list_has_the_eleven_columns_of_the_manual() -> None:
    assert "、".join(CUSTOMER_LIST_COLUMNS) == (
        "最終回年月日/リース満了年月日、結果入力期限、ステータス、代替、完了、ご契約者名、"
        "車検年月、車種・登録番号、スタッフコード、店舗名、契約番号"
    )


def a_row(**cells: Any) -> list[str]:
    return [cells.get(name, "") for name in (*CUSTOMER_LIST_COLUMNS, *REPLACEMENT_COLUMNS)]


@pytest.mark.rule("D19", "D20")
def test_the_export_opens_in_a_spreadsheet() -> None:
    rows = [
        a_row(契約番号=str(number), 自社代替="有", 代替車両="プリウス") for number in range(250)
    ]
    lines = b"".join(customer_list_csv(rows)).decode("utf-8").splitlines()
    assert lines[0].startswith("\ufeff最終回年月日/リース満了年月日,")
    assert lines[0].endswith(",契約番号,自社代替,代替車両,その他車種名")
    assert len(lines) == 251
    assert lines[1].endswith(",0,有,プリウス,")


@pytest.mark.rule("D19")
@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+81", "'+81"),
        ("-2", "'-2"),
        ("@SUM", "'@SUM"),
        ("＝1+1", "'＝1+1"),
        ("＋81", "'＋81"),
        ("－2", "'－2"),
        ("＠SUM", "'＠SUM"),
        ("  =1", "'  =1"),
        ("納車;=1+1", "納車;'=1+1"),
        ("納車;納品", "納車;納品"),
        ("山本=太郎", "山本=太郎"),
        ("ー", "ー"),
    ],
)
def test_no_cell_runs_as_a_formula(text: str, safe: str) -> None:
    assert safe in b"".join(customer_list_csv([a_row(ご契約者名=text)])).decode()
