"""Commuter pass simulation: its monthly price against the fares of a number of commuting days."""

from dataclasses import dataclass
from typing import ClassVar

from shared.errors import Refusal

MONTHS_SOLD = (1, 3, 6)


class MonthsNotSold(Refusal):
    """Passes are sold for one, three or six months."""

    code: ClassVar[str] = "MONTHS_NOT_SOLD"
    message = "定期券の期間は1か月・3か月・6か月から選択してください"


@dataclass(frozen=True, slots=True)
class Offer:
    """A pass as it is sold: its price in yen for a number of months."""

    months: int
    yen: int

    def __post_init__(self) -> None:
        if self.months not in MONTHS_SOLD:
            raise MonthsNotSold


@dataclass(frozen=True, slots=True)
class Comparison:
    """An offer beside paying each ride; yen a month, rounded up; `break_even_days` None: never."""

    monthly_yen: int
    fares_yen: int
    saving_yen: int
    break_even_days: int | None


def compare(offer: Offer, *, daily_yen: int, daily_with_pass_yen: int, days: int) -> Comparison:
    """Weigh an offer for `days` a month; daily amounts are for there and back.

    The break-even is the first number of days on which the pass is not dearer.
    """
    price = -(-offer.yen // offer.months)
    saved = daily_yen - daily_with_pass_yen
    monthly = price + daily_with_pass_yen * days
    fares = daily_yen * days
    even = -(-price // saved) if saved > 0 else None
    return Comparison(monthly, fares, fares - monthly, even)
