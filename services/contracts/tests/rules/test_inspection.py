"""Inspection (車検): prediction, 車検前 N, and the column 車検年月."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts_service.rules.inspection import (
    DISCLAIMER,
    Inspection,
    next_inspection_month,
    registered_for_next_inspection,
    registration_months,
)

from .oracles import months_until

T = date(2025, 7, 15)
months = st.dates(date(2000, 1, 1), date(2040, 12, 31)).map(lambda day: day.replace(day=1))
kinds = st.sampled_from(Inspection)


@pytest.mark.rule("D15", "D16")
@pytest.mark.parametrize(
    ("kind", "expected"),
    [("first", "2025-10-01"), ("second", "2027-10-01"), ("third", "2029-10-01")],
)
def test_inspections_follow_the_cycle_of_passenger_cars(kind: str, expected: str) -> None:
    registered, month = date(2022, 10, 1), date.fromisoformat(expected)
    found = registration_months(Inspection(kind), months_from=0, months_to=0, today=month)
    assert found == (registered, registered)


@pytest.mark.rule("D13")
@pytest.mark.parametrize(
    ("registered", "ahead"), [("2022-10-31", 3), ("2022-11-01", 4), ("2022-07-01", 0)]
)
def test_months_before_an_inspection_are_counted_by_month(registered: str, ahead: int) -> None:
    month = date.fromisoformat(registered).replace(day=1)
    for n in range(36):
        earliest, latest = registration_months(
            Inspection.FIRST, months_from=n, months_to=n, today=T
        )
        assert (earliest <= month <= latest) is (n == ahead)


@pytest.mark.rule("D14")
def test_how_far_ahead_one_may_ask() -> None:
    assert [kind.furthest_months_before for kind in Inspection] == [35, 23, 23]


@pytest.mark.rule("D13")
@given(months, kinds, st.integers(0, 35), st.integers(0, 35), months)
def test_the_registration_bounds_agree_with_the_count(
    registered: date, kind: Inspection, one: int, other: int, today: date
) -> None:
    nearest, furthest = sorted((one, other))
    earliest, latest = registration_months(
        kind, months_from=nearest, months_to=furthest, today=today
    )
    matches = nearest <= months_until(registered, kind, today=today) <= furthest
    assert (earliest <= registered <= latest) is matches


@pytest.mark.rule("D33")
@pytest.mark.parametrize(
    ("registered", "expected"),
    [
        ("2022-07-31", "2025-07-01"),
        ("2022-06-01", "2027-06-01"),
        ("2020-06-01", "2027-06-01"),
        ("2015-08-01", "2026-08-01"),
        ("2025-07-01", "2028-07-01"),
    ],
)
def test_the_next_inspection_is_never_past(registered: str, expected: str) -> None:
    found = next_inspection_month(date.fromisoformat(registered), today=T)
    assert found == date.fromisoformat(expected)


@pytest.mark.rule("D33")
@given(months, months)
def test_the_next_inspection_lies_within_one_cycle(registered: date, today: date) -> None:
    found = next_inspection_month(registered, today=today)
    ahead = (found.year - today.year) * 12 + found.month - today.month
    age = (found.year - registered.year) * 12 + found.month - registered.month
    assert ahead >= 0
    assert age == 36 or (age % 24 == 12 and ahead < 24)


@pytest.mark.rule("D33")
@given(months, months)
def test_a_month_of_inspection_finds_exactly_its_cars(registered: date, today: date) -> None:
    shown = next_inspection_month(registered, today=today)
    oldest = min(registered, today)
    assert registered in registered_for_next_inspection(shown, today=today, oldest=oldest)
    for other in registered_for_next_inspection(today, today=today, oldest=oldest):
        assert next_inspection_month(other, today=today) == today


@pytest.mark.rule("D16")
def test_the_note_names_the_cars_that_may_differ() -> None:
    assert "商用車と月初1日登録車" in DISCLAIMER
