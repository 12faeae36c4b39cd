"""Readers of the accounting product and of the bank, written from their documentation.

They know nothing of the code that writes the files and refuse what the documentation does not
allow. Read 2026-11-30, in excerpts:
- 弥生会計: サポート情報 page_id=18545 (25 columns, Shift_JIS, lengths in half-width characters);
- 総合振込: 群馬銀行 「全銀協制定ファイルフォーマット」 (records of 120 bytes; digits are
  right-aligned with zeros, texts left-aligned with spaces).
"""

import csv
import io
import re
from dataclasses import dataclass
from datetime import date, datetime

YAYOI_COLUMNS = 25
SINGLE_ENTRY = "2000"
MOST_OF_A_NAME, MOST_OF_A_MEMO = 24, 64
RECORD = re.compile(rb"[^\r\n]{120}\r\n")
BANK_TEXT = re.compile(r"[0-9A-Z\uff66-\uff9f ().,/\\\u00a5\uff62\uff63-]*")
HEADER = (1, 2, 1, 10, 40, 4, 4, 15, 3, 15, 1, 7, 17)
DATA = (1, 4, 15, 3, 15, 4, 1, 7, 30, 10, 1, 10, 10, 1, 8)
TRAILER = (1, 6, 12, 101)


class NotImported(Exception):
    """The product or the bank would refuse the file."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A journal entry that was imported; `memo_no` is its 仕訳メモ, here the slip."""

    on: date
    debit: str
    credit: str
    yen: int
    memo: str
    memo_no: str


@dataclass(frozen=True, slots=True)
class Credit:
    """An amount that the bank transfers."""

    bank: str
    branch: str
    number: str
    holder: str
    yen: int
    customer_code: str


def import_journal(content: bytes) -> list[Entry]:
    """The entries of a file for 弥生会計. Raises NotImported."""
    rows = csv.reader(io.StringIO(content.decode("cp932")), strict=True)
    return [_entry(number, row) for number, row in enumerate(rows, start=1)]


def _entry(number: int, row: list[str]) -> Entry:
    if len(row) != YAYOI_COLUMNS:
        raise NotImported(f"line {number}: {len(row)} columns")
    if row[0] != SINGLE_ENTRY or row[2] or row[24] != "no":
        raise NotImported(f"line {number}: no single entry")
    if not (row[4] and row[10]) or max(map(_width, (*row[4:7], *row[10:13]))) > MOST_OF_A_NAME:
        raise NotImported(f"line {number}: accounts {row[4:7]} {row[10:13]}")
    if _width(row[16]) > MOST_OF_A_MEMO:
        raise NotImported(f"line {number}: 摘要 {row[16]}")
    if not (row[8].isdecimal() and row[8] == row[14] and 0 < int(row[8]) < 10**9):
        raise NotImported(f"line {number}: amounts {row[8]} and {row[14]}")
    if not (row[7] and row[13]):
        raise NotImported(f"line {number}: no 税区分")
    on = datetime.strptime(row[3], "%Y/%m/%d").date()  # noqa: DTZ007 - a day without a time
    return Entry(on, row[4], row[10], int(row[8]), row[16], row[21])


def _width(text: str) -> int:
    return len(text.encode("cp932"))


def import_transfers(content: bytes) -> tuple[str, list[Credit]]:
    """Day (MMDD) and amounts of a 総合振込 file, after its counts and sums. Raises NotImported."""
    records = RECORD.findall(content)
    if b"".join(records) != content:
        raise NotImported("not in records of 120 bytes")
    header, *data, trailer, end = [one[:-2].decode("shift_jis") for one in records]
    kind, business, code, *_, reserve = _fields(header, HEADER)
    if (kind, business, code, reserve.strip()) != ("1", "21", "0", ""):
        raise NotImported(f"header {header}")
    credits_ = [_credit(one) for one in data]
    kind, count, total, _ = _fields(trailer, TRAILER)
    if (kind, int(count), int(total)) != ("8", len(data), sum(one.yen for one in credits_)):
        raise NotImported(f"trailer {trailer}")
    if end != "9".ljust(120):
        raise NotImported(f"end {end}")
    return header[54:58], credits_


def _credit(record: str) -> Credit:
    fields = _fields(record, DATA)
    kind, bank, _, branch, _, _, account_type, number, holder, yen, new, code, _, urgent, _ = fields
    digits = (bank, branch, number, yen)
    if kind != "2" or not all(map(str.isdecimal, digits)) or account_type not in {"1", "2", "4"}:
        raise NotImported(f"data {record}")
    if new != "0" or urgent != "7" or not BANK_TEXT.fullmatch(holder) or not holder.strip():
        raise NotImported(f"data {record}")
    return Credit(bank, branch, number, holder.rstrip(), int(yen), code.strip())


def _fields(record: str, widths: tuple[int, ...]) -> list[str]:
    found, at = [], 0
    for width in widths:
        found.append(record[at : at + width])
        at += width
    return found
