"""Contract file: cells, lines, and the file as a whole."""

import csv
import io
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts_service.rules.import_file import (
    AcceptedLine,
    ColumnsNotAsAgreed,
    FileUnreadable,
    RefusedLine,
    read_contract_file,
)
from contracts_service.rules.import_row import (
    COLUMNS,
    ContractRow,
    KnownCodes,
    read_contract_row,
)
from contracts_service.rules.japanese_dates import ERAS, read_day, read_month
from contracts_service.rules.products import PRODUCT_BY_CODE

KNOWN = KnownCodes(
    product_codes=set(PRODUCT_BY_CODE),
    stores={("D01", "S10"), ("D01", "S20"), ("D02", "S30")},
    staff={("D01", "S10", "E101"), ("D01", "S20", "E201")},
)
LOAN = {
    "販売店コード": "D01",
    "契約番号": "123-456789",
    "制度": "スマートバリュープランR",
    "最終回年月日": "2025/09/30",
    "リース満了年月日": "",
    "最終回支払額": "1,200,000",
    "残高": "1350000",
    "分割回数": "60",
    "月額": "25,000円",
    "年率": "3.9%",
    "車種コード": "PRIUS",
    "車種": "プリウス",
    "登録番号": "品川　３００ あ 1234",
    "初度登録年月日": "2022/10",
    "商用車": "",
    "契約者名": "山本　太郎",
    "契約者名カナ": "ﾔﾏﾓﾄ ﾀﾛｳ",
    "郵便番号": "1000001",
    "住所": "東京都千代田区千代田１－１",
    "電話番号": "０３－１２３４－５６７８",
    "店舗コード": "S10",
    "スタッフコード": "E101",
    "債権買取": "有",
    "TFC対応": "0",
    "届出変更中": "無",
}
LEASE = {
    **LOAN,
    "制度": "LEASE",
    "最終回年月日": "",
    "リース満了年月日": "令和7年9月30日",
    **dict.fromkeys(("最終回支払額", "残高", "分割回数", "月額", "年率"), ""),
}


def the_row(cells: dict[str, str]) -> ContractRow:
    found = read_contract_row(cells, KNOWN)
    assert isinstance(found, ContractRow), found
    return found


def wrong_in(cells: dict[str, str]) -> list[tuple[str, str]]:
    found = read_contract_row(cells, KNOWN)
    assert not isinstance(found, ContractRow)
    assert all(error.message for error in found)
    return [(error.field, error.code) for error in found]


def test_a_complete_line_becomes_a_contract() -> None:
    assert the_row(LOAN) == ContractRow(
        dealer_code="D01",
        contract_no="123456789",
        product_code="SVP_R",
        final_on=date(2025, 9, 30),
        is_lease=False,
        last_instalment_yen=1_200_000,
        balance_yen=1_350_000,
        instalments=60,
        monthly_yen=25_000,
        yearly_rate_percent=Decimal("3.9"),
        model_code="PRIUS",
        model="プリウス",
        registration_no="品川 300 あ 1234",
        first_registered_month=date(2022, 10, 1),
        first_registered_on=None,
        commercial=False,
        customer_name="山本　太郎",
        customer_name_kana="ヤマモト タロウ",
        postal_code="100-0001",
        address="東京都千代田区千代田１－１",
        phone="03-1234-5678",
        store_code="S10",
        staff_code="E101",
        receivable_purchased=True,
        tfc_handled=False,
        customer_change_pending=False,
    )


@pytest.mark.rule("D22")
def test_a_lease_ends_with_its_term_and_has_no_loan() -> None:
    row = the_row(LEASE)
    assert (row.final_on, row.is_lease) == (date(2025, 9, 30), True)
    assert (row.balance_yen, row.yearly_rate_percent) == (None, None)


@pytest.mark.rule("D22")
@pytest.mark.parametrize(
    ("cells", "wrong"),
    [
        (LOAN | {"最終回年月日": ""}, [("最終回年月日", "MISSING")]),
        (LOAN | {"リース満了年月日": "2025/09/30"}, [("リース満了年月日", "NOT_OF_THIS_PRODUCT")]),
        (LEASE | {"最終回年月日": "2025/09/30"}, [("最終回年月日", "NOT_OF_THIS_PRODUCT")]),
        (LEASE | {"リース満了年月日": ""}, [("リース満了年月日", "MISSING")]),
    ],
)
def test_exactly_the_last_day_of_the_product(
    cells: dict[str, str], wrong: list[tuple[str, str]]
) -> None:
    assert wrong_in(cells) == wrong


