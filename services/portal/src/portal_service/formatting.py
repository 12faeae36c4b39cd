"""Formatting of dates and money on screens, and reading of what people type.

Written: 2025/07/15(火), 2025年7月, 2025/07/15(火) 14:05, 12,345円. Typed: also in full width,
with the era (令和7年7月15日), without separators (20250715), with the weekday as written here, with
or without 円 and commas.
"""

import re
import unicodedata
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

JST = ZoneInfo("Asia/Tokyo")
WEEKDAYS = "月火水木金土日"
NOTHING = "ー"

ERAS = (
    ("令和", "R", date(2019, 5, 1), date(9999, 12, 31)),
    ("平成", "H", date(1989, 1, 8), date(2019, 4, 30)),
    ("昭和", "S", date(1926, 12, 25), date(1989, 1, 7)),
)
_WEEKDAY = re.compile(r"(?:\(([月火水木金土日])(?:曜日?)?\)|([月火水木金土日])曜日?)$")
_WESTERN = re.compile(r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2}))")
_ERA = re.compile(r"(令和|平成|昭和|[RHS])(元|\d{1,2})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_MONTH = re.compile(r"(\d{4})(?:[-/.年](\d{1,2})月?|(\d{2}))")
_ERA_MONTH = re.compile(r"(令和|平成|昭和|[RHS])(元|\d{1,2})[-/.年](\d{1,2})月?")
_YEN = re.compile(r"[¥\\]?(-?\d{1,3}(?:,\d{3})+|-?\d+)円?")


COMPANIES = ("会社", "法人", "(有)", "(株)", "(同)", "(名)", "(資)")
"""What the name of a company contains; NFKC turns ㈲ into (有)."""


class NotReadable(ValueError):
    """What was typed is not a date or an amount; the text is the message beside the field."""


@lru_cache(maxsize=4096)
def day(value: date | str | None) -> str:
    """2025/07/15(火); ー for nothing. Takes a date or its ISO text."""
    if not value:
        return NOTHING
    on = date.fromisoformat(value) if isinstance(value, str) else value
    return f"{on:%Y/%m/%d}({WEEKDAYS[on.weekday()]})"


@lru_cache(maxsize=4096)
def month(value: date | str | None) -> str:
    """2025年7月; ー for nothing. Takes a date, or ISO text of a day or a month."""
    if not value:
        return NOTHING
    if isinstance(value, str):
        year, number = value.split("-")[:2]
        return f"{int(year)}年{int(number)}月"
    return f"{value.year}年{value.month}月"


def moment(value: datetime | str | None) -> str:
    """2025/07/15(火) 14:05 in Japan; ー for nothing. Takes an aware instant or its ISO text."""
    if not value:
        return NOTHING
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    local = at.astimezone(JST)
    return f"{day(local.date())} {local:%H:%M}"


def yen(value: int | None) -> str:
    """12,345円; ー for nothing."""
    return NOTHING if value is None else f"{value:,}円"


def count(value: int | None, unit: str = "件") -> str:
    """1,234件; ー for nothing."""
    return NOTHING if value is None else f"{value:,}{unit}"


def honorific(name: str) -> str:
    """様 for a person, 御中 for a company."""
    written = unicodedata.normalize("NFKC", name)
    return "御中" if any(word in written for word in COMPANIES) else "様"


def sentence(words: str) -> str:
    """A message of a service with its full stop, as the sentences of screens have it."""
    return words if not words or words[-1] in "。？！?!" else f"{words}。"


def read_day(entered: str) -> date | None:
    """The day that was typed; None for an empty field. Raises NotReadable."""
    text = plain(entered)
    if not text:
        return None
    weekday = _WEEKDAY.search(text)
    on = _day_in(text[: weekday.start()] if weekday else text)
    if weekday and WEEKDAYS[on.weekday()] not in weekday.groups():
        raise NotReadable(f"日付と曜日が合いません。{day(on)} です。")
    return on


def _day_in(text: str) -> date:
    """The day in a text without blanks. Raises NotReadable."""
    try:
        if found := _WESTERN.fullmatch(text):
            year, *rest = (int(part) for part in found.groups() if part)
            return date(year, *rest)
        if found := _ERA.fullmatch(text):
            return _day_of_era(*found.groups())
    except ValueError as error:
        raise NotReadable("この日付はカレンダーにありません。") from error
    raise NotReadable("日付は 2025/7/15 または 令和7年7月15日 のように入力してください。")


def read_month(entered: str) -> date | None:
    """The first day of the month that was typed; None for an empty field. Raises NotReadable."""
    text = plain(entered)
    if not text:
        return None
    try:
        if found := _MONTH.fullmatch(text):
            year, number = (int(part) for part in found.groups() if part)
            return date(year, number, 1)
        if found := _ERA_MONTH.fullmatch(text):
            return _month_of_era(*found.groups())
    except ValueError as error:
        raise NotReadable("この年月はカレンダーにありません。") from error
    raise NotReadable(_no_month(text))


def _no_month(text: str) -> str:
    """What to say to a text that is no month: a whole day is the usual slip."""
    try:
        on = read_day(text)
    except NotReadable:
        on = None
    if on:
        return f"年月だけを入力してください（日は不要です）。例：{on.year}/{on.month}"
    return "年月は 2025/7 または 令和7年7月 のように入力してください。"


def read_yen(entered: str) -> int | None:
    """The amount that was typed, in yen; None for an empty field. Raises NotReadable."""
    text = plain(entered)
    if not text:
        return None
    found = _YEN.fullmatch(text)
    if not found:
        raise NotReadable("金額は 12,345 のように数字で入力してください。")
    return int(found[1].replace(",", ""))


def plain(entered: str) -> str:
    """What was typed, without blanks and in half width."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", entered)).upper()


def _day_of_era(era: str, year: str, month_number: str, day_number: str) -> date:
    first, last = _era(era)
    on = date(_year(first, year), int(month_number), int(day_number))
    if not first <= on <= last:
        raise ValueError(era)
    return on


def _month_of_era(era: str, year: str, month_number: str) -> date:
    """The first day of the month; the month in which an era begins belongs to both."""
    first, last = _era(era)
    on = date(_year(first, year), int(month_number), 1)
    if not first.replace(day=1) <= on <= last:
        raise ValueError(era)
    return on


def _era(era: str) -> tuple[date, date]:
    return next((first, last) for name, letter, first, last in ERAS if era in {name, letter})


def _year(first: date, year: str) -> int:
    count_of_year = 1 if year == "元" else int(year)
    if count_of_year < 1:
        raise ValueError(year)
    return first.year + count_of_year - 1
