"""Commuting allowance (通勤手当): what is paid in a month, and its tax-free part (R112-R115).

A pass is paid as it is bought: the first time on its first day, then each time the last one has run
out, at the price of that day. A car is paid each month. A payment for several months is spread
evenly over them; each month takes what its limit leaves, in the order of the payments.
"""

import calendar
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from commuter_service.rules.commute_tax import car_limit, public_limit
from commuter_service.rules.pass_price import PassPrices, in_force_on
from shared.errors import FieldError, FormErrors

LONGEST_KM10 = 3_000
MOST_YEN = 999_999


class DatedPrices(Protocol):
    """Prices of a pass from a day on."""

    @property
    def from_on(self) -> date:
        """The day."""

    @property
    def prices(self) -> PassPrices:
        """The prices."""


@dataclass(frozen=True, slots=True)
class Payment:
    """A sum that is paid on a day, for one or several months; `km10` of one by car."""

    on: date
    months: int
    yen: int
    what: str
    km10: int | None = None

    @property
    def by_car(self) -> bool:
        """By car or bicycle."""
        return self.km10 is not None


@dataclass(frozen=True, slots=True)
class Taxed:
    """A payment with the part that is free of tax."""

    payment: Payment
    free_yen: int

    @property
    def taxable_yen(self) -> int:
        """The rest."""
        return self.payment.yen - self.free_yen


@dataclass(frozen=True, slots=True)
class CarCommute:
    """By car or bicycle from a month on: one-way distance, and yen a month."""

    first_month: date
    last_month: date | None
    km10: int
    monthly_yen: int

    def overlaps(self, other: "CarCommute") -> bool:
        """Whether both are paid in some month."""
        starts, ends = (self.first_month, other.first_month), (self.last_month, other.last_month)
        return max(starts) <= min(end or date.max for end in ends)


def month_later(day: date, months: int) -> date:
    """The same day some months later, or the last one of a shorter month."""
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month0 + 1, min(day.day, calendar.monthrange(year, month0 + 1)[1]))


def pass_payments(
    starts_on: date | None,
    ends_on: date | None,
    rows: Sequence[DatedPrices],
    until: date,
    what: str,
) -> Iterator[Payment]:
    """What is paid for a pass until a day, the earliest first (R112).

    A pass without a first day is paid from the day of its first prices.
    """
    if not rows:
        return
    first = starts_on or rows[0].from_on
    last = min(ends_on or date.max, until)
    passed = 0
    while (day := month_later(first, passed)) <= last:
        row = in_force_on(rows, day)
        every = row.prices.paid_every if row else None
        if row is None or every is None:
            following = min((one.from_on for one in rows if one.from_on > day), default=None)
            if following is None:
                return
            first, passed = following, 0
            continue
        yen = row.prices.of(every)
        assert yen is not None
        yield Payment(day, every, yen, what)
        passed += every


def car_payments(one: CarCommute, until: date) -> Iterator[Payment]:
    """What is paid for a car until a day, a payment a month (R112)."""
    month = one.first_month
    while month <= min(one.last_month or date.max, until):
        yield Payment(month, 1, one.monthly_yen, f"片道{one.km10 / 10:g}km", one.km10)
        month = month_later(month, 1)


def taxed_payments(payments: Iterable[Payment], month: date) -> list[Taxed]:
    """The payments of a month with their tax-free parts (R113-R115).

    `payments` are all of a person until then: an earlier one for several months has used its share
    of this month's limit. Raises NoLimitOnMonth.
    """
    used: Counter[date] = Counter()
    found = []
    for one in sorted(payments, key=lambda one: (one.on, one.by_car, one.what)):
        paid_in = one.on.replace(day=1)
        whole = public_limit(paid_in)
        own = whole if one.km10 is None else car_limit(paid_in, one.km10)
        free = 0
        for number in range(one.months):
            covered = month_later(paid_in, number)
            share = one.yen * (number + 1) // one.months - one.yen * number // one.months
            part = max(0, min(share, own, whole - used[covered]))
            used[covered] += part
            free += part
        if paid_in == month:
            found.append(Taxed(one, free))
    return found


def checked_car(one: CarCommute, others: Iterable[CarCommute]) -> CarCommute:
    """A car as it is kept. Raises FormErrors with each field that is wrong (R114)."""
    wrong = []
    if not 0 < one.km10 <= LONGEST_KM10:
        message = f"片道の距離は0.1kmから{LONGEST_KM10 // 10}kmまでで入力してください"
        wrong.append(FieldError("km", "DISTANCE_OUT_OF_RANGE", message))
    if not 0 < one.monthly_yen <= MOST_YEN:
        message = f"支給額は1円から{MOST_YEN:,}円までで入力してください"
        wrong.append(FieldError("monthly_yen", "AMOUNT_OUT_OF_RANGE", message))
    if one.last_month is not None and one.last_month < one.first_month:
        message = "終了月は開始月と同じか、それより後にしてください"
        wrong.append(FieldError("last_month", "MONTHS_REVERSED", message))
    elif any(one.overlaps(other) for other in others):
        message = "同じ社員の別の登録と期間が重なっています"
        wrong.append(FieldError("first_month", "CAR_OVERLAPS", message))
    if wrong:
        raise FormErrors(*wrong)
    return one