@pytest.mark.parametrize(
    ("column", "written", "code"),
    [
        ("販売店コード", "", "MISSING"),
        ("販売店コード", "日本", "CODE_FORM"),
        ("契約番号", " ", "MISSING"),
        ("契約番号", "12#34", "CONTRACT_NO_FORM"),
        ("制度", "", "MISSING"),
        ("制度", "ゆめプラン", "PRODUCT_UNKNOWN"),
        ("最終回年月日", "2025/02/29", "DATE_FORM"),
        ("最終回支払額", "", "MISSING"),
        ("最終回支払額", "-1", "YEN_FORM"),
        ("残高", "1.5", "YEN_FORM"),
        ("分割回数", "0", "INSTALMENTS_FORM"),
        ("分割回数", "121", "INSTALMENTS_FORM"),
        ("年率", "0.0390", "RATE_FORM"),
        ("年率", "100", "RATE_FORM"),
        ("車種", "", "MISSING"),
        ("登録番号", "", "MISSING"),
        ("初度登録年月日", "", "MISSING"),
        ("初度登録年月日", "2022", "DATE_FORM"),
        ("商用車", "maybe", "FLAG_FORM"),
        ("契約者名", "", "MISSING"),
        ("契約者名", "山本\x00", "CONTROL_CHARACTER"),
        ("契約者名", "山" * 201, "TOO_LONG"),
        ("契約者名", "山\ue000太郎", "PRIVATE_CHARACTER"),
        ("住所", "東京都\ue757", "PRIVATE_CHARACTER"),
        ("最終回支払額", "\\-1", "YEN_FORM"),
        ("契約者名カナ", "山本", "KANA_FORM"),
        ("郵便番号", "100-001", "POSTAL_CODE_FORM"),
        ("住所", "", "MISSING"),
        ("電話番号", "1234567890", "PHONE_FORM"),
        ("電話番号", "03-1234-567", "PHONE_FORM"),
        ("店舗コード", "S99", "STORE_UNKNOWN"),
        ("店舗コード", "S30", "STORE_UNKNOWN"),
        ("スタッフコード", "E201", "STAFF_UNKNOWN"),
    ],
)
def test_a_wrong_cell_is_named(column: str, written: str, code: str) -> None:
    assert wrong_in(LOAN | {column: written}) == [(column, code)]


def test_all_wrong_cells_of_a_line_are_named_at_once() -> None:
    cells = LOAN | {"契約番号": "", "残高": "x", "最終回年月日": "いつか"}
    assert wrong_in(cells) == [
        ("契約番号", "MISSING"),
        ("残高", "YEN_FORM"),
        ("最終回年月日", "DATE_FORM"),
    ]


@pytest.mark.parametrize(
    "column", ["車種コード", "契約者名カナ", "郵便番号", "電話番号", "スタッフコード"]
)
def test_some_columns_may_be_empty(column: str) -> None:
    the_row(LOAN | {column: " "})


@pytest.mark.rule("D12")
@pytest.mark.parametrize("product", PRODUCT_BY_CODE.values(), ids=PRODUCT_BY_CODE)
def test_a_product_is_given_by_code_or_by_name(product: object) -> None:
    expected = PRODUCT_BY_CODE[getattr(product, "code", "")]
    like = LEASE if expected.is_lease else LOAN
    for written in (expected.code, expected.name):
        assert the_row(like | {"制度": written}).product_code == expected.code


def test_a_product_that_came_later_is_given_by_its_code() -> None:
    known = KnownCodes(product_codes={"NEW_PLAN"}, stores=KNOWN.stores, staff=KNOWN.staff)
    row = read_contract_row(LOAN | {"制度": "NEW_PLAN"}, known)
    assert isinstance(row, ContractRow)
    assert (row.product_code, row.is_lease) == ("NEW_PLAN", False)


def test_the_day_of_first_registration_is_kept_where_it_is_known() -> None:
    row = the_row(LOAN | {"初度登録年月日": "令和4年10月1日"})
    assert row.first_registered_month == row.first_registered_on == date(2022, 10, 1)


