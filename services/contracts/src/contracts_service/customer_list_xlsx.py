"""Excel file of the customer list: days as days, numbers of contracts as text (D19, D20).

Rows go to a file on disk as they come, so memory does not grow with their number.
"""

import tempfile
from collections.abc import Iterable, Iterator
from datetime import date
from types import TracebackType
from typing import Self

from xlsxwriter import Workbook

from contracts_service.rules.customer_list_csv import CUSTOMER_LIST_COLUMNS, REPLACEMENT_COLUMNS

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHEET = "顧客リスト"
COLUMNS = (*CUSTOMER_LIST_COLUMNS, *REPLACEMENT_COLUMNS)
WIDTHS = (16, 13, 12, 6, 6, 22, 12, 34, 14, 16, 16, 9, 20, 20)
PIECE = 64 * 1024


class CustomerListWorkbook:
    """The file while it is written; leaving the context deletes it."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  closed by __exit__
        self._book = Workbook(self._file, {"constant_memory": True})
        self._sheet = self._book.add_worksheet(SHEET)
        heading = self._book.add_format({"bold": True, "text_wrap": True, "bottom": 1})
        self._day = self._book.add_format({"num_format": "yyyy/mm/dd", "align": "left"})
        self._text = self._book.add_format({"num_format": "@"})
        for column, width in enumerate(WIDTHS):
            self._sheet.set_column(column, column, width)
        self._sheet.freeze_panes(1, 0)
        for column, label in enumerate(COLUMNS):
            self._sheet.write_string(0, column, label, heading)
        self.rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        if kind is not None:
            self._book.fileclosed = True  # a file that nobody gets need not be finished
        self._file.close()

    def add(self, days: tuple[date, date], texts: Iterable[str]) -> None:
        """One row: its two days, then its texts; no text is ever run as a formula."""
        self.rows += 1
        for column, day in enumerate(days):
            self._sheet.write_datetime(self.rows, column, day, self._day)
        for column, text in enumerate(texts, len(days)):
            if text:
                self._sheet.write_string(self.rows, column, text, self._text)

    def finish(self) -> None:
        """Write the file's end: the filter over all rows, and the parts that name the sheet."""
        self._sheet.autofilter(0, 0, self.rows, len(COLUMNS) - 1)
        self._book.close()
        self._file.seek(0)

    def pieces(self) -> Iterator[bytes]:
        """The finished file."""
        while piece := self._file.read(PIECE):
            yield piece
