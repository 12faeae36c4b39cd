"""CSV of the customer list: its columns, and cells that are safe to open (D19-D21).

The eleven columns of the screen and three about the replacement. UTF-8 with a byte order mark, so
that spreadsheets recognise it; a cell that a spreadsheet would run as a formula is escaped, and a
number of which it would change the digits is written as text.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator

from shared.text_safety import defused_cell

CUSTOMER_LIST_COLUMNS = (
    "最終回年月日/リース満了年月日",
    "結果入力期限",
    "ステータス",
    "代替",
    "完了",
    "ご契約者名",
    "車検年月",
    "車種・登録番号",
    "スタッフコード",
    "店舗名",
    "契約番号",
)
REPLACEMENT_COLUMNS = ("自社代替", "代替車両", "その他車種名")

DIGITS_LOST = re.compile(r"0[0-9]+|[0-9]{12,}")
"""Leading zeros go, and twelve digits become 2.3E+11."""

_BYTE_ORDER_MARK = "\ufeff"


def customer_list_csv(rows: Iterable[Iterable[str]]) -> Iterator[bytes]:
    """The file, line by line; each row has its fourteen texts in the order of the columns."""
    heading = (*CUSTOMER_LIST_COLUMNS, *REPLACEMENT_COLUMNS)
    yield (_BYTE_ORDER_MARK + _line(heading)).encode()
    for row in rows:
        yield _line(safe_cell(text) for text in row).encode()


def safe_cell(text: str) -> str:
    """The text as a spreadsheet shows it unchanged: neither run as a formula nor rounded."""
    if len(text) > 1 and DIGITS_LOST.fullmatch(text):
        return f'="{text}"'
    return defused_cell(text)


def _line(cells: Iterable[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()
