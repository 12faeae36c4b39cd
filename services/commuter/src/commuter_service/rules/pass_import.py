"""Passes from a CSV file: what a line says, and what is wrong with it (R119-R121).

The manual refuses files (R2); a company may allow them on システム設定.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar

from commuter_service.rules.pass_price import PassPrices, checked_prices
from fare_engine.errors import FareError
from fare_engine.rules.period import Period
from shared.csv_text import CsvUnreadable, csv_rows, filled
from shared.errors import FieldError, FormErrors, Kind, Refusal
from shared.text_safety import MESSAGE, is_safe_text

EMPLOYEE, ROUTE, STARTS, ENDS, PAID = "社員番号", "経路", "開始日", "終了日", "支給月数"
PRICES: Mapping[int, str] = {1: "定期代1か月", 3: "定期代3か月", 6: "定期代6か月"}
COLUMNS = (EMPLOYEE, ROUTE, STARTS, ENDS, *PRICES.values(), PAID)
MOST_ROWS = 200
MOST_BYTES = 500_000
LONGEST = 2_000
UNSAFE = f"{MESSAGE}、または{LONGEST:,}文字を超えています"
FIRST_YEAR, LAST_YEAR = 1950, 2199
DAY = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
NUMBER = re.compile(r"\d{1,9}")


class RowResult(StrEnum):
    """What became of a line; the value is the stable code."""

    ADDED = "ADDED"
    KNOWN = "KNOWN"
    WRONG = "WRONG"
    UNDONE = "UNDONE"
    CHANGED_SINCE = "CHANGED_SINCE"

    @property
    def label_ja(self) -> str:
        """As the report says it."""
        return {
            "ADDED": "登録", "KNOWN": "登録済みのため何もしない", "WRONG": "誤り",
            "UNDONE": "取り消し", "CHANGED_SINCE": "登録後に変更されたため残す",
        }[self.value]  # fmt: skip


class PassFileUnreadable(Refusal):
    """The file is no CSV with the agreed columns."""

    code: ClassVar[str] = "PASS_FILE_UNREADABLE"


class ImportUndone(Refusal):
    """It was taken back already."""

    code: ClassVar[str] = "IMPORT_UNDONE"
    kind: ClassVar[Kind] = Kind.CONFLICT
    message = "この取込はすでに取り消されています"


@dataclass(frozen=True, slots=True)
class PassRow:
    """A line that could be read."""

    employee: str
    route: str
    period: Period
    prices: PassPrices


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line of the file: what it says, or what is wrong."""

    line: int
    employee: str
    row: PassRow | None
    wrong: str = ""


def read_pass_file(content: bytes) -> list[ReadLine]:
    """The lines of a file below its heading. Raises PassFileUnreadable."""
    if len(content) > MOST_BYTES:
        raise PassFileUnreadable(f"ファイルは{MOST_BYTES // 1000}KBまでです")
    try:
        rows = list(csv_rows(content))
    except CsvUnreadable as broken:
        at = f"{broken.line}行目から" if broken.line else ""
        raise PassFileUnreadable(f"{at}CSVとして読み取れません") from broken
    heading = [unicodedata.normalize("NFKC", name).strip() for name in rows[0][1]] if rows else []
    if heading != list(COLUMNS[: len(heading)]) or len(heading) <= COLUMNS.index(ROUTE):
        raise PassFileUnreadable(f"1行目は列の名前にしてください：{'、'.join(COLUMNS)}")
    if not 1 < len(rows) <= MOST_ROWS + 1:
        raise PassFileUnreadable(f"定期区間は1件から{MOST_ROWS:,}件までにしてください")
    return [_line(line, cells) for line, cells in rows[1:]]


def _line(line: int, cells: list[str]) -> ReadLine:
    if not all(is_safe_text(cell) and len(cell) <= LONGEST for cell in cells):
        return ReadLine(line, "", None, UNSAFE)
    plain = [unicodedata.normalize("NFKC", cell).strip() for cell in filled(cells, len(COLUMNS))]
    said = dict(zip(COLUMNS, plain, strict=False))
    if len(plain) > len(COLUMNS):
        return ReadLine(line, said[EMPLOYEE], None, "列が多すぎます")
    wrong = list(_faults(said))
    if wrong:
        return ReadLine(line, said[EMPLOYEE], None, "。".join(wrong))
    one, three, six, paid = (_number(said[name]) for name in (*PRICES.values(), PAID))
    try:
        period = Period(_day(said[STARTS]), _day(said[ENDS]))
        prices = checked_prices(PassPrices(one, three, six, paid))
    except FormErrors as refused:
        return ReadLine(line, said[EMPLOYEE], None, _sentence(refused.fields))
    except FareError as refused:
        return ReadLine(line, said[EMPLOYEE], None, refused.message)
    return ReadLine(line, said[EMPLOYEE], PassRow(said[EMPLOYEE], said[ROUTE], period, prices))


def _faults(said: Mapping[str, str]) -> Iterator[str]:
    for name in (EMPLOYEE, ROUTE):
        if not said[name]:
            yield f"{name}を入力してください"
    for name in (STARTS, ENDS):
        try:
            _day(said[name])
        except ValueError:
            yield f"{name}「{said[name]}」は 2026/4/1 のように入力してください"
    for name in (*PRICES.values(), PAID):
        if said[name] and not NUMBER.fullmatch(said[name].replace(",", "")):
            yield f"{name}「{said[name]}」は数字で入力してください"


def _sentence(wrong: Sequence[FieldError]) -> str:
    return "。".join(one.message for one in wrong)


def _day(text: str) -> date | None:
    if not text:
        return None
    if not (found := DAY.fullmatch(text)):
        raise ValueError(text)
    on = date(*map(int, found.groups()))
    if not FIRST_YEAR <= on.year <= LAST_YEAR:
        raise ValueError(text)
    return on


def _number(text: str) -> int | None:
    return int(text.replace(",", "")) if text else None
