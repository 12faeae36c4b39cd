"""Instalment schedule: due days, amounts and their interest (D50).

Monthly instalments with interest on the balance: a twelfth of the yearly rate, floored to the yen
each month.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from contracts_service.rules.calendar_days import months_before

MONTHS_A_YEAR = 12
PERCENT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Instalment:
    """One payment and the balance after it; `payment_yen` is interest and principal together."""

    number: int
    due_on: date
    payment_yen: int
    interest_yen: int
    principal_yen: int
    balance_yen: int


def monthly_rate(yearly_rate_percent: Decimal) -> Fraction:
    """A twelfth of the yearly rate, exact: 4.8 (percent) gives 1/250."""
    return Fraction(yearly_rate_percent) / (PERCENT * MONTHS_A_YEAR)


def monthly_interest_yen(balance_yen: int, rate: Fraction) -> int:
    """The interest of one month, floored to the yen."""
    return balance_yen * rate.numerator // rate.denominator


def next_instalment(
    number: int, due_on: date, *, owed_yen: int, payment_yen: int | None, rate: Fraction
) -> Instalment:
    """The instalment after a balance of `owed_yen`; a payment of None settles everything."""
    interest = monthly_interest_yen(owed_yen, rate)
    payment = owed_yen + interest if payment_yen is None else payment_yen
    return Instalment(
        number=number,
        due_on=due_on,
        payment_yen=payment,
        interest_yen=interest,
        principal_yen=payment - interest,
        balance_yen=owed_yen + interest - payment,
    )


def remaining_schedule(
    *,
    balance_yen: int,
    monthly_yen: int,
    yearly_rate_percent: Decimal,
    final_on: date,
    today: date,
) -> tuple[Instalment, ...]:
    """The remaining payments of a residual-value contract: monthly, then the rest at the end.

    `balance_yen` is the principal owed today. Due days are those of `final_on`, month by month
    before it. Numbers count from the next instalment. Empty when the last day has passed.
    """
    rate = monthly_rate(yearly_rate_percent)
    months_ahead = 0
    while months_before(final_on, months_ahead) > today:
        months_ahead += 1
    rows: list[Instalment] = []
    owed = balance_yen
    for number in range(1, months_ahead + 1):
        ahead = months_ahead - number
        settles = ahead == 0 or owed + monthly_interest_yen(owed, rate) <= monthly_yen
        row = next_instalment(
            number,
            months_before(final_on, ahead),
            owed_yen=owed,
            payment_yen=None if settles else monthly_yen,
            rate=rate,
        )
        rows.append(row)
        owed = row.balance_yen
        if owed == 0:
            break
    return tuple(rows)
