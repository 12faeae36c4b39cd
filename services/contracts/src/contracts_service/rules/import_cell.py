"""Import cells: readers for the single cells of a contract file.

Each reader parses a cell's text and returns its value, None for an empty cell, or raises
CellRefused. Width and thousands separators do not matter. Names and addresses are kept exactly as
written except for surrounding blanks: folding would replace some characters of people's names.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

import jaconv

from contracts_service.rules.japanese_dates import read_day, read_month
from contracts_service.rules.search_text import folded_contract_no, with_plain_hyphens
from shared.mail_address import NotAMailAddress, mail_address
from shared.text_safety import is_safe_text

Reader = Callable[[str], Any]
Values = dict[str, Any]
"""The values of a line by the name of their field; each has the type that its reader returns."""

TEXT_MAX = 200
CODE_FORM = re.compile(r"[0-9A-Z_-]{1,20}")
CONTRACT_NO_FORM = re.compile(r"[0-9A-Z]{1,20}")
YEN_FORM = re.compile(r"\d{1,10}")
RATE_FORM = re.compile(r"\d{1,2}(\.\d{1,3})?")
KANA_FORM = re.compile(r"[ァ-ヺー・A-Z0-9 .()-]+")
POSTAL_FORM = re.compile(r"(\d{3})-?(\d{4})")
PHONE_FORM = re.compile(r"0[\d-]{9,12}")
PHONE_DIGITS = (10, 11)
INSTALMENTS_MAX = 120
YEN_SIGNS = "¥\\"
"""The yen sign, and the code 0x5C by which Shift_JIS writes it."""
BLANK_RUN = re.compile(r"\s+")

FLAGS = {
    **dict.fromkeys(("", "0", "無", "×", "いいえ", "FALSE", "NO", "N", "-"), False),
    **dict.fromkeys(("1", "有", "○", "◯", "はい", "TRUE", "YES", "Y"), True),
}


class CellRefused(Exception):
    """The cell cannot be read; `code` is stable, `message` states in Japanese what is expected."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)


def required(read: Reader) -> Reader:
    """The same reader, for a column that must not be empty."""

    def read_present(written: str) -> object:
        value = read(written)
        if value is None:
            raise CellRefused("MISSING", "値がありません")
        return value

    return read_present


def text(written: str) -> str | None:
    """Text as written; line breaks and tabs become blanks."""
    value = written.strip()
    if not value.isprintable():
        value = BLANK_RUN.sub(lambda run: " " if run[0].isascii() else run[0], value)
        kinds = {unicodedata.category(sign) for sign in value}
        if "Co" not in kinds and not is_safe_text(value):
            raise CellRefused("CONTROL_CHARACTER", "使用できない文字が含まれています")
        if "Co" in kinds:
            message = "外字（登録文字）は取り込めません。正字または〓に置き換えてください"
            raise CellRefused("PRIVATE_CHARACTER", message)
    if len(value) > TEXT_MAX:
        raise CellRefused("TOO_LONG", f"{TEXT_MAX}文字以内で入力してください")
    return value or None


def mail(written: str) -> str | None:
    """A mail address that can be sent to."""
    value = _half_width(written)
    try:
        return mail_address(value) if value else None
    except NotAMailAddress:
        raise CellRefused("MAIL_FORM", "メールアドレスの形式が正しくありません") from None


@lru_cache(maxsize=4096)
def code(written: str) -> str | None:
    """A code of up to 20 letters and digits."""
    value = _half_width(written)
    if value and not CODE_FORM.fullmatch(value):
        raise CellRefused("CODE_FORM", "半角英数字20文字以内で入力してください")
    return value or None


def contract_no(written: str) -> str | None:
    """契約番号 without blanks and hyphens."""
    value = folded_contract_no(written)
    if value and not CONTRACT_NO_FORM.fullmatch(value):
        raise CellRefused("CONTRACT_NO_FORM", "契約番号は英数字20文字以内で入力してください")
    return value or None


