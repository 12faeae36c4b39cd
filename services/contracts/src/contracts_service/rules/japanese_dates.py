"""Japanese dates: parses a day or month in any usual notation.

2025/07/15, 2025-07-15, 20250715, 令和7年7月15日, R7.7.15 (JIS X 0301) and 2025/7/15 0:00 (as
Excel writes it) are the same day.
"""

import re
import unicodedata
from datetime import date
from functools import lru_cache

from contracts_service.rules.search_text import with_plain_hyphens

# The first day of each era; its first year may be written 元年.
ERAS = {
    "令和": date(2019, 5, 1),
    "平成": date(1989, 1, 8),
    "昭和": date(1926, 12, 25),
}
LETTERS = {"R": "令和", "H": "平成", "S": "昭和"}
_MIDNIGHT = re.compile(r"[T\s]+0?0:00(:00(\.0+)?)?$")
_ERA = r"(?P<era>令和|平成|昭和|[RHS])"

_DAY_FORMS = (
    re.compile(r"(?P<year>\d{4})(?P<mark>[/.-])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})"),
    re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})"),
    re.compile(
        r"(?P<era>令和|平成|昭和)?(?P<year>\d{1,4}|元)年(?P<month>\d{1,2})月(?P<day>\d{1,2})日"
    ),
    re.compile(
        _ERA + r"(?P<year>\d{1,2}|元)(?P<mark>[/.-])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})"
    ),
    re.compile(r"(?P<era>[RHS])(?P<year>\d{2})(?P<month>\d{2})(?P<day>\d{2})"),
)
_MONTH_FORMS = (
    re.compile(r"(?P<year>\d{4})[/.-](?P<month>\d{1,2})"),
    re.compile(r"(?P<year>\d{4})(?P<month>\d{2})"),
    re.compile(r"(?P<era>令和|平成|昭和)?(?P<year>\d{1,4}|元)年(?P<month>\d{1,2})月"),
    re.compile(_ERA + r"(?P<year>\d{1,2}|元)[/.-](?P<month>\d{1,2})"),
)


@lru_cache(maxsize=4096)  # a file has few distinct days
def read_day(text: str) -> date | None:
    """The day in a text of any width, or None if it is not a valid day."""
    return _read(text, _DAY_FORMS)


@lru_cache(maxsize=4096)
def read_month(text: str) -> date | None:
    """The first day of the month in a text, or None if it is not a valid month."""
    return _read(text, _MONTH_FORMS)


def _read(text: str, forms: tuple[re.Pattern[str], ...]) -> date | None:
    half = _MIDNIGHT.sub("", unicodedata.normalize("NFKC", text).upper().strip())
    written = with_plain_hyphens("".join(half.split()))
    for form in forms:
        if found := form.fullmatch(written):
            return _date_of(found.groupdict())
    return None


def _date_of(parts: dict[str, str | None]) -> date | None:
    era = parts.get("era")
    era = LETTERS.get(era, era) if era else None
    year = 1 if parts["year"] == "元" else int(parts["year"] or 0)
    begins = ERAS[era] if era else None
    if begins:
        year += begins.year - 1
    elif parts["year"] == "元":
        return None
    month, day = int(parts["month"] or 0), parts.get("day")
    try:
        written = date(year, month, int(day) if day else 1)
    except ValueError:
        return None
    return None if begins and _before_era(written, begins, whole_month=day is None) else written


def _before_era(written: date, begins: date, *, whole_month: bool) -> bool:
    return written < (begins.replace(day=1) if whole_month else begins)
