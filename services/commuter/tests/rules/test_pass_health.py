"""What is the matter with a pass, day by day (R39)."""

from datetime import date, timedelta

import pytest

from commuter_service.rules.pass_health import (
    EXPIRING_DAYS,
    UNCONFIRMED_DAYS,
    PassCondition,
    PassProblem,
    problems_of,
)
from fare_engine.rules.period import Period

END = date(2026, 3, 31)
DAY = timedelta(days=1)


def found(condition: PassCondition, today: date) -> list[PassProblem]:
    return [finding.trouble for finding in problems_of(condition, today=today)]


@pytest.mark.rule("R39")
@pytest.mark.parametrize(
    ("today", "expiring"),
    [
        (END - (EXPIRING_DAYS + 1) * DAY, False),
        (END - EXPIRING_DAYS * DAY, True),
        (END, True),
        (END + DAY, False),
    ],
)
def test_a_pass_ends_soon_from_thirty_days_before_until_its_last_day(
    today: date, expiring: bool
) -> None:
    condition = PassCondition(Period(date(2025, 10, 1), END))
    assert found(condition, today) == ([PassProblem.EXPIRING] if expiring else [])


@pytest.mark.rule("R39")
@pytest.mark.parametrize("waited", [UNCONFIRMED_DAYS, UNCONFIRMED_DAYS + 1])
def test_an_application_waits_for_a_week(waited: int) -> None:
    condition = PassCondition(None, applied_on=END)
    late = [PassProblem.UNCONFIRMED] if waited > UNCONFIRMED_DAYS else []
    assert found(condition, END + waited * DAY) == late


def test_a_pass_without_end_and_a_route_that_is_gone() -> None:
    endless = Period(date(2025, 10, 1), None)
    assert found(PassCondition(endless), END) == []
    assert found(PassCondition(endless, unreadable="駅がありません。"), END) == [
        PassProblem.ROUTE_GONE
    ]
