"""Journal lines and the files of four accounting products (R82, R83, R84, R86)."""

import csv
import io
from dataclasses import replace
from datetime import date

import pytest

from commuter_service.rules.accounting_setting import check_accounts
from commuter_service.rules.invoice_basis import InvoiceBasis, share_without_invoice
from commuter_service.rules.journal_formats import LAYOUTS, JournalFormat, cut, journal_csv, width
from commuter_service.rules.journal_lines import (
    USUAL_CREDIT,
    USUAL_DEBITS,
    Account,
    JournalAccounts,
    JournalItem,
    TaxTreatment,
    journal_line,
    posting_of,
)
from commuter_service.rules.slip_kind import SlipKind
from shared.errors import FormErrors

RIDE = JournalItem(
    slip_no="018f0000-0000-7000-8000-000000000001",
    kind=SlipKind.TRANSPORT,
    item_on=date(2026, 11, 20),
    employee="営業太郎",
    store_code="S10",
    what="三鷹―東京（往復）",
    purpose="本部会議",
    payee="",
    registration_no="",
    amount_yen=506,
    basis=InvoiceBasis.PUBLIC_TRANSPORT,
)
TAXI = RIDE._replace(
    what="タクシー",
    payee="東都交通",
    registration_no="T7000012050002",
    amount_yen=1_800,
    basis=InvoiceBasis.INVOICE,
)
PARKING = RIDE._replace(what="駐車場", amount_yen=400, basis=InvoiceBasis.NO_INVOICE)
HOTEL_ABROAD = RIDE._replace(
    kind=SlipKind.OVERSEAS_TRIP, what="宿泊", amount_yen=20_000, basis=None
)


def accounts(target: JournalFormat, **changes: object) -> JournalAccounts:
    words = LAYOUTS[target].tax_words
    usual = JournalAccounts(USUAL_DEBITS, USUAL_CREDIT, words, {"S10": "本店"})
    return replace(usual, **changes)  # type: ignore[arg-type]


def read(target: JournalFormat, *items: JournalItem, **changes: object) -> list[list[str]]:
    """The file as the product reads it."""
    known = accounts(target, **changes)
    lines = [
        journal_line(number, one, posting_of(one, known))
        for number, one in enumerate(items, start=1)
    ]
    content = journal_csv(LAYOUTS[target], lines, first=True)
    text = content.decode(LAYOUTS[target].encoding)
    assert text.endswith("\r\n")
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.rule("R83")
def test_yayoi_has_25_columns_and_no_heading() -> None:
    (row,) = read(JournalFormat.YAYOI, RIDE)
    assert row == [
        *("2000", "", "", "2026/11/20"),
        *("旅費交通費", "", "本店", "課対仕入込10%適格", "506", ""),
        *("未払金", "", "本店", "対象外", "506", ""),
        "公共交通機関特例 営業太郎 三鷹―東京（往復） 本部会議",
        *("", "", "0", "", RIDE.slip_no, "0", "0", "no"),
    ]
    assert len(row) == 25


@pytest.mark.rule("R83")
def test_moneyforward_has_27_columns_and_numbers_its_entries() -> None:
    heading, ride, parking = read(JournalFormat.MONEYFORWARD, RIDE, PARKING)
    assert len(heading) == len(ride) == 27
    assert heading[:2] == ["取引No", "取引日"]
    assert heading[-1] == "最終更新者"
    first, second = dict(zip(heading, ride, strict=True)), dict(zip(heading, parking, strict=True))
    assert (first["取引No"], second["取引No"]) == ("1", "2")
    assert (first["借方税区分"], first["借方インボイス"]) == ("課税仕入 10%", "")
    assert (second["借方税区分"], second["借方インボイス"]) == ("課税仕入 10%", "70%控除")
    assert first["借方金額(円)"] == first["貸方金額(円)"] == "506"


@pytest.mark.rule("R83")
def test_freee_reads_both_sides_of_a_line() -> None:
    heading, row = read(JournalFormat.FREEE, TAXI)
    line = dict(zip(heading, row, strict=True))
    assert line["日付"] == "2026/11/20"
    assert (line["借方勘定科目"], line["借方税区分"], line["借方金額"]) == (
        "旅費交通費", "課対仕入10%", "1800",
    )  # fmt: skip
    assert (line["貸方勘定科目"], line["貸方税区分"], line["貸方金額"]) == (
        "未払金", "対象外", "1800",
    )  # fmt: skip
    assert line["借方取引先"] == "東都交通"
    assert line["摘要"] == "東都交通 T7000012050002 営業太郎 タクシー 本部会議"


@pytest.mark.rule("R83")
def test_each_product_gets_no_longer_text_than_it_reads() -> None:
    long = RIDE._replace(employee="A" * 500)
    name = Account("科" * 40, "補" * 40)
    debits, stores = dict.fromkeys(USUAL_DEBITS, name), {"S10": "店" * 40}
    (yayoi,) = read(JournalFormat.YAYOI, long, debits=debits, credit=name, departments=stores)
    assert [width(yayoi[at]) for at in (4, 5, 6, 10, 11, 12)] == [24] * 6
    assert width(yayoi[16]) == 64
    assert width(read(JournalFormat.MONEYFORWARD, long)[1][18]) == 400
    assert width(read(JournalFormat.FREEE, long)[1][-1]) == 200
    assert width(read(JournalFormat.OBC, long)[1][-1]) == 80