def test_names_stay_as_they_are_written() -> None:
    row = the_row(LOAN | {"契約者名": " 髙﨑\n神 ", "住所": "１丁目\t２番"})
    assert (row.customer_name, row.address) == ("髙﨑 神", "１丁目 ２番")


@pytest.mark.parametrize(
    "written",
    [
        "2025/07/15",
        "2025-07-15",
        "20250715",
        "令和7年7月15日",
        "2025/7/15",
        "２０２５／０７／１５",
        "2025年7月15日",
        " 令和 7年 7月 15日 ",
    ],
)
def test_one_day_in_many_spellings(written: str) -> None:
    assert read_day(written) == date(2025, 7, 15)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("令和元年5月1日", date(2019, 5, 1)),
        ("平成31年4月30日", date(2019, 4, 30)),
        ("昭和64年1月7日", date(1989, 1, 7)),
        ("平成31年5月1日", date(2019, 5, 1)),
        ("令和元年4月30日", None),
        ("2025/13/01", None),
        ("2025/02/29", None),
        ("2025/07-15", None),
        ("元年5月1日", None),
        ("15.07.2025", None),
        ("2025/7/15 9:30", None),
        ("H31.4.30", date(2019, 4, 30)),
        ("R1.4.30", None),
        ("S64.1.7", date(1989, 1, 7)),
        ("M45.1.1", None),
        ("R7.7-15", None),
        ("", None),
    ],
)
def test_days_at_the_edges(written: str, day: date | None) -> None:
    assert read_day(written) == day


@given(st.dates(date(1950, 1, 1), date(2050, 12, 31)))
def test_a_day_comes_back_from_every_spelling(day: date) -> None:
    era, begins = next((era, begins) for era, begins in ERAS.items() if begins <= day)
    in_era = f"{era}{day.year - begins.year + 1}年{day.month}月{day.day}日"
    spellings = {f"{day:%Y/%m/%d}", f"{day:%Y-%m-%d}", f"{day:%Y%m%d}", in_era}
    assert {read_day(written) for written in spellings} == {day}


@pytest.mark.parametrize("written", ["2022/10", "2022-10", "202210", "2022年10月", "令和4年10月"])
def test_one_month_in_many_spellings(written: str) -> None:
    assert read_month(written) == date(2022, 10, 1)
    assert read_day(written) is None


def as_file(*lines: dict[str, str], heading: list[str] | None = None) -> bytes:
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(heading or COLUMNS)
    table.writerows(line.values() for line in lines)
    return written.getvalue().encode()


def numbered(number: str) -> dict[str, str]:
    return LOAN | {"契約番号": number}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
def test_a_file_is_read_in_either_encoding(encoding: str) -> None:
    content = as_file(numbered("1"), numbered("2")).decode().encode(encoding)
    lines = list(read_contract_file(content, KNOWN))
    assert [line.line for line in lines] == [2, 3]
    assert all(isinstance(line, AcceptedLine) for line in lines)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"\x80\x81\xff"])
def test_an_undecodable_file_is_refused_as_a_whole(content: bytes) -> None:
    with pytest.raises(FileUnreadable):
        read_contract_file(content, KNOWN)


def columns_wrong(heading: list[str]) -> list[tuple[str, str]]:
    with pytest.raises(ColumnsNotAsAgreed) as refused:
        read_contract_file(as_file(heading=heading), KNOWN)
    return [(error.field, error.code) for error in refused.value.fields]


def test_missing_unknown_and_repeated_columns_are_named() -> None:
    agreed = list(COLUMNS)
    assert columns_wrong(agreed[:-1]) == [("届出変更中", "COLUMN_MISSING")]
    assert columns_wrong([*agreed, "備考"]) == [("備考", "COLUMN_UNKNOWN")]
    assert columns_wrong([*agreed, "残高"]) == [("残高", "COLUMN_TWICE")]
    assert columns_wrong(["契約no.", *agreed[2:], "販売店コード"]) == [
        ("契約番号", "COLUMN_MISSING"),
        ("契約no.", "COLUMN_UNKNOWN"),
    ]


