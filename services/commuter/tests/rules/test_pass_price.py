"""定期代: what may be kept, and from which day a change counts (R110, R111)."""

from dataclasses import dataclass
from datetime import date

import pytest

from commuter_service.rules.pass_price import (
    NO_PRICES,
    PassPrices,
    checked_prices,
    in_force_on,
    priced_from,
)
from shared.errors import FormErrors

TODAY = date(2026, 7, 10)
APRIL = date(2026, 4, 1)


@dataclass(frozen=True)
class Row:
    from_on: date
    yen: int


@pytest.mark.rule("R110")
@pytest.mark.parametrize(
    ("prices", "words"),
    [
        (NO_PRICES, ""),
        (PassPrices(six_months_yen=57_000), "6か月 57,000円"),
        (PassPrices(1, 999_999, None, 3), "1か月 1円、3か月 999,999円（3か月ごとに支給）"),
    ],
)
def test_prices_that_are_kept(prices: PassPrices, words: str) -> None:
    assert checked_prices(prices) is prices
    assert prices.words == words


@pytest.mark.rule("R110")
@pytest.mark.parametrize(
    ("prices", "wrong"),
    [
        (PassPrices(0), [("one_month_yen", "PRICE_OUT_OF_RANGE")]),
        (PassPrices(None, -1, 1_000_000), [
            ("three_months_yen", "PRICE_OUT_OF_RANGE"), ("six_months_yen", "PRICE_OUT_OF_RANGE"),
        ]),
        (PassPrices(10_000, paid_every=3), [("three_months_yen", "PRICE_MISSING")]),
        (PassPrices(10_000, paid_every=2), [("paid_every", "PAID_EVERY")]),
        (PassPrices(10_000, paid_every=0), [("paid_every", "PAID_EVERY")]),
        (PassPrices(paid_every=1), [("one_month_yen", "PRICE_MISSING")]),
    ],
)  # fmt: skip
def test_prices_that_are_refused_with_their_fields(
    prices: PassPrices, wrong: list[tuple[str, str]]
) -> None:
    with pytest.raises(FormErrors) as refused:
        checked_prices(prices)
    assert [(one.field, one.code) for one in refused.value.fields] == wrong


@pytest.mark.rule("R111")
@pytest.mark.parametrize(
    ("named", "starts_on", "has_prices", "from_on"),
    [
        (None, APRIL, False, APRIL),
        (None, None, False, TODAY),
        (None, APRIL, True, TODAY),
        (date(2026, 10, 1), APRIL, True, date(2026, 10, 1)),
        (date(2026, 3, 14), APRIL, False, date(2026, 3, 14)),
    ],
)
def test_from_which_day_prices_count(
    named: date | None, starts_on: date | None, from_on: date, *, has_prices: bool
) -> None:
    prices = PassPrices(10_000, priced_from=named)
    assert priced_from(prices, starts_on, has_prices=has_prices, today=TODAY) == from_on


@pytest.mark.rule("R111")
def test_the_latest_that_began_counts() -> None:
    rows = [Row(APRIL, 1), Row(date(2026, 10, 1), 2)]
    found = [in_force_on(rows, on) for on in (date(2026, 3, 31), APRIL, date(2026, 9, 30))]
    assert [one and one.yen for one in found] == [None, 1, 1]
    assert in_force_on(reversed(rows), date(2026, 10, 1)) == rows[1]
    assert in_force_on([], APRIL) is None
