"""Journal formats: the columns, words and limits of four accounting products (R83).

No file was imported into the real products yet: a company checks its first import. The sources were
read on 2026-11-29, in excerpts. Columns 8 to 25 of 弥生会計, the tax words of マネーフォワード, the
codes 0011 and 0000 of 勘定奉行 and the lengths of 摘要 but 弥生's come from descriptions by others;
the words can be changed in the settings.
- 弥生会計: サポート情報 page_id=18545 (25 columns, no heading, lengths in half-width characters);
  words of tax with 適格 and 区分: developer.freee.co.jp/news/6758 on exports for 弥生.
- マネーフォワード クラウド会計: 使い方ガイド「仕訳帳のインポート」 (取引No from 1 on) and the 27
  columns A to AA of its template.
- freee会計: ヘルプ 204847430「仕訳データを移行する」.
- 勘定奉行: OBC受入形式, symbols as listed by freeeヘルプ 14687912396825 and by
  itcs.zendesk.com 210104026. It takes codes, not names.
"""

import csv
import io
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from commuter_service.rules.journal_lines import Account, JournalLine, Posting, TaxTreatment
from shared.text_safety import defused_cell

GETA = "〓"
"""What Japanese printers set for a character that they do not have."""


class JournalFormat(StrEnum):
    """The accounting product that a company uses."""

    YAYOI = "yayoi"
    FREEE = "freee"
    MONEYFORWARD = "moneyforward"
    OBC = "obc"

    @property
    def label_ja(self) -> str:
        """Its name on the screen."""
        return LAYOUTS[self].name


Row = Sequence[str]
Cells = Callable[[JournalLine], Row]
"""The cells of a line, whose shared ones are there already."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a product reads a file."""

    name: str
    heading: Row | None
    cells: Callable[[Posting], Cells]
    tax_words: Mapping[TaxTreatment, str]
    encoding: str
    account_width: int
    """The longest name of an account, in half-width characters."""


