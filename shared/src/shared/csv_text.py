"""CSV text as spreadsheets and dealers' systems write it: encodings, separators and empty cells.

Excel saves UTF-8 with a byte order mark, Shift_JIS ("CSV"), or UTF-16 with tabs ("Unicode text"),
leaves out empty cells at the end of some lines, or ends every line with a separator. Programs write
="0012" to keep zeros. Pure: bytes in, cells out; what a cell means is the reader's decision.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator

SEPARATORS = (",", "\t", ";")
END_OF_FILE = "\x1a"
"""The end of a file of DOS, which some programs still write."""
KEPT_AS_TEXT = re.compile(r'="(.*)"', re.DOTALL)


class CsvUnreadable(Exception):
    """The bytes are no text in a known encoding, or no CSV from `line` on (0: from the start)."""

    def __init__(self, line: int = 0) -> None:
        self.line = line
        super().__init__(f"not CSV from line {line} on")


def decoded(content: bytes) -> str:
    """The text of a file: UTF-16 or UTF-8 by its mark, else UTF-8, else Shift_JIS (CP932)."""
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "cp932"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise CsvUnreadable


def csv_rows(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with the number of its first line. Raises CsvUnreadable.

    The separator is the one that occurs most in the first line. Empty cells at the end of a row
    are left out: `filled` puts back as many as its heading has.
    """
    text = decoded(content).rstrip(END_OF_FILE)
    first = text.partition("\n")[0]
    separator = max(SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator)
    line = 1
    try:
        for cells in reader:
            if row := _without_empty_end([_plain(cell) for cell in cells]):
                yield line, row
            line = reader.line_num + 1
    except csv.Error as broken:
        raise CsvUnreadable(line) from broken


def filled(row: list[str], count: int) -> list[str]:
    """A row with empty cells up to `count`; one that has more stays longer."""
    return row + [""] * (count - len(row))


def _plain(cell: str) -> str:
    found = KEPT_AS_TEXT.fullmatch(cell)
    return found[1] if found else cell


def _without_empty_end(cells: list[str]) -> list[str]:
    end = len(cells)
    while end and not cells[end - 1].strip():
        end -= 1
    return cells[:end]
