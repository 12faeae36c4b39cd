"""Periods of passes R4-R9."""

from datetime import date

import pytest

from commuter_service.rules.pass_period import gaps, proposed_end
from fare_engine.rules.period import Period, PeriodReversed


def day(text: str) -> date:
    return date.fromisoformat(text.replace("/", "-"))


def period(text: str) -> Period:
    start, end = text.split("~")
    return Period(day(start) if start else None, day(end) if end else None)


@pytest.mark.rule("R4", "R5", "F18")
@pytest.mark.parametrize(
    ("valid", "on", "deducts"),
    [
        ("2022/04/01~", "2022/03/31", False),
        ("2022/04/01~", "2022/04/01", True),
        ("2022/04/01~", "2035/01/01", True),
        ("~2022/08/31", "2000/01/01", True),
        ("~2022/08/31", "2022/08/31", True),
        ("~2022/08/31", "2022/09/01", False),
        ("2022/04/01~2022/08/31", "2022/03/31", False),
        ("2022/04/01~2022/08/31", "2022/04/01", True),
        ("2022/04/01~2022/08/31", "2022/08/31", True),
        ("2022/04/01~2022/08/31", "2022/09/01", False),
        ("~", "2035/01/01", True),
        ("~", "2000/01/01", True),
    ],
)
def test_both_ends_are_optional_and_inclusive(valid: str, on: str, deducts: bool) -> None:
    assert (day(on) in period(valid)) is deducts


@pytest.mark.rule("R6")
def test_a_period_ends_on_or_after_its_start() -> None:
    with pytest.raises(PeriodReversed) as refusal:
        period("2022/08/31~2022/04/01")
    assert refusal.value.code == "PERIOD_REVERSED"
    one_day = period("2022/08/31~2022/08/31")
    assert day("2022/08/31") in one_day
    assert day("2022/09/01") not in one_day


@pytest.mark.rule("R7")
@pytest.mark.parametrize(("on", "deducts"), [("2022/09/30", False), ("2022/10/01", True)])
def test_future_start_waits_for_its_day(on: str, deducts: bool) -> None:
    assert (day(on) in period("2022/10/01~")) is deducts


@pytest.mark.rule("R8")
@pytest.mark.parametrize(
    ("old", "new", "end"),
    [
        ("2022/04/01~", "2022/08/01~", "2022/07/31"),
        ("~", "2022/08/01~", "2022/07/31"),
        ("2022/04/01~2022/08/01", "2022/08/01~2022/12/31", "2022/07/31"),
        ("2022/04/01~2022/07/31", "2022/08/01~", None),  # no overlap
        ("2022/04/01~", "~", None),  # the new one has no first day to stop before
        ("2022/08/01~", "2022/08/01~", None),  # would leave the old one no day
        ("2022/07/31~", "2022/08/01~", "2022/07/31"),
    ],
)
def test_proposed_end_of_the_old_pass(old: str, new: str, end: str | None) -> None:
    assert proposed_end(period(old), period(new)) == (day(end) if end else None)


@pytest.mark.rule("R8")
@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ("~2022/07/31", "2022/08/01~", False),
        ("~2022/08/01", "2022/08/01~", True),
        ("~", "~", True),
        ("2022/04/01~2022/04/30", "2022/04/30~2022/05/31", True),
        ("2022/04/01~2022/04/30", "2022/05/01~2022/05/31", False),
    ],
)
def test_overlap(one: str, other: str, overlap: bool) -> None:
    assert period(one).overlaps(period(other)) is overlap
    assert period(other).overlaps(period(one)) is overlap


@pytest.mark.parametrize(
    ("periods", "found"),
    [
        (["~2022/07/31", "2022/08/01~"], []),
        (["~2022/07/30", "2022/08/01~"], ["2022/07/31~2022/07/31"]),
        (["2022/09/01~", "2022/04/01~2022/07/31"], ["2022/08/01~2022/08/31"]),
        (["2022/04/01~2022/12/31", "2022/05/01~2022/06/30", "2023/02/01~"],
         ["2023/01/01~2023/01/31"]),
        (["~", "2022/05/01~"], []),
        ([], []),
    ],
)  # fmt: skip
def test_gaps_between_passes(periods: list[str], found: list[str]) -> None:
    assert gaps(map(period, periods)) == tuple(map(period, found))


def test_written_period() -> None:
    texts = ["2022/04/01~", "~2022/08/31", "2022/04/01~2022/08/31"]
    assert [str(period(text)) for text in texts] == texts
    assert str(Period()) == ""
