"""Payoff quotation: the amount that settles a contract on a given day (D69, C1).

The principal still owed after the instalments due by then, daily interest since the last of them,
and the finance company's fee. A quotation is not binding; the finance company settles.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from contracts_service.rules.instalment_schedule import PERCENT, Instalment
from shared.errors import FieldError, FormErrors

DAYS_A_YEAR = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """The principal owed before the next instalment, and since which due day."""

    principal_yen: int
    since: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoffQuotation:
    """The amount to settle on `settled_on`, with `interest_days` since the last due day."""

    settled_on: date
    principal_yen: int
    interest_days: int
    interest_yen: int
    fee_yen: int

    @property
    def total_yen(self) -> int:
        """Principal, interest and fee."""
        return self.principal_yen + self.interest_yen + self.fee_yen


def quote_payoff(
    schedule: Sequence[Instalment],
    *,
    owed: Owed,
    settled_on: date,
    yearly_rate_percent: Decimal,
    fee_yen: int = 0,
) -> PayoffQuotation:
    """The quotation for `settled_on`, assuming that every instalment due by then is paid.

    `owed` is the state before the first row of `schedule`. Daily interest is the yearly rate over
    365 days, floored to the yen once.

    Raises:
        FormErrors: a settlement day before `owed.since` or after the last instalment.
    """
    last_on = schedule[-1].due_on if schedule else owed.since
    if not owed.since <= settled_on <= last_on:
        message = "精算日は、残りの支払期間内の日付を入力してください"
        raise FormErrors(FieldError("settled_on", "SETTLEMENT_DAY_OUTSIDE", message))
    for row in schedule:
        if row.due_on <= settled_on:
            owed = Owed(principal_yen=row.balance_yen, since=row.due_on)
    days = (settled_on - owed.since).days
    rate = Fraction(yearly_rate_percent) / (PERCENT * DAYS_A_YEAR)
    return PayoffQuotation(
        settled_on=settled_on,
        principal_yen=owed.principal_yen,
        interest_days=days,
        interest_yen=int(owed.principal_yen * rate * days),
        fee_yen=fee_yen,
    )