def registration_no(written: str) -> str | None:
    """登録番号 in one width: 品川 300 あ 1234."""
    value = text(written)
    return BLANK_RUN.sub(" ", unicodedata.normalize("NFKC", value)) if value else None


@lru_cache(maxsize=4096)
def yen(written: str) -> int | None:
    """An amount in whole yen, not negative."""
    value = _half_width(written).replace(",", "").lstrip(YEN_SIGNS).removesuffix("円")
    if value and not YEN_FORM.fullmatch(value):
        raise CellRefused("YEN_FORM", "0以上の整数（円）で入力してください")
    return int(value) if value else None


@lru_cache(maxsize=4096)
def instalments(written: str) -> int | None:
    """分割回数, 1 to 120."""
    value = _half_width(written).removesuffix("回")
    if not value:
        return None
    if not YEN_FORM.fullmatch(value) or not 1 <= int(value) <= INSTALMENTS_MAX:
        message = f"分割回数は1～{INSTALMENTS_MAX}の整数で入力してください"
        raise CellRefused("INSTALMENTS_FORM", message)
    return int(value)


@lru_cache(maxsize=4096)
def percent(written: str) -> Decimal | None:
    """年率 in percent, below 100, up to three decimals: 3.9 or 3.9%."""
    value = _half_width(written).removesuffix("%")
    if value and not RATE_FORM.fullmatch(value):
        message = "年率は 3.9 のように百分率で入力してください"
        raise CellRefused("RATE_FORM", message)
    return Decimal(value) if value else None


def day(written: str) -> date | None:
    """A day of the calendar."""
    if not written.strip():
        return None
    found = read_day(written)
    if found is None:
        raise CellRefused("DATE_FORM", "日付は 2025/07/15 のように入力してください")
    return found


def day_or_month(written: str) -> tuple[date, bool] | None:
    """A day, or a month as its first day; the flag is true if only the month is known."""
    if not written.strip():
        return None
    if found := read_day(written):
        return found, False
    if found := read_month(written):
        return found, True
    message = "年月日は 2022/10/05、年月は 2022/10 のように入力してください"
    raise CellRefused("DATE_FORM", message)


@lru_cache(maxsize=256)
def flag(written: str) -> bool:
    """有/無 in its usual spellings; empty means 無."""
    value = FLAGS.get(_half_width(written))
    if value is None:
        raise CellRefused("FLAG_FORM", "1（有）または 0（無）で入力してください")
    return value


def kana(written: str) -> str | None:
    """A name in full-width katakana, whatever kana it was written in."""
    value = text(written)
    if value is None:
        return None
    folded = jaconv.hira2kata(unicodedata.normalize("NFKC", value)).upper()
    if not KANA_FORM.fullmatch(folded):
        raise CellRefused("KANA_FORM", "カナで入力してください")
    return str(folded)


def postal_code(written: str) -> str | None:
    """郵便番号 as 123-4567."""
    value = _half_width(written).removeprefix("〒")
    if not value:
        return None
    found = POSTAL_FORM.fullmatch(value)
    if found is None:
        raise CellRefused("POSTAL_CODE_FORM", "郵便番号は 123-4567 のように入力してください")
    return f"{found[1]}-{found[2]}"


def phone(written: str) -> str | None:
    """A domestic phone number of ten or eleven digits, hyphens as written."""
    value = _half_width(written)
    if not value:
        return None
    if not PHONE_FORM.fullmatch(value) or len(value.replace("-", "")) not in PHONE_DIGITS:
        message = "電話番号は 03-1234-5678 のように入力してください"
        raise CellRefused("PHONE_FORM", message)
    return value


def _half_width(written: str) -> str:
    if written.isascii():
        return written.strip().upper()
    return with_plain_hyphens("".join(unicodedata.normalize("NFKC", written).upper().split()))