def test_columns_in_another_order_are_named() -> None:
    agreed = list(COLUMNS)
    turned = [agreed[1], agreed[0], *agreed[2:]]
    assert columns_wrong(turned) == [
        ("契約番号", "COLUMN_OUT_OF_ORDER"),
        ("販売店コード", "COLUMN_OUT_OF_ORDER"),
    ]
    with pytest.raises(ColumnsNotAsAgreed) as refused:
        read_contract_file(as_file(heading=turned), KNOWN)
    assert [error.message[:4] for error in refused.value.fields] == ["1列目は", "2列目は"]


def test_every_refused_line_says_where_and_why() -> None:
    content = as_file(numbered("1"), numbered("2") | {"残高": "x"}, numbered("3"))
    _, refused, _ = read_contract_file(content, KNOWN)
    assert isinstance(refused, RefusedLine)
    assert (refused.line, refused.contract_no) == (3, "2")
    assert [(reason.field, reason.code) for reason in refused.reasons] == [("残高", "YEN_FORM")]


def test_a_contract_number_that_comes_again_names_both_lines() -> None:
    content = as_file(numbered("12-3"), numbered("9"), numbered("１２３") | {"残高": "x"})
    first, _, again = read_contract_file(content, KNOWN)
    assert isinstance(first, AcceptedLine)
    assert isinstance(again, RefusedLine)
    assert [reason.code for reason in again.reasons] == ["CONTRACT_NO_TWICE", "YEN_FORM"]
    assert again.reasons[0].message == "契約番号「123」が2行目と4行目で重複しています"


def test_the_second_line_is_refused_even_where_the_first_was() -> None:
    content = as_file(numbered("1") | {"残高": "x"}, numbered("1"))
    _, again = read_contract_file(content, KNOWN)
    assert isinstance(again, RefusedLine)
    assert [reason.code for reason in again.reasons] == ["CONTRACT_NO_TWICE"]


def test_empty_lines_are_passed_over_and_lines_within_cells_counted() -> None:
    content = as_file(numbered("1") | {"住所": "千代田\n１－１"}, numbered("2"))
    content = content.replace(b"\r\n", b"\r\n\r\n", 1) + b",,,\r\n"
    assert [line.line for line in read_contract_file(content, KNOWN)] == [3, 5]


def test_a_line_that_ends_early_is_refused_by_what_it_lacks() -> None:
    (refused,) = read_contract_file(as_file() + b"D01,1,SVP_R\r\n", KNOWN)
    assert isinstance(refused, RefusedLine)
    assert {reason.code for reason in refused.reasons} == {"MISSING"}
    assert "契約者名" in {reason.field for reason in refused.reasons}


def test_quotes_that_do_not_match_name_the_line() -> None:
    content = as_file(numbered("1")) + b'D01,"2,SVP_R\r\n'
    with pytest.raises(FileUnreadable, match="3行目から"):
        list(read_contract_file(content, KNOWN))


def test_a_heading_with_quotes_that_do_not_match_is_refused_as_a_whole() -> None:
    with pytest.raises(FileUnreadable, match="1行目から"):
        read_contract_file(b'"a"b,c\r\n', KNOWN)


def test_lines_come_before_the_file_is_read_to_its_end() -> None:
    broken_later = as_file(numbered("1")) + b'D01,"2,SVP_R\r\n'
    assert isinstance(next(read_contract_file(broken_later, KNOWN)), AcceptedLine)


@given(st.lists(st.integers(0, 30), max_size=40), st.sampled_from([0, 1, 2]))
def test_every_line_is_answered_once_and_in_order(numbers: list[int], spoil: int) -> None:
    lines = [
        numbered(str(number)) | ({"残高": "x"} if spoil and at % 3 == spoil else {})
        for at, number in enumerate(numbers)
    ]
    found = list(read_contract_file(as_file(*lines), KNOWN))
    assert [line.line for line in found] == list(range(2, len(numbers) + 2))
    accepted = [line.row.contract_no for line in found if isinstance(line, AcceptedLine)]
    assert len(accepted) == len(set(accepted))


def test_days_of_a_whole_era_change_are_continuous() -> None:
    day = date(2019, 4, 29)
    for offset, written in enumerate(
        ["平成31年4月29日", "平成31年4月30日", "令和元年5月1日", "令和1年5月2日"]
    ):
        assert read_day(written) == day + timedelta(days=offset)