@pytest.mark.rule("R83")
def test_obc_takes_codes_under_its_symbols() -> None:
    codes = {kind: Account("7210", "001") for kind in USUAL_DEBITS}
    heading, row = read(
        JournalFormat.OBC, RIDE, debits=codes, credit=Account("2130"), departments={"S10": "010"}
    )
    line = dict(zip(heading, row, strict=True))
    assert heading == [
        *("OBCD001", "CSJS005"),
        *("CSJS200", "CSJS201", "CSJS202", "CSJS203", "CSJS213"),
        *("CSJS300", "CSJS301", "CSJS302", "CSJS303", "CSJS313", "CSJS100"),
    ]
    assert line["OBCD001"] == "*"
    assert (line["CSJS200"], line["CSJS201"], line["CSJS202"]) == ("010", "7210", "001")
    assert (line["CSJS301"], line["CSJS313"]) == ("2130", "506")
    assert line["CSJS005"] == "2026/11/20"


@pytest.mark.rule("R82")
@pytest.mark.parametrize(
    ("item", "treatment"),
    [
        (RIDE, TaxTreatment.PUBLIC_TRANSPORT),
        (TAXI, TaxTreatment.INVOICE),
        (PARKING, TaxTreatment.NO_INVOICE),
        (PARKING._replace(basis=None), TaxTreatment.NO_INVOICE),
        (HOTEL_ABROAD, TaxTreatment.OUT_OF_SCOPE),
        (PARKING._replace(item_on=date(2031, 10, 1)), TaxTreatment.OUT_OF_SCOPE),
    ],
)
def test_the_treatment_of_tax(item: JournalItem, treatment: TaxTreatment) -> None:
    posting = posting_of(item, accounts(JournalFormat.YAYOI))
    line = journal_line(1, item, posting)
    assert posting.treatment is treatment
    assert line.memo.startswith("公共交通機関特例") is (treatment is TaxTreatment.PUBLIC_TRANSPORT)


@pytest.mark.rule("R86")
@pytest.mark.parametrize(
    ("day", "share"),
    [
        ("2023-09-30", 100),
        ("2023-10-01", 80),
        ("2026-09-30", 80),
        ("2026-10-01", 70),
        ("2028-09-30", 70),
        ("2028-10-01", 50),
        ("2030-09-30", 50),
        ("2030-10-01", 30),
        ("2031-09-30", 30),
        ("2031-10-01", 0),
    ],
)
def test_the_share_without_an_invoice_falls_by_the_day(day: str, share: int) -> None:
    on = date.fromisoformat(day)
    assert share_without_invoice(on) == share
    if 0 < share < 100:
        (row,) = read(JournalFormat.YAYOI, PARKING._replace(item_on=on))
        assert row[7] == f"課対仕入込10%区分{share}%"


@pytest.mark.rule("R83")
def test_what_cp932_lacks_becomes_a_geta_and_what_it_has_stays() -> None:
    (row,) = read(JournalFormat.YAYOI, RIDE._replace(employee="髙﨑𠮷田", what="〜品川"))
    assert "髙﨑〓田" in row[16]
    assert "～品川" in row[16]


@pytest.mark.rule("R83")
@pytest.mark.parametrize(
    ("text", "most", "kept"), [("あい", 4, "あい"), ("あいう", 5, "あい"), ("ab", 1, "a")]
)
def test_a_memo_is_cut_between_characters(text: str, most: int, kept: str) -> None:
    assert cut(text, most) == kept
    (row,) = read(JournalFormat.YAYOI, RIDE._replace(purpose="長" * 100))
    assert 63 <= width(row[16]) <= 64


@pytest.mark.rule("R83")
def test_commas_quotes_and_line_breaks_stay_in_their_cell() -> None:
    (row,) = read(JournalFormat.YAYOI, RIDE._replace(purpose='A,B "C"\n=1+1'))
    assert len(row) == 25
    assert row[16].endswith('A,B "C"\' =1+1')


@pytest.mark.rule("R84")
@pytest.mark.parametrize(
    ("target", "account", "code"),
    [
        (JournalFormat.YAYOI, "旅費交通費", None),
        (JournalFormat.YAYOI, "あ" * 12, None),
        (JournalFormat.YAYOI, "あ" * 13, "ACCOUNT_TOO_LONG"),
        (JournalFormat.YAYOI, "", "ACCOUNT_MISSING"),
        (JournalFormat.YAYOI, "𠮷費", "ACCOUNT_UNREADABLE"),
        (JournalFormat.FREEE, "𠮷費", None),
        (JournalFormat.OBC, "旅費", "ACCOUNT_NOT_A_CODE"),
        (JournalFormat.OBC, "7210", None),
    ],
)
def test_accounts_that_the_product_cannot_read_are_refused(
    target: JournalFormat, account: str, code: str | None
) -> None:
    debits = {kind: Account("7210") for kind in USUAL_DEBITS} | {SlipKind.TRIP: Account(account)}
    entered = accounts(target, debits=debits, credit=Account("2130"), departments={})
    if code is None:
        check_accounts(target, entered)
        return
    with pytest.raises(FormErrors) as refused:
        check_accounts(target, entered)
    assert [(one.field, one.code) for one in refused.value.fields] == [
        ("debits.trip.account", code)
    ]
