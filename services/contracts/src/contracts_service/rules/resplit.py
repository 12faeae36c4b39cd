"""Re-split of the last instalment (再分割): its period, and the payments of a plan (D49, D50).

再分割シミュレーション opens nine months before the last day and closes with it. A trial is not
binding. Applying selects 再分割; a rejected screening restores the previous selection.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from contracts_service.rules.calendar_days import japanese_date, months_before
from contracts_service.rules.completion import CompletionBasis
from contracts_service.rules.instalment_schedule import (
    Instalment,
    monthly_interest_yen,
    monthly_rate,
    next_instalment,
)
from contracts_service.rules.result_entry import HandlingCompleted, ReturnInProgress
from contracts_service.rules.selection import Selection
from contracts_service.rules.tfc_handling import tfc_refusal
from shared.errors import FieldError, FormErrors, Kind, Refusal

OPENS_MONTHS_BEFORE = 9
TERMS = (12, 24, 36, 48, 60)


class ResplitNotOpenYet(Refusal):
    """More than nine months to the last day (D49)."""

    code = "RESPLIT_NOT_OPEN_YET"
    kind = Kind.CONFLICT

    def __init__(self, opens_on: date) -> None:
        self.opens_on = opens_on
        super().__init__(f"再分割シミュレーションは{japanese_date(opens_on)}から実施可能です")


class ResplitClosed(Refusal):
    """The last day has passed (D49)."""

    code = "RESPLIT_CLOSED"
    kind = Kind.CONFLICT
    message = "最終回期日を過ぎているため、再分割シミュレーションは実施できません"


class ScreeningRunning(Refusal):
    """An application for 再分割 already waits for its screening (D50)."""

    code = "SCREENING_RUNNING"
    kind = Kind.CONFLICT
    message = "再分割の審査申込を受付済みです"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResplitFacts:
    """The current state of the contract."""

    final_on: date
    selection: Selection | None = None
    completion: CompletionBasis | None = None
    tfc_handled: bool = False
    return_open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResplitPlan:
    """A trial: the first instalment includes the remainder, all others are `level_yen`."""

    first_yen: int
    level_yen: int
    interest_yen: int
    total_yen: int
    schedule: tuple[Instalment, ...]


def resplit_opens_on(final_on: date) -> date:
    """The first day of 再分割シミュレーション: nine months before the last day (D49)."""
    return months_before(final_on, OPENS_MONTHS_BEFORE)


def resplit_refusal(facts: ResplitFacts, *, today: date) -> Refusal | None:
    """Why neither trial nor application is open today, or None (D38, D49, D60)."""
    if refusal := tfc_refusal(tfc_handled=facts.tfc_handled):
        return refusal
    opens_on = resplit_opens_on(facts.final_on)
    if today < opens_on:
        return ResplitNotOpenYet(opens_on)
    if today > facts.final_on:
        return ResplitClosed()
    if facts.completion not in {None, CompletionBasis.CASH_DECIDED}:
        return HandlingCompleted()
    return ReturnInProgress() if facts.return_open else None


def selection_on_applying(facts: ResplitFacts, *, today: date) -> Selection:
    """The selection set by applying for screening; the limit of D60 does not apply (D50).

    Raises:
        The refusals of `resplit_refusal`, and ScreeningRunning.
    """
    if refusal := resplit_refusal(facts, today=today):
        raise refusal
    if facts.selection is Selection.RE_SPLIT:
        raise ScreeningRunning
    return Selection.RE_SPLIT


def selection_after_screening(
    *, approved: bool, current: Selection | None, previous: Selection | None
) -> Selection | None:
    """The selection after the screening; a rejection undoes only the application's (D50)."""
    if approved:
        return Selection.RE_SPLIT
    return previous if current is Selection.RE_SPLIT else current


def trial(
    *,
    principal_yen: int,
    instalments: int,
    yearly_rate_percent: Decimal,
    final_on: date,
    terms: Collection[int] = TERMS,
) -> ResplitPlan:
    """Level payments (元利均等), due monthly from one month after `final_on`.

    Interest is floored to the yen every month; the level payment is the highest with which all
    instalments but the first are equal, the first is not smaller, and the balance ends at exactly
    0 (D50).

    Raises:
        FormErrors: a term that is not offered, or nothing to split.
    """
    _check_trial(principal_yen, instalments, yearly_rate_percent, terms)
    rate = monthly_rate(yearly_rate_percent)
    level, first = _level_and_first(principal_yen, instalments, rate)
    schedule: list[Instalment] = []
    owed = principal_yen
    for number in range(1, instalments + 1):
        row = next_instalment(
            number,
            months_before(final_on, -number),
            owed_yen=owed,
            payment_yen=first if number == 1 else level,
            rate=rate,
        )
        schedule.append(row)
        owed = row.balance_yen
    total = first + level * (instalments - 1)
    return ResplitPlan(
        first_yen=first,
        level_yen=level,
        interest_yen=total - principal_yen,
        total_yen=total,
        schedule=tuple(schedule),
    )


def _check_trial(
    principal_yen: int, instalments: int, yearly_rate_percent: Decimal, terms: Collection[int]
) -> None:
    errors = []
    if instalments not in terms:
        offered = "・".join(str(term) for term in sorted(terms))
        message = f"分割回数は{offered}回から選択してください"
        errors.append(FieldError("instalments", "TERM_NOT_OFFERED", message))
    if principal_yen < instalments:
        message = "再分割する金額がありません"
        errors.append(FieldError("principal_yen", "NOTHING_TO_SPLIT", message))
    if yearly_rate_percent < 0:
        message = "年率は0以上で入力してください"
        errors.append(FieldError("yearly_rate_percent", "RATE_NEGATIVE", message))
    if errors:
        raise FormErrors(*errors)


def _level_and_first(principal_yen: int, instalments: int, rate: Fraction) -> tuple[int, int]:
    growth = 1 + rate
    if rate:
        level = int(principal_yen * rate / (1 - growth**-instalments))
    else:
        level = principal_yen // instalments
    owed_at_first = principal_yen + monthly_interest_yen(principal_yen, rate)
    while True:
        later = _principal_of_level_payments(level, instalments - 1, growth)
        if later is not None and owed_at_first - later >= level:
            return level, owed_at_first - later
        level -= 1


def _principal_of_level_payments(level: int, count: int, growth: Fraction) -> int | None:
    """The amount that `count` payments of `level` pay off to exactly 0; None if there is none.

    With floored interest a balance grows to floor(balance × growth); not every amount is reachable.
    """
    balance = 0
    for _ in range(count):
        grown = balance + level
        balance = -(-grown * growth.denominator // growth.numerator)
        if balance * growth.numerator // growth.denominator != grown:
            return None
    return balance
