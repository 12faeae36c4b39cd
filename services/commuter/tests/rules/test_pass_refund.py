"""払戻し: months used at 1- and 3-month prices, and what is not known (R117, R118)."""

from datetime import date

import pytest

from commuter_service.rules.pass_price import NO_PRICES, PassPrices
from commuter_service.rules.pass_refund import (
    BoughtPass,
    RefundCase,
    bought_period,
    is_in_first_days,
    refund,
    refund_words,
)

APRIL = date(2026, 4, 1)
PRICES = PassPrices(10_000, 28_500, 54_000)
SIX = BoughtPass(6, APRIL, PRICES)
JR = ["JR東日本"]


@pytest.mark.rule("R117")
@pytest.mark.parametrize(
    ("ended_on", "used", "cost", "back"),
    [
        ("2026-04-01", 1, 10_000, 43_780),
        ("2026-04-30", 1, 10_000, 43_780),
        ("2026-05-01", 2, 20_000, 33_780),
        ("2026-06-30", 3, 28_500, 25_280),
        ("2026-07-01", 4, 38_500, 15_280),
        ("2026-08-20", 5, 48_500, 5_280),  # the example of JR東海's page
        ("2026-08-31", 5, 48_500, 5_280),
    ],
)
def test_the_months_that_have_begun_are_paid(
    ended_on: str, used: int, cost: int, back: int
) -> None:
    found = refund(SIX, date.fromisoformat(ended_on), JR)
    assert (found.case, found.used_months, found.used_yen, found.yen) == (
        RefundCase.USED, used, cost, back,
    )  # fmt: skip


@pytest.mark.rule("R117")
@pytest.mark.parametrize("ended_on", ["2026-09-01", "2026-09-30", "2027-01-01"])
def test_less_than_a_month_is_not_paid_back(ended_on: str) -> None:
    found = refund(SIX, date.fromisoformat(ended_on), JR)
    assert (found.case, found.yen) == (RefundCase.NO_MONTH_LEFT, 0)
    assert refund(BoughtPass(1, APRIL, PRICES), APRIL, JR).case is RefundCase.NO_MONTH_LEFT


@pytest.mark.rule("R117")
def test_before_its_first_day_only_the_fee_is_kept() -> None:
    found = refund(SIX, date(2026, 3, 31), JR)
    assert (found.case, found.yen) == (RefundCase.NOT_BEGUN, 53_780)


@pytest.mark.rule("R117")
def test_months_that_cost_as_much_leave_nothing() -> None:
    dear = BoughtPass(3, APRIL, PassPrices(10_000, 20_220))
    found = refund(dear, date(2026, 5, 1), JR)
    assert (found.case, found.yen) == (RefundCase.NOTHING_LEFT, 0)
    one_more = BoughtPass(3, APRIL, PassPrices(10_000, 20_221))
    assert refund(one_more, date(2026, 5, 1), JR).yen == 1


@pytest.mark.rule("R117")
def test_a_month_from_the_last_day_of_one_ends_with_the_next() -> None:
    one = BoughtPass(3, date(2026, 1, 31), PRICES)
    assert one.valid_until == date(2026, 4, 29)
    used = [one.months_used(date(2026, *day)) for day in ((2, 27), (2, 28), (3, 30), (3, 31))]
    assert used == [1, 2, 2, 3]


@pytest.mark.rule("R118")
@pytest.mark.parametrize(
    ("operators", "case"),
    [
        (["東急"], RefundCase.OPERATOR_UNKNOWN),
        (["駅すぱあと"], RefundCase.OPERATOR_UNKNOWN),
        ([], RefundCase.OPERATOR_UNKNOWN),
        (["JR東日本", "東京メトロ"], RefundCase.SEVERAL_OPERATORS),
    ],
)
def test_what_is_not_known_is_said(operators: list[str], case: RefundCase) -> None:
    found = refund(SIX, date(2026, 5, 1), operators)
    assert (found.case, found.yen) == (case, None)
    assert "確認できていません" in refund_words(SIX, found)


@pytest.mark.rule("R118")
@pytest.mark.parametrize(
    ("prices", "ended_on"),
    [
        (NO_PRICES, "2026-05-01"),
        (PassPrices(None, 28_500, 54_000), "2026-05-01"),
        (PassPrices(10_000, None, 54_000), "2026-06-15"),
    ],
)
def test_a_missing_price_is_not_guessed(prices: PassPrices, ended_on: str) -> None:
    found = refund(BoughtPass(6, APRIL, prices), date.fromisoformat(ended_on), JR)
    assert (found.case, found.yen) == (RefundCase.PRICES_MISSING, None)
    known = PassPrices(10_000, None, 54_000)
    assert refund(BoughtPass(6, APRIL, known), date(2026, 5, 31), JR).yen == 33_780


@pytest.mark.rule("R117")
def test_one_pass_follows_the_other() -> None:
    assert bought_period(APRIL, 6, date(2026, 9, 30)) == APRIL
    assert bought_period(APRIL, 6, date(2026, 10, 1)) == date(2026, 10, 1)
    assert bought_period(APRIL, 1, date(2026, 6, 15)) == date(2026, 6, 1)
    assert bought_period(APRIL, 6, date(2026, 1, 1)) == APRIL


@pytest.mark.rule("R118")
def test_the_first_seven_days_are_marked() -> None:
    days = (date(2026, 3, 31), APRIL, date(2026, 4, 7), date(2026, 4, 8))
    assert [is_in_first_days(SIX, day) for day in days] == [False, True, True, False]


@pytest.mark.rule("R117")
@pytest.mark.parametrize(
    ("ended_on", "words"),
    [
        ("2026-07-10", " 54,000円 − 4か月分 38,500円 − 手数料220円 ＝ 15,280円"),
        ("2026-03-01", "の開始前：54,000円 − 手数料220円 ＝ 53,780円"),
        ("2026-09-02", "（2026/09/30まで）の残りが1か月に満たないため、払戻しはありません。"),
    ],
)
def test_how_it_was_worked_out_is_said(ended_on: str, words: str) -> None:
    on = date.fromisoformat(ended_on)
    said = refund_words(SIX, refund(SIX, on, JR))
    assert said == f"2026/04/01からの6か月定期{words}"
