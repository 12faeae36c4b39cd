"""Files as spreadsheets and dealers' systems write them: every column of every import."""

from datetime import date

import pytest

from contracts_service.rules.import_file import AcceptedLine, RefusedLine, read_contract_file
from contracts_service.rules.import_row import COLUMNS
from contracts_service.rules.japanese_dates import read_day

from .test_contract_import import KNOWN, as_file, numbered

SHORTER = {"債権買取": "", "TFC対応": "", "届出変更中": ""}


def rows_as(*rows: list[str], separator: str = ",") -> bytes:
    """A file whose lines are written as they are, without quotes."""
    return "\r\n".join(separator.join(row) for row in rows).encode()


def plain(number: str, **cells: str) -> list[str]:
    """The cells of a line that need no quotes."""
    return list((numbered(number) | {"最終回支払額": "1200000", "月額": "25000"} | cells).values())


@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_the_separator_is_the_one_of_the_heading(separator: str) -> None:
    content = rows_as(list(COLUMNS), plain("1"), separator=separator)
    assert [type(line) for line in read_contract_file(content, KNOWN)] == [AcceptedLine]


@pytest.mark.parametrize(
    "content",
    [
        rows_as(list(COLUMNS), plain("1")[:-3], plain("2", **SHORTER)),
        rows_as([*COLUMNS, ""], [*plain("1"), ""], [*plain("2"), "", ""]),
        rows_as(list(COLUMNS), plain("1"), [""] * 25, plain("2"), [" ", ""], ["\x1a"]),
    ],
    ids=["missing", "extra", "empty lines and the end of a DOS file"],
)
def test_empty_cells_at_the_end_do_not_matter(content: bytes) -> None:
    lines = list(read_contract_file(content, KNOWN))
    assert [type(line) for line in lines] == [AcceptedLine, AcceptedLine], lines


def test_a_line_with_too_many_cells_is_refused_and_a_missing_one_is_named() -> None:
    short = plain("2")[:20]
    content = rows_as(list(COLUMNS), [*plain("1"), "備考"], short)
    found = [line for line in read_contract_file(content, KNOWN) if isinstance(line, RefusedLine)]
    assert [reason.code for reason in found[0].reasons] == ["CELL_COUNT"]
    assert [(r.field, r.code) for r in found[1].reasons] == [("店舗コード", "MISSING")]


def test_yen_signs_of_shift_jis_hyphens_of_every_kind_and_kept_zeros() -> None:
    """As Excel writes the currency format to CP932, and programs write numbers as text."""
    cells = numbered('="0012"') | {
        "最終回支払額": "\\1,200,000",
        "残高": "￥1,350,000",
        "電話番号": "03ー1234ー5678",
        "郵便番号": "100ー0001",
        "最終回年月日": "2025/9/30 0:00",
        "初度登録年月日": "R4.10.1",
    }
    [line] = read_contract_file(as_file(cells).decode().encode("cp932"), KNOWN)
    assert isinstance(line, AcceptedLine), line
    row = line.row
    assert (row.contract_no, row.last_instalment_yen, row.balance_yen) == (
        "0012", 1_200_000, 1_350_000,
    )  # fmt: skip
    assert (row.phone, row.postal_code) == ("03-1234-5678", "100-0001")
    assert (row.final_on, row.first_registered_on) == (date(2025, 9, 30), date(2022, 10, 1))


def test_a_letter_of_one_company_s_own_is_named_with_line_and_column() -> None:
    """CP932 F040 is a character that only its own computers can show."""
    content = as_file(numbered("1"), numbered("2") | {"契約者名": "山＠"}).decode().encode("cp932")
    _, refused = read_contract_file(content.replace("＠".encode("cp932"), b"\xf0\x40"), KNOWN)
    assert isinstance(refused, RefusedLine)
    assert [(refused.line, r.field, r.code) for r in refused.reasons] == [
        (3, "契約者名", "PRIVATE_CHARACTER")
    ]


@pytest.mark.parametrize(
    "written",
    [
        "R7.7.15",
        "R07.07.15",
        "r7/7/15",
        "R070715",
        "令和7.7.15",
        "Ｒ７．７．１５",
        "㋿7年7月15日",
        "2025/7/15 0:00",
        "2025-07-15 00:00:00",
        "2025-07-15T00:00:00",
        "2025ー7ー15",
        "2025－07－15",
    ],
)
def test_days_of_other_programs(written: str) -> None:
    assert read_day(written) == date(2025, 7, 15)
