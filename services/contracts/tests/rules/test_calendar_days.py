"""Calendar days: the date arithmetic behind every deadline."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts_service.rules.calendar_days import (
    first_day_reaching,
    japanese_date,
    jst_day,
    jst_midnight,
    last_of_month,
    months_before,
)

days = st.dates(date(1990, 1, 1), date(2100, 12, 31))


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2025-04-30", 2, "2025-02-28"),
        ("2024-04-30", 2, "2024-02-29"),
        ("2025-08-31", 2, "2025-06-30"),
        ("2026-03-31", 1, "2026-02-28"),
        ("2025-09-15", 2, "2025-07-15"),
        ("2026-01-15", 2, "2025-11-15"),
        ("2025-11-30", -3, "2026-02-28"),
    ],
)
@pytest.mark.rule("D25", "D60")
def test_the_same_day_months_earlier_is_clamped_to_the_months_end(
    day: str, months: int, expected: str
) -> None:
    assert months_before(date.fromisoformat(day), months) == date.fromisoformat(expected)


@given(days, st.integers(0, 120))
def test_months_before_lands_in_the_right_month_and_never_after_the_same_day(
    day: date, months: int
) -> None:
    earlier = months_before(day, months)
    assert (day.year - earlier.year) * 12 + day.month - earlier.month == months
    assert earlier.day == min(day.day, last_of_month(earlier).day)


@given(days, days, st.integers(-12, 12))
def test_a_later_last_day_never_has_an_earlier_deadline(
    one: date, other: date, months: int
) -> None:
    sooner, later = sorted((one, other))
    assert months_before(sooner, months) <= months_before(later, months)


@given(days, st.integers(-12, 12))
def test_the_bound_separates_exactly_the_days_whose_deadline_has_passed(
    today: date, months: int
) -> None:
    bound = first_day_reaching(today, months)
    assert months_before(bound, months) >= today
    assert months_before(bound - timedelta(days=1), months) < today


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2025, 7, 14, 14, 59, 59, tzinfo=UTC), date(2025, 7, 14)),
        (datetime(2025, 7, 14, 15, 0, tzinfo=UTC), date(2025, 7, 15)),
    ],
)
def test_the_day_changes_at_midnight_in_japan(instant: datetime, day: date) -> None:
    assert jst_day(instant) == day


@given(days)
def test_a_day_begins_at_its_own_midnight(day: date) -> None:
    assert jst_day(jst_midnight(day)) == day
    assert jst_day(jst_midnight(day) - timedelta(microseconds=1)) == day - timedelta(days=1)


def test_an_instant_without_time_zone_has_no_day() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        jst_day(datetime(2025, 7, 15))  # noqa: DTZ001 - the point of the test


def test_days_are_written_without_leading_zeros() -> None:
    assert japanese_date(date(2025, 7, 5)) == "2025年7月5日"
