"""終了予告: which pass is about to end with nothing after it, and when one looks (R122)."""

from datetime import UTC, date, datetime

import pytest

from commuter_service.rules.pass_ending import HeldPass, days_fault, is_ending, next_look
from fare_engine.rules.period import Period

END = date(2026, 9, 30)
ONE = HeldPass(Period(date(2026, 4, 1), END))


@pytest.mark.rule("R122")
@pytest.mark.parametrize(
    ("today", "days", "reminded"),
    [
        ("2026-09-15", 14, False),
        ("2026-09-16", 14, True),
        ("2026-09-30", 14, True),
        ("2026-10-01", 14, False),
        ("2026-09-30", 0, False),
        ("2026-08-01", 60, True),
    ],
)
def test_within_the_days_before_its_end(today: str, days: int, *, reminded: bool) -> None:
    assert is_ending(ONE, [], days, today=date.fromisoformat(today)) is reminded


@pytest.mark.rule("R122")
@pytest.mark.parametrize(
    ("other", "reminded"),
    [
        (HeldPass(Period(date(2026, 10, 1), None)), False),
        (HeldPass(Period(date(2026, 9, 1), date(2026, 10, 1))), False),
        (HeldPass(None, Period(date(2026, 10, 1), None)), False),
        (HeldPass(Period(date(2026, 10, 2), None)), True),
        (HeldPass(Period(None, END)), True),
    ],
)
def test_not_where_another_follows(other: HeldPass, *, reminded: bool) -> None:
    assert is_ending(ONE, [other], 14, today=END) is reminded


@pytest.mark.rule("R122")
def test_not_without_an_end_in_force_or_with_a_longer_one_applied_for() -> None:
    assert not is_ending(HeldPass(Period(None, None)), [], 14, today=END)
    assert not is_ending(HeldPass(None, Period(None, END)), [], 14, today=END)
    longer = HeldPass(ONE.in_force, Period(date(2026, 4, 1), None))
    assert not is_ending(longer, [], 14, today=END)


@pytest.mark.rule("R122")
@pytest.mark.parametrize(
    ("now", "coming"),
    [
        (datetime(2026, 9, 15, 23, 59, tzinfo=UTC), datetime(2026, 9, 16, 0, 0, tzinfo=UTC)),
        (datetime(2026, 9, 16, 0, 0, tzinfo=UTC), datetime(2026, 9, 17, 0, 0, tzinfo=UTC)),
    ],
)
def test_one_looks_at_nine_in_japan(now: datetime, coming: datetime) -> None:
    assert next_look(now) == coming


@pytest.mark.rule("R122")
def test_days_that_a_company_may_choose() -> None:
    assert [bool(days_fault(days)) for days in (-1, 0, 60, 61)] == [True, False, False, True]
