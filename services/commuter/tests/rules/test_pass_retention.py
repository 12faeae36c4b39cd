"""Deletion of ended passes R11-R18."""

from datetime import date

import pytest

from commuter_service.rules.pass_retention import (
    USUAL_RETENTION,
    Retention,
    RetentionNotOffered,
    deleted_on,
    due_for_purge,
    is_available,
    retention,
)
from commuter_service.rules.pass_validity import PassFacts
from fare_engine.rules.period import Period

ENDED = Period(None, date(2022, 7, 31))


@pytest.mark.rule("R11")
def test_four_retentions_are_offered() -> None:
    assert [retention(days) for days in (40, 60, 90, 180)] == list(Retention)
    assert USUAL_RETENTION == 90
    for days in (0, 30, 41, 365):
        with pytest.raises(RetentionNotOffered):
            retention(days)


@pytest.mark.rule("R12")
def test_pass_without_end_is_kept_for_ever() -> None:
    assert deleted_on(Period(date(2000, 1, 1)), Retention.DAYS_40) is None
    assert is_available(Period(), Retention.DAYS_40, today=date(2099, 1, 1))


@pytest.mark.rule("R15")
@pytest.mark.parametrize(
    ("days", "gone"),
    [
        (40, date(2022, 9, 9)),
        (60, date(2022, 9, 29)),
        (90, date(2022, 10, 29)),
        (180, date(2023, 1, 27)),
    ],
)
def test_day_of_deletion_and_the_day_before(days: int, gone: date) -> None:
    kept = retention(days)
    assert deleted_on(ENDED, kept) == gone
    assert is_available(ENDED, kept, today=date.fromordinal(gone.toordinal() - 1))
    assert not is_available(ENDED, kept, today=gone)


@pytest.mark.parametrize(
    ("today", "days", "deducts"),
    [
        pytest.param(date(2022, 8, 31), 40, True, marks=pytest.mark.rule("R13")),
        pytest.param(date(2022, 9, 30), 40, False, marks=pytest.mark.rule("R14")),
        pytest.param(date(2022, 9, 30), 60, False, marks=pytest.mark.rule("R15")),
        pytest.param(date(2022, 9, 30), 90, True, marks=pytest.mark.rule("R15")),
        pytest.param(date(2022, 9, 30), 180, True, marks=pytest.mark.rule("R15")),
        pytest.param(date(2022, 8, 31), 180, True, marks=pytest.mark.rule("R15")),
    ],
)
def test_item_of_july_30_after_the_pass_ended(today: date, days: int, deducts: bool) -> None:
    assert is_available(ENDED, retention(days), today=today) is deducts


@pytest.mark.rule("R18")
def test_purging_twice_finds_nothing_the_second_time() -> None:
    passes = [
        PassFacts("ended", 1, "営業太郎", ENDED),
        PassFacts("open", 1, "営業太郎", Period()),
    ]
    today = date(2022, 9, 9)
    due = due_for_purge(passes, Retention.DAYS_40, today=today)
    assert [one.pass_id for one in due] == ["ended"]
    left = [one for one in passes if one not in due]
    assert due_for_purge(left, Retention.DAYS_40, today=today) == ()
