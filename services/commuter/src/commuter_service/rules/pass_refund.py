"""What a holder gets back for a pass that is given up on a day (払戻し, R117, R118).

An estimate: the price less the months used, at the prices of 1- and 3-month passes, less a fee. A
month that has begun counts. Where no whole month is left, nothing is paid back.

Sources, read on 2026-11-30 as public pages show them:
- JR東日本: jreastfaq.okbiz.okwave.jp, FAQ 1124;
- JR東海: railway.jr-central.co.jp/ticket-rule/rule55.html (its example is a test);
- 都営: kotsu.metro.tokyo.jp/nippori_toneri/fare/payback.html, of the same 東京都交通局;
- 東京メトロ: its page as quoted by ityorozuya.hatenablog.com (2018-01-03) and felizfeliz.net;
- 小田急: odakyu.jp/ticket/pass_info;
- 京王: keio.co.jp/train/ticket/commuter_pass/refund.html;
- 西武: seiburailway.jp/ticket/eigyo/haraimodoshi.

A pass over lines of several companies is one ticket, whose refund none of these pages describes.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from commuter_service.rules.commute_allowance import month_later
from commuter_service.rules.pass_price import PassPrices

FEE_YEN = 220
KNOWN_OPERATORS = frozenset({"JR東日本", "JR東海", "都営", "東京メトロ", "小田急", "京王", "西武"})
FIRST_DAYS = 7
"""Until then these companies may reckon by return fares instead; the estimate does not."""


class RefundCase(StrEnum):
    """What can be said; the value is the stable code."""

    NOT_BEGUN = "NOT_BEGUN"
    USED = "USED"
    NO_MONTH_LEFT = "NO_MONTH_LEFT"
    NOTHING_LEFT = "NOTHING_LEFT"
    PRICES_MISSING = "PRICES_MISSING"
    OPERATOR_UNKNOWN = "OPERATOR_UNKNOWN"
    SEVERAL_OPERATORS = "SEVERAL_OPERATORS"


ASK = "駅の窓口で確認してください。"
NOT_KNOWN = {
    RefundCase.SEVERAL_OPERATORS: (
        f"複数の会社にまたがる定期券の払戻しの計算方法は確認できていません。{ASK}"
    ),
    RefundCase.OPERATOR_UNKNOWN: f"この会社の払戻しの計算方法は確認できていません。{ASK}",
    RefundCase.PRICES_MISSING: (
        "計算に使う定期代が登録されていません。使った月数に応じて、1か月と3か月の定期代も使います。"
    ),
}


@dataclass(frozen=True, slots=True)
class BoughtPass:
    """A pass for some months as it was bought."""

    months: int
    bought_on: date
    prices: PassPrices

    @property
    def valid_until(self) -> date:
        """Its last day."""
        return month_later(self.bought_on, self.months) - timedelta(days=1)

    def months_used(self, ended_on: date) -> int:
        """Months that have begun by a day, that day included."""
        used = 0
        while used < self.months and month_later(self.bought_on, used) <= ended_on:
            used += 1
        return used


@dataclass(frozen=True, slots=True)
class Refund:
    """What the holder gets back; `yen` None: not known."""

    case: RefundCase
    yen: int | None = None
    used_months: int = 0
    used_yen: int = 0


def bought_period(first: date, months: int, on: date) -> date:
    """The first day of the pass that runs on a day, if one follows the other from `first` on."""
    passed = 0
    while month_later(first, passed + months) <= on:
        passed += months
    return month_later(first, passed)


def refund(one: BoughtPass, ended_on: date, operators: Collection[str]) -> Refund:
    """What is paid back for a pass that is given up at the end of a day."""
    if len(set(operators)) > 1:
        return Refund(RefundCase.SEVERAL_OPERATORS)
    if not operators or not KNOWN_OPERATORS.issuperset(operators):
        return Refund(RefundCase.OPERATOR_UNKNOWN)
    return _reckoned(one, ended_on)


def _reckoned(one: BoughtPass, ended_on: date) -> Refund:
    price, used = one.prices.of(one.months), one.months_used(ended_on)
    if price is None:
        return Refund(RefundCase.PRICES_MISSING, None, used)
    if used == 0:
        return Refund(RefundCase.NOT_BEGUN, max(0, price - FEE_YEN))
    if used >= one.months:
        return Refund(RefundCase.NO_MONTH_LEFT, 0, used, price)
    cost = _cost(one.prices, used)
    if cost is None:
        return Refund(RefundCase.PRICES_MISSING, None, used)
    left = price - cost - FEE_YEN
    case = RefundCase.USED if left > 0 else RefundCase.NOTHING_LEFT
    return Refund(case, max(0, left), used, cost)


def _cost(prices: PassPrices, used: int) -> int | None:
    """Months at the prices of 3-month and 1-month passes; None where one is missing."""
    total = 0
    for months, times in ((3, used // 3), (1, used % 3)):
        yen = prices.of(months)
        if times and yen is None:
            return None
        total += times * (yen or 0)
    return total


def refund_words(one: BoughtPass, found: Refund) -> str:
    """The result as a sentence in Japanese (R117, R118)."""
    if words := NOT_KNOWN.get(found.case):
        return words
    bought, fee = f"{one.bought_on:%Y/%m/%d}からの{one.months}か月定期", f"手数料{FEE_YEN}円"
    price = f"{one.prices.of(one.months) or 0:,}円"
    if found.case is RefundCase.NO_MONTH_LEFT:
        until = f"{one.valid_until:%Y/%m/%d}まで"
        return f"{bought}（{until}）の残りが1か月に満たないため、払戻しはありません。"
    if found.case is RefundCase.NOT_BEGUN:
        return f"{bought}の開始前：{price} − {fee} ＝ {found.yen:,}円"
    sums = f"{bought} {price} − {found.used_months}か月分 {found.used_yen:,}円 − {fee}"
    if found.case is RefundCase.NOTHING_LEFT:
        return f"{sums} は0円以下のため、払戻しはありません。"
    return f"{sums} ＝ {found.yen:,}円"


def is_in_first_days(one: BoughtPass, ended_on: date) -> bool:
    """Whether the companies may reckon by return fares (R118)."""
    return one.bought_on <= ended_on < one.bought_on + timedelta(days=FIRST_DAYS)
