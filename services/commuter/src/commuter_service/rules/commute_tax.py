"""Tax-free limits of commuting allowances, by the day from which they hold (R113, R114).

Sources, read on 2026-11-30. 国税庁's own page of the latest revision
(nta.go.jp/users/gensen/2025tsukin/index.htm) was not in reach; two pages that quote it agree:
- public transport 150,000 yen a month from 2016-01-01: sharoshiblog.com/isogai/item_18437.html,
  kameyama-tax.com (2017-09-25), of 所得税法施行令 20条の2;
- by car or bicycle until 2025-03: inomata.jdlibex.jp (所令20条の2), and as "改正前" in the next;
- by car or bicycle from 2025-04-01 (所得税法施行令 of 2025-11-19, for what is due from April on):
  kannaikaikei.jp/?p=15514, news.livedoor.com/article/detail/30552738.

令和8年度税制改正大綱 announced bands from 65 km on and 5,000 yen for a parking space, from
2026-04-01. The regulation itself was not found, so that they are not here: from 65 km on the
taxable part may be too high, never too low.
"""

from datetime import date
from itertools import pairwise
from typing import ClassVar, TypeVar

from shared.errors import Refusal

FIRST_MONTH = date(2016, 1, 1)
"""Before it other limits held, which no table has."""
PUBLIC_TRANSPORT: tuple[tuple[date, int], ...] = ((FIRST_MONTH, 150_000),)
"""Yen a month, also for public transport and car together."""

BANDS_KM = (0, 2, 10, 15, 25, 35, 45, 55)
CAR: tuple[tuple[date, tuple[int, ...]], ...] = (
    (FIRST_MONTH, (0, 4_200, 7_100, 12_900, 18_700, 24_400, 28_000, 31_600)),
    (date(2025, 4, 1), (0, 4_200, 7_300, 13_500, 19_700, 25_900, 32_300, 38_700)),
)
"""Yen a month by one-way distance: one figure for each band, which begins at its kilometres."""


Limit = TypeVar("Limit")


class NoLimitOnMonth(Refusal):
    """No table holds for the month."""

    code: ClassVar[str] = "NO_TAX_LIMIT_ON_MONTH"
    message = "2016年1月より前の非課税限度額は登録されていません"


def public_limit(month: date) -> int:
    """What a month's allowance may come to without tax. Raises NoLimitOnMonth."""
    return _in_force(PUBLIC_TRANSPORT, month)


def car_limit(month: date, km10: int) -> int:
    """The same for a car or a bicycle, by one-way distance in tenths of a kilometre."""
    by_band = _in_force(CAR, month)
    return by_band[sum(10 * begins <= km10 for begins in BANDS_KM) - 1]


def bands_in(month: date) -> list[tuple[int, int | None, int]]:
    """From how many kilometres to how many, and the yen: what a page shows."""
    ends = [*(after for _, after in pairwise(BANDS_KM)), None]
    return list(zip(BANDS_KM, ends, _in_force(CAR, month), strict=True))


def _in_force(table: tuple[tuple[date, Limit], ...], month: date) -> Limit:
    held = [limit for from_on, limit in table if from_on <= month]
    if not held:
        raise NoLimitOnMonth
    return held[-1]