def journal_csv(layout: Layout, lines: Iterable[JournalLine], *, first: bool) -> bytes:
    """A portion of the file; the first one has the heading, and the mark of UTF-8."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    if first and layout.heading:
        writer.writerow(layout.heading)
    writer.writerows(_rows(layout, lines))
    text = written.getvalue()
    if layout.encoding == "cp932":
        return cp932(text)
    return text.encode("utf-8-sig" if first else "utf-8")


def _rows(layout: Layout, lines: Iterable[JournalLine]) -> Iterator[Row]:
    """Cells that lines share are made once: a company exports tens of thousands of lines."""
    shared: dict[Posting, Cells] = {}
    for line in lines:
        cells = shared.get(line.posting)
        if cells is None:
            cells = shared[line.posting] = layout.cells(line.posting)
        yield cells(line)


def cp932(text: str) -> bytes:
    """The text in CP932; a character that it lacks becomes 〓, or its usual form (髙 stays)."""
    try:
        return text.encode("cp932")
    except UnicodeEncodeError:
        return "".join(map(_in_cp932, text)).encode("cp932")


def _in_cp932(letter: str) -> str:
    for form in (letter, WAVES.get(letter, letter), unicodedata.normalize("NFKC", letter)):
        try:
            form.encode("cp932")
        except UnicodeEncodeError:
            continue
        return form
    return GETA


WAVES = {"〜": "～", "−": "－", "‖": "∥", "—": "―", "¢": "￠", "£": "￡", "¬": "￢"}
"""Characters that Unicode has twice, and CP932 once."""


def width(text: str) -> int:
    """Length in half-width characters, as 弥生 and 奉行 count."""
    return sum(2 if unicodedata.east_asian_width(one) in "FWA" else 1 for one in text)


def cut(text: str, most: int) -> str:
    """The beginning that fits; a wide character is never halved."""
    if 2 * len(text) <= most:
        return text
    taken = 0
    for place, letter in enumerate(text):
        taken += width(letter)
        if taken > most:
            return text[:place]
    return text


def _text(text: str, most: int) -> str:
    """What people typed, as long as the product takes it, and no formula."""
    return defused_cell(cut(text, most))


def _names(one: Account, most: int = 400) -> Row:
    return _text(one.account, most), _text(one.sub_account, most)


def _yayoi(one: Posting) -> Cells:
    out, department = YAYOI_TAX[TaxTreatment.OUT_OF_SCOPE], _text(one.department, 24)
    debit = (*_names(one.debit, 24), department)
    credit = (*_names(one.credit, 24), department)
    head = ("2000", "", "", f"{one.item_on:%Y/%m/%d}", *debit, defused_cell(one.tax_word))
    middle = ("", *credit, out)

    def cells(line: JournalLine) -> Row:
        yen = str(line.amount_yen)
        tail = (_text(line.memo, 64), "", "", "0", "", line.slip_no, "0", "0", "no")
        return (*head, yen, *middle, yen, "", *tail)

    return cells


def _moneyforward(one: Posting) -> Cells:
    day, out = f"{one.item_on:%Y/%m/%d}", MONEYFORWARD_TAX[TaxTreatment.OUT_OF_SCOPE]
    word, _, invoice = one.tax_word.partition("/")
    department = defused_cell(one.department)
    debit = (*_names(one.debit), department)
    tax = (defused_cell(word), defused_cell(invoice))
    credit = (*_names(one.credit), department)
    middle = ("", *credit, "", out, "")
    tail = ("", "", "", "", "", "", "")

    def cells(line: JournalLine) -> Row:
        yen = str(line.amount_yen)
        head = (str(line.number), day, *debit, defused_cell(line.payee), *tax)
        return (*head, yen, *middle, yen, "", _text(line.memo, 400), line.slip_no, *tail)

    return cells


def _freee(one: Posting) -> Cells:
    day, out = f"{one.item_on:%Y/%m/%d}", FREEE_TAX[TaxTreatment.OUT_OF_SCOPE]
    department, word = defused_cell(one.department), defused_cell(one.tax_word)
    debit = _names(one.debit)
    credit = (
        defused_cell(one.credit.account),
        defused_cell(one.credit.sub_account),
        "",
        department,
    )

    def cells(line: JournalLine) -> Row:
        yen = str(line.amount_yen)
        head = (day, str(line.number), "", *debit, defused_cell(line.payee), department)
        return (*head, yen, word, "", *credit, yen, out, "", _text(line.memo, 200))

    return cells


def _obc(one: Posting) -> Cells:
    day, out = f"{one.item_on:%Y/%m/%d}", OBC_TAX[TaxTreatment.OUT_OF_SCOPE]
    department, word = defused_cell(one.department), defused_cell(one.tax_word)
    debit = (department, *_names(one.debit), word)
    credit = (
        department,
        defused_cell(one.credit.account),
        defused_cell(one.credit.sub_account),
        out,
    )

    def cells(line: JournalLine) -> Row:
        yen = str(line.amount_yen)
        return ("*", day, *debit, yen, *credit, yen, _text(line.memo, 80))

    return cells


YAYOI_TAX = {
    TaxTreatment.INVOICE: "課対仕入込10%適格",
    TaxTreatment.PUBLIC_TRANSPORT: "課対仕入込10%適格",
    TaxTreatment.NO_INVOICE: "課対仕入込10%区分{rate}%",
    TaxTreatment.OUT_OF_SCOPE: "対象外",
}
MONEYFORWARD_TAX = {
    TaxTreatment.INVOICE: "課税仕入 10%",
    TaxTreatment.PUBLIC_TRANSPORT: "課税仕入 10%",
    TaxTreatment.NO_INVOICE: "課税仕入 10%/{rate}%控除",
    TaxTreatment.OUT_OF_SCOPE: "対象外",
}
FREEE_TAX = {
    TaxTreatment.INVOICE: "課対仕入10%",
    TaxTreatment.PUBLIC_TRANSPORT: "課対仕入10%",
    TaxTreatment.NO_INVOICE: "課対仕入(控{rate})10%",
    TaxTreatment.OUT_OF_SCOPE: "対象外",
}
OBC_TAX = {
    TaxTreatment.INVOICE: "0011",
    TaxTreatment.PUBLIC_TRANSPORT: "0011",
    TaxTreatment.NO_INVOICE: "0011",
    TaxTreatment.OUT_OF_SCOPE: "0000",
}
_SIDE = ("勘定科目", "補助科目", "部門", "取引先", "税区分", "インボイス", "金額(円)", "税額")
_MONEYFORWARD = (
    *("取引No", "取引日"),
    *(f"{side}{name}" for side in ("借方", "貸方") for name in _SIDE),
    *("摘要", "仕訳メモ", "タグ", "MF仕訳タイプ", "決算整理仕訳"),
    *("作成日時", "作成者", "最終更新日時", "最終更新者"),
)
_FREEE_SIDE = ("勘定科目", "補助科目", "取引先", "部門", "金額", "税区分", "税額")
_FREEE = (
    *("日付", "伝票番号", "決算整理仕訳"),
    *(f"{side}{name}" for side in ("借方", "貸方") for name in _FREEE_SIDE),
    "摘要",
)
_OBC = (
    *("OBCD001", "CSJS005"),
    *("CSJS200", "CSJS201", "CSJS202", "CSJS203", "CSJS213"),
    *("CSJS300", "CSJS301", "CSJS302", "CSJS303", "CSJS313"),
    "CSJS100",
)

LAYOUTS: Mapping[JournalFormat, Layout] = {
    JournalFormat.YAYOI: Layout("弥生会計", None, _yayoi, YAYOI_TAX, "cp932", 24),
    JournalFormat.FREEE: Layout("freee会計", _FREEE, _freee, FREEE_TAX, "utf-8-sig", 200),
    JournalFormat.MONEYFORWARD: Layout(
        "マネーフォワード クラウド会計",
        _MONEYFORWARD,
        _moneyforward,
        MONEYFORWARD_TAX,
        "utf-8-sig",
        200,
    ),
    JournalFormat.OBC: Layout("勘定奉行（OBC受入形式）", _OBC, _obc, OBC_TAX, "cp932", 10),
}
