"""通勤手当: what is paid in a month and what of it is taxed (R112-R115).

The limits are those of 国税庁, as rules/commute_tax.py names their sources.
"""

from dataclasses import dataclass
from datetime import date

import pytest

from commuter_service.rules.commute_allowance import (
    CarCommute,
    Payment,
    car_payments,
    checked_car,
    month_later,
    pass_payments,
    taxed_payments,
)
from commuter_service.rules.commute_tax import NoLimitOnMonth, bands_in, car_limit, public_limit
from commuter_service.rules.pass_price import PassPrices
from shared.errors import FormErrors

APRIL = date(2026, 4, 1)
UNTIL = date(2027, 12, 31)


@dataclass(frozen=True)
class Row:
    from_on: date
    prices: PassPrices


SIX = Row(APRIL, PassPrices(10_000, 28_000, 50_000, 6))


def paid(
    *rows: Row, starts_on: date | None = APRIL, ends_on: date | None = None, until: date = UNTIL
) -> list[tuple[str, int, int]]:
    found = pass_payments(starts_on, ends_on, rows, until, "東京―新宿")
    return [(one.on.isoformat(), one.months, one.yen) for one in found]


@pytest.mark.rule("R112")
def test_a_pass_is_paid_as_it_is_bought() -> None:
    assert paid(SIX) == [
        ("2026-04-01", 6, 50_000), ("2026-10-01", 6, 50_000), ("2027-04-01", 6, 50_000),
        ("2027-10-01", 6, 50_000),
    ]  # fmt: skip
    assert paid(SIX, ends_on=date(2026, 9, 30)) == [("2026-04-01", 6, 50_000)]
    assert paid(SIX, until=date(2026, 3, 31)) == []
    assert paid() == []


@pytest.mark.rule("R112")
def test_a_pass_from_the_last_of_a_month_keeps_that_day() -> None:
    one = Row(date(2026, 1, 31), PassPrices(10_000, paid_every=1))
    days = [day for day, _, _ in paid(one, starts_on=one.from_on, until=date(2026, 5, 1))]
    assert days == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]
    assert month_later(date(2027, 8, 31), 6) == date(2028, 2, 29)


@pytest.mark.rule("R112")
def test_each_is_paid_at_the_price_of_its_day_and_the_next_when_it_ran_out() -> None:
    dearer = Row(date(2026, 10, 1), PassPrices(10_900, 29_000, 52_000, 6))
    assert [yen for _, _, yen in paid(SIX, dearer)] == [50_000, 52_000, 52_000, 52_000]
    monthly = Row(date(2026, 7, 10), PassPrices(10_000, paid_every=1))
    assert paid(SIX, monthly, until=date(2026, 12, 1)) == [
        ("2026-04-01", 6, 50_000), ("2026-10-01", 1, 10_000), ("2026-11-01", 1, 10_000),
        ("2026-12-01", 1, 10_000),
    ]  # fmt: skip


@pytest.mark.rule("R112")
def test_what_the_company_does_not_pay_is_not_paid() -> None:
    unpaid = Row(APRIL, PassPrices(10_000))
    assert paid(unpaid) == []
    later = Row(date(2026, 8, 1), PassPrices(10_000, paid_every=1))
    assert paid(unpaid, later, until=date(2026, 9, 30)) == [
        ("2026-08-01", 1, 10_000), ("2026-09-01", 1, 10_000),
    ]  # fmt: skip
    stopped = Row(date(2026, 8, 1), PassPrices(10_000))
    assert paid(SIX, stopped) == [("2026-04-01", 6, 50_000)]


@pytest.mark.rule("R112")
def test_a_pass_without_a_first_day_is_paid_from_its_first_prices() -> None:
    assert paid(SIX, starts_on=None)[0] == ("2026-04-01", 6, 50_000)
    early = Row(date(2026, 1, 1), SIX.prices)
    assert paid(early)[0] == ("2026-04-01", 6, 50_000)


@pytest.mark.rule("R113")
@pytest.mark.parametrize(
    ("months", "yen", "free"),
    [
        (1, 150_000, 150_000),
        (1, 150_001, 150_000),
        (6, 900_000, 900_000),
        (6, 900_006, 900_000),
        (3, 449_999, 449_999),
    ],
)
def test_public_transport_is_free_up_to_150000_a_month(months: int, yen: int, free: int) -> None:
    (one,) = taxed_payments([Payment(date(2026, 4, 10), months, yen, "a")], APRIL)
    assert (one.free_yen, one.taxable_yen) == (free, yen - free)


