"""Master files: each kind's columns, keys and places."""

import csv
import io

import pytest

from contracts_service.rules.import_file import RefusedLine
from contracts_service.rules.master_file import (
    MASTER_COLUMNS,
    KnownPlaces,
    MasterKind,
    MasterLine,
    read_master_file,
)

KNOWN = KnownPlaces(dealers={"D01", "D02"}, stores={("D01", "S10"), ("D02", "S10")})
STAFF = (
    "D01",
    "E101",
    "山田 太郎",
    "ヤマダ タロウ",
    "営業スタッフ",
    "S10",
    "090-0001-0001",
    "",
    "1",
)


def lines(kind: MasterKind, *rows: tuple[str, ...]) -> list[MasterLine | RefusedLine]:
    written = io.StringIO()
    csv.writer(written).writerows([tuple(MASTER_COLUMNS[kind]), *rows])
    return list(read_master_file(kind, written.getvalue().encode(), KNOWN))


def faults(kind: MasterKind, *rows: tuple[str, ...]) -> list[tuple[str, str]]:
    """Field and code of each fault, over all lines."""
    refused = [line for line in lines(kind, *rows) if isinstance(line, RefusedLine)]
    return [(reason.field, reason.code) for line in refused for reason in line.reasons]


def staff(**cells: str) -> tuple[str, ...]:
    columns = tuple(MASTER_COLUMNS[MasterKind.STAFF])
    return tuple((dict(zip(columns, STAFF, strict=True)) | cells).values())


def test_a_line_becomes_the_columns_of_its_table() -> None:
    [line] = lines(MasterKind.STAFF, STAFF)
    assert isinstance(line, MasterLine)
    assert (line.line, line.values["staff_code"], line.values["role"]) == (2, "E101", "sales")
    assert line.values["mail"] is None, "a person may have no mail address"


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ({"販売店コード": "D09"}, ("販売店コード", "DEALER_UNKNOWN")),
        ({"店舗コード": "S99"}, ("店舗コード", "STORE_UNKNOWN")),
        ({"店舗コード": ""}, ("店舗コード", "MISSING")),
        ({"役割": "本部担当者"}, ("店舗コード", "STORE_OF_HEADQUARTERS")),
        ({"役割": "社長"}, ("役割", "ROLE_UNKNOWN")),
        ({"メール": "yamada"}, ("メール", "MAIL_FORM")),
    ],
)
def test_a_person_at_no_known_place_is_refused(
    cells: dict[str, str], fault: tuple[str, str]
) -> None:
    assert faults(MasterKind.STAFF, staff(**cells)) == [fault]


def test_headquarters_have_no_store() -> None:
    assert faults(MasterKind.STAFF, staff(役割="本部担当者", 店舗コード="")) == []


def test_a_line_with_a_cell_too_many_says_how_many_there_should_be() -> None:
    [refused] = lines(MasterKind.DEALERS, ("D01", "東都", "余分"))
    assert isinstance(refused, RefusedLine)
    assert [(r.field, r.code, r.message) for r in refused.reasons] == [
        ("", "CELL_COUNT", "列の数が2ではなく3です")
    ]


def test_a_new_dealer_is_known_to_nobody_yet() -> None:
    assert faults(MasterKind.DEALERS, ("D09", "新しい販売店")) == []


def test_a_vehicle_may_be_of_every_dealer_or_of_a_known_one() -> None:
    row = ("PRIUS", "プリウス", "1")
    assert faults(MasterKind.VEHICLES, ("", *row), ("D01", *row), ("D02", *row)) == []
    assert faults(MasterKind.VEHICLES, ("D09", *row)) == [("販売店コード", "DEALER_UNKNOWN")]


def test_the_same_code_comes_twice_only_at_another_dealer() -> None:
    elsewhere = staff(販売店コード="D02")
    assert faults(MasterKind.STAFF, STAFF, elsewhere, staff(スタッフコード="E102")) == []
    assert faults(MasterKind.STAFF, STAFF, staff(氏名="別人")) == [("販売店コード", "LINE_TWICE")]
