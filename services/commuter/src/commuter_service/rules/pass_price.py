"""Prices of a pass (定期代): what one may say, and from which day a change counts (R110, R111).

Not in the manual. Prices are optional. They never change what is deducted.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol, TypeVar

from shared.errors import FieldError, FormErrors

MONTHS = (1, 3, 6)
"""The passes that railways sell."""
MOST_YEN = 999_999

FIELDS: Mapping[int, str] = {1: "one_month_yen", 3: "three_months_yen", 6: "six_months_yen"}


@dataclass(frozen=True, slots=True)
class PassPrices:
    """What a pass costs for 1, 3 and 6 months, and which of them the company pays.

    `paid_every`: None where the company pays no allowance for it. `priced_from`: the day from
    which the prices count, where somebody named one.
    """

    one_month_yen: int | None = None
    three_months_yen: int | None = None
    six_months_yen: int | None = None
    paid_every: int | None = None
    priced_from: date | None = None

    def of(self, months: int) -> int | None:
        """The price of a pass for 1, 3 or 6 months, if it is known."""
        yen: int | None = getattr(self, FIELDS[months])
        return yen

    @property
    def known(self) -> bool:
        """Whether there is any price."""
        return any(self.of(months) is not None for months in MONTHS)

    @property
    def amounts(self) -> tuple[int | None, ...]:
        """All that counts from a day on."""
        return (*(self.of(months) for months in MONTHS), self.paid_every)

    @property
    def words(self) -> str:
        """1か月 10,000円、6か月 50,000円（6か月ごとに支給）; empty without a price."""
        said = [
            f"{months}か月 {yen:,}円" for months in MONTHS if (yen := self.of(months)) is not None
        ]
        paid = f"（{self.paid_every}か月ごとに支給）" if self.paid_every else ""
        return "、".join(said) + paid if said else ""


NO_PRICES = PassPrices()


class FromADay(Protocol):
    """Anything that counts from a day on."""

    @property
    def from_on(self) -> date:
        """The day."""


Dated = TypeVar("Dated", bound=FromADay)


def checked_prices(prices: PassPrices) -> PassPrices:
    """The prices as they are kept. Raises FormErrors with each field that is wrong (R110)."""
    wrong = list(_faults(prices))
    if wrong:
        raise FormErrors(*wrong)
    return prices


def priced_from(
    prices: PassPrices, starts_on: date | None, *, has_prices: bool, today: date
) -> date:
    """The day from which these prices count (R111).

    The named one; else the first prices count from the pass's first day, later ones from today.
    """
    if prices.priced_from is not None:
        return prices.priced_from
    return today if has_prices or starts_on is None else starts_on


def in_force_on(rows: Iterable[Dated], on: date) -> Dated | None:
    """The row that counts on a day: the latest that began by then (R111)."""
    begun = [row for row in rows if row.from_on <= on]
    return max(begun, key=lambda row: row.from_on, default=None)


def _faults(prices: PassPrices) -> Iterator[FieldError]:
    for months in MONTHS:
        yen = prices.of(months)
        if yen is not None and not 0 < yen <= MOST_YEN:
            message = f"定期代は1円から{MOST_YEN:,}円までの整数で入力してください"
            yield FieldError(FIELDS[months], "PRICE_OUT_OF_RANGE", message)
    if prices.paid_every is None:
        return
    if prices.paid_every not in MONTHS:
        yield FieldError("paid_every", "PAID_EVERY", "支給は1か月・3か月・6か月から選んでください")
    elif prices.of(prices.paid_every) is None:
        message = f"{prices.paid_every}か月ごとに支給するときは、その定期代を入力してください"
        yield FieldError(FIELDS[prices.paid_every], "PRICE_MISSING", message)