@pytest.mark.rule("R114")
@pytest.mark.parametrize(
    ("km10", "before", "from_april_2025"),
    [
        (19, 0, 0),
        (20, 4_200, 4_200),
        (99, 4_200, 4_200),
        (100, 7_100, 7_300),
        (149, 7_100, 7_300),
        (150, 12_900, 13_500),
        (250, 18_700, 19_700),
        (350, 24_400, 25_900),
        (450, 28_000, 32_300),
        (549, 28_000, 32_300),
        (550, 31_600, 38_700),
        (1_200, 31_600, 38_700),
    ],
)
def test_a_car_is_free_by_distance_and_month(km10: int, before: int, from_april_2025: int) -> None:
    assert car_limit(date(2025, 3, 1), km10) == before
    assert car_limit(date(2025, 4, 1), km10) == from_april_2025
    car = CarCommute(date(2025, 3, 1), None, km10, 40_000)
    payments = list(car_payments(car, date(2025, 4, 30)))
    for month, free in ((3, before), (4, from_april_2025)):
        (one,) = taxed_payments(payments, date(2025, month, 1))
        assert (one.free_yen, one.taxable_yen) == (free, 40_000 - free)


@pytest.mark.rule("R113", "R114")
def test_before_the_tables_nothing_is_guessed() -> None:
    assert public_limit(date(2016, 1, 1)) == 150_000
    with pytest.raises(NoLimitOnMonth):
        public_limit(date(2015, 12, 1))
    with pytest.raises(NoLimitOnMonth):
        car_limit(date(2015, 12, 1), 100)
    assert bands_in(APRIL)[0] == (0, 2, 0)
    assert bands_in(APRIL)[-1] == (55, None, 38_700)


@pytest.mark.rule("R115")
def test_train_and_car_share_one_limit_a_month() -> None:
    train = Payment(APRIL, 6, 840_000, "東京―三島")  # 140,000 a month
    cars = [Payment(month_later(APRIL, n), 1, 13_000, "car", 200) for n in range(7)]
    by_month = {n: taxed_payments([*cars, train], month_later(APRIL, n)) for n in (0, 5, 6)}
    assert [(one.payment.what, one.free_yen) for one in by_month[0]] == [
        ("東京―三島", 840_000), ("car", 10_000),
    ]  # fmt: skip
    assert [one.free_yen for one in by_month[5]] == [10_000]  # the pass still has its share
    assert [one.free_yen for one in by_month[6]] == [13_000]


@pytest.mark.rule("R115")
def test_two_passes_share_it_too() -> None:
    both = [Payment(APRIL, 1, 100_000, "a"), Payment(APRIL, 3, 300_000, "b")]
    assert [one.free_yen for one in taxed_payments(both, APRIL)] == [100_000, 250_000]


@pytest.mark.rule("R112", "R114")
def test_a_car_is_paid_each_month_until_its_last() -> None:
    car = CarCommute(APRIL, date(2026, 6, 1), 123, 8_000)
    found = list(car_payments(car, UNTIL))
    assert [(one.on.month, one.yen, one.what) for one in found] == [
        (4, 8_000, "片道12.3km"), (5, 8_000, "片道12.3km"), (6, 8_000, "片道12.3km"),
    ]  # fmt: skip
    assert len(list(car_payments(CarCommute(APRIL, None, 20, 1), date(2026, 5, 31)))) == 2


@pytest.mark.rule("R114")
@pytest.mark.parametrize(
    ("car", "wrong"),
    [
        (CarCommute(APRIL, APRIL, 0, 8_000), ["km"]),
        (CarCommute(APRIL, APRIL, 3_001, 0), ["km", "monthly_yen"]),
        (CarCommute(APRIL, date(2026, 3, 1), 20, 1_000_000), ["monthly_yen", "last_month"]),
        (CarCommute(APRIL, None, 20, 8_000), ["first_month"]),
        (CarCommute(date(2026, 6, 1), date(2026, 6, 1), 20, 8_000), ["first_month"]),
    ],
)
def test_a_car_that_is_refused(car: CarCommute, wrong: list[str]) -> None:
    others = [CarCommute(date(2026, 6, 1), date(2026, 7, 1), 20, 8_000)]
    with pytest.raises(FormErrors) as refused:
        checked_car(car, others)
    assert [one.field for one in refused.value.fields] == wrong
    apart = CarCommute(date(2026, 8, 1), None, 20, 8_000)
    assert checked_car(apart, others) is apart
