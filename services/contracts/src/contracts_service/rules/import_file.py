"""Import files of contracts: accepted lines, and what is wrong with the others (C5).

Encodings and separators are those of shared/csv_text.py. A file without the agreed columns is
refused as a whole; after that each line is accepted or refused by itself. Lines are read one by
one, so that files may have any length.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from contracts_service.rules.import_row import (
    COLUMNS,
    ContractRow,
    KnownCodes,
    read_contract_row,
)
from contracts_service.rules.search_text import folded_contract_no
from shared.csv_text import CsvUnreadable, csv_rows, filled
from shared.errors import FieldError, FormErrors, Kind, Refusal

CONTRACT_NO = "契約番号"


class FileUnreadable(Refusal):
    """The file has an unknown encoding, is empty, or is not CSV from some line on."""

    code = "FILE_UNREADABLE"
    kind = Kind.INVALID
    message = (
        "CSVファイルを読み取れません。文字コードは UTF-8、UTF-16 または Shift_JIS にしてください"
    )


class ColumnsNotAsAgreed(FormErrors):
    """The heading differs from the agreed columns; `errors` lists every column concerned."""

    code = "COLUMNS_NOT_AS_AGREED"


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedLine:
    """A line that becomes a contract; line numbers start at 1 with the heading."""

    line: int
    row: ContractRow


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedLine:
    """A refused line with every reason; `contract_no` as far as it could be read."""

    line: int
    contract_no: str
    reasons: tuple[FieldError, ...]


def read_contract_file(content: bytes, known: KnownCodes) -> Iterator[AcceptedLine | RefusedLine]:
    """The lines of the file, in order. Empty lines are skipped.

    A repeated contract number is refused at its second line, naming both.

    Raises:
        FileUnreadable: at once, or while reading where quotes no longer match.
        ColumnsNotAsAgreed: at once.
    """
    seen: dict[str, int] = {}
    names = tuple(COLUMNS)
    return (_line(line, names, cells, seen, known) for line, cells in lines_of(content, names))


def lines_of(content: bytes, agreed: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """The lines below the agreed heading, with their numbers. Raises as `read_contract_file`."""
    rows = _readable(csv_rows(content))
    heading = next(rows, None)
    if heading is None:
        raise FileUnreadable("ファイルが空です")
    names = [unicodedata.normalize("NFKC", name).strip() for name in heading[1]]
    _check_columns(names, list(agreed))
    return ((line, filled(cells, len(agreed))) for line, cells in rows)


def _readable(rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    """The same rows. Raises FileUnreadable."""
    try:
        yield from rows
    except CsvUnreadable as broken:
        if not broken.line:
            raise FileUnreadable from broken
        message = f"{broken.line}行目からCSVとして読み取れません（引用符をご確認ください）"
        raise FileUnreadable(message) from broken


def _check_columns(heading: list[str], agreed: list[str]) -> None:
    if heading == agreed:
        return
    counted = Counter(heading)
    errors = [
        *(
            FieldError(c, "COLUMN_MISSING", f"列「{c}」がありません")
            for c in agreed
            if c not in counted
        ),
        *(
            FieldError(c, "COLUMN_UNKNOWN", f"列「{c}」は使用できません")
            for c in counted
            if c not in agreed
        ),
        *(
            FieldError(c, "COLUMN_TWICE", f"列「{c}」が{times}回あります")
            for c, times in counted.items()
            if times > 1 and c in agreed
        ),
    ]
    if not errors:
        errors = [
            FieldError(
                found, "COLUMN_OUT_OF_ORDER", f"{at}列目は「{c}」ですが「{found}」になっています"
            )
            for at, (c, found) in enumerate(zip(agreed, heading, strict=True), start=1)
            if c != found
        ]
    raise ColumnsNotAsAgreed(*errors)


def _line(
    line: int,
    names: tuple[str, ...],
    cells: Sequence[str],
    seen: dict[str, int],
    known: KnownCodes,
) -> AcceptedLine | RefusedLine:
    if len(cells) != len(names):
        message = f"列の数が{len(names)}ではなく{len(cells)}です"
        return _refused(line, "", FieldError("", "CELL_COUNT", message))
    by_column = dict(zip(names, cells, strict=True))
    contract_no = folded_contract_no(by_column[CONTRACT_NO])
    first_line = seen.setdefault(contract_no, line)
    row = read_contract_row(by_column, known)
    if contract_no and first_line != line:
        message = f"契約番号「{contract_no}」が{first_line}行目と{line}行目で重複しています"
        again = FieldError(CONTRACT_NO, "CONTRACT_NO_TWICE", message)
        return _refused(line, contract_no, again, *(row if isinstance(row, tuple) else ()))
    if isinstance(row, tuple):
        return _refused(line, contract_no, *row)
    return AcceptedLine(line=line, row=row)


def _refused(line: int, contract_no: str, *reasons: FieldError) -> RefusedLine:
    return RefusedLine(line=line, contract_no=contract_no, reasons=reasons)
