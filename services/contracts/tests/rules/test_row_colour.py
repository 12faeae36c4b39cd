"""Row colour: the tables of the manual's legend and its boundaries."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from contracts_service.rules.row_colour import (
    Colour,
    ColourBounds,
    RowFacts,
    colour_bounds,
    row_colour,
)

T = date(2025, 7, 15)
days = st.dates(date(2020, 1, 1), date(2030, 12, 31))


def row(final_on: str, **facts: Any) -> RowFacts:
    return RowFacts(final_on=date.fromisoformat(final_on), **facts)


@pytest.mark.parametrize(
    ("final_on", "completed", "expected"),
    [
        pytest.param("2025-07-14", False, "grey", marks=pytest.mark.rule("D36")),
        pytest.param("2025-07-14", True, "grey", marks=pytest.mark.rule("D36")),
        pytest.param("2025-07-15", False, "red", marks=pytest.mark.rule("D36")),
        pytest.param("2025-07-15", True, "white", marks=pytest.mark.rule("D36")),
        pytest.param("2025-09-14", False, "red", marks=pytest.mark.rule("D39", "D42")),
        pytest.param("2025-09-14", True, "white", marks=pytest.mark.rule("D39", "D41")),
        pytest.param("2025-09-15", False, "yellow", marks=pytest.mark.rule("D40", "D42")),
        pytest.param("2025-09-16", False, "yellow", marks=pytest.mark.rule("D40")),
        pytest.param("2025-10-20", False, "yellow", marks=pytest.mark.rule("D40")),
        pytest.param("2025-10-20", True, "white", marks=pytest.mark.rule("D40", "D41")),
        pytest.param("2025-11-14", False, "yellow", marks=pytest.mark.rule("D40")),
        pytest.param("2025-11-14", True, "white", marks=pytest.mark.rule("D40", "D41")),
        pytest.param("2025-11-15", False, "white", marks=pytest.mark.rule("D43")),
        pytest.param("2025-11-16", False, "white", marks=pytest.mark.rule("D41")),
        pytest.param("2025-12-31", False, "white", marks=pytest.mark.rule("D41")),
        pytest.param("2025-08-15", True, "white", marks=pytest.mark.rule("D41")),
    ],
)
def test_colour_by_deadline(final_on: str, completed: bool, expected: str) -> None:
    assert row_colour(row(final_on, completed=completed), today=T).colour == expected


@pytest.mark.parametrize(
    ("final_on", "today", "expected"),
    [
        pytest.param("2025-09-15", "2025-07-15", "yellow", marks=pytest.mark.rule("D42", "D45")),
        pytest.param("2025-09-15", "2025-07-16", "red", marks=pytest.mark.rule("D42", "D45")),
        pytest.param("2025-04-30", "2025-02-28", "yellow", marks=pytest.mark.rule("D42")),
        pytest.param("2025-04-30", "2025-03-01", "red", marks=pytest.mark.rule("D42")),
        pytest.param("2024-04-30", "2024-02-29", "yellow", marks=pytest.mark.rule("D42")),
        pytest.param("2024-04-30", "2024-03-01", "red", marks=pytest.mark.rule("D42")),
        pytest.param("2025-08-31", "2025-06-30", "yellow", marks=pytest.mark.rule("D42")),
        pytest.param("2025-08-31", "2025-07-01", "red", marks=pytest.mark.rule("D42")),
        pytest.param("2025-06-30", "2025-02-28", "white", marks=pytest.mark.rule("D43")),
        pytest.param("2025-06-30", "2025-03-01", "yellow", marks=pytest.mark.rule("D43")),
        pytest.param("2025-11-15", "2025-07-15", "white", marks=pytest.mark.rule("D43")),
        pytest.param("2025-11-15", "2025-07-16", "yellow", marks=pytest.mark.rule("D43")),
    ],
)
def test_the_same_row_changes_with_the_day(final_on: str, today: str, expected: str) -> None:
    assert row_colour(row(final_on), today=date.fromisoformat(today)).colour == expected


@pytest.mark.rule("D37", "D144")
@pytest.mark.parametrize(
    ("today", "expected"),
    [("2025-07-17", "yellow"), ("2025-07-18", "green"), ("2025-09-30", "green")],
)
def test_a_reflected_move_is_green_from_its_day_on(today: str, expected: str) -> None:
    moved = row("2025-10-20", transferred_in_on=date(2025, 7, 18))
    assert row_colour(moved, today=date.fromisoformat(today)).colour == expected


@pytest.mark.rule("D37")
@pytest.mark.parametrize(("today", "expected"), [("2025-07-20", "green"), ("2025-07-21", "yellow")])
def test_green_may_end_after_a_set_number_of_days(today: str, expected: str) -> None:
    moved = row("2025-10-20", transferred_in_on=date(2025, 7, 18))
    look = row_colour(moved, today=date.fromisoformat(today), green_days=3)
    assert look.colour == expected


@pytest.mark.rule("D37")
def test_without_a_move_nothing_is_green() -> None:
    look = row_colour(row("2025-10-20", transferred_in_on=None), today=T)
    assert (look.colour, look.transferred_in) == (Colour.YELLOW, False)


@pytest.mark.rule("D38")
def test_what_the_finance_company_handles_is_blue_until_the_flag_is_cleared() -> None:
    assert row_colour(row("2025-08-15", tfc_handled=True), today=T).colour == Colour.BLUE
    assert row_colour(row("2025-08-15", tfc_handled=False), today=T).colour == Colour.RED


@pytest.mark.rule("D44")
@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (row("2025-07-14", tfc_handled=True), "grey"),
        (row("2025-07-14", transferred_in_on=date(2025, 7, 1)), "grey"),
        (row("2025-08-15", transferred_in_on=date(2025, 7, 1)), "green"),
        (row("2025-08-15", transferred_in_on=date(2025, 7, 1), tfc_handled=True), "green"),
        (row("2025-08-15", tfc_handled=True), "blue"),
        (row("2025-12-31", tfc_handled=True, completed=True), "blue"),
    ],
)
def test_the_first_colour_of_the_legend_wins(facts: RowFacts, expected: str) -> None:
    assert row_colour(facts, today=T).colour == expected


@pytest.mark.rule("D44")
def test_a_covered_urgency_stays_visible() -> None:
    facts = row("2025-08-15", transferred_in_on=date(2025, 7, 1), tfc_handled=True)
    look = row_colour(facts, today=T)
    assert look.colour == Colour.GREEN
    assert look.urgency == Colour.RED
    assert (look.overdue, look.transferred_in, look.tfc_handled) == (False, True, True)


@pytest.mark.rule("D45")
@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        (row("2025-07-14"), "最終回期日（2025年7月14日）を経過しています"),
        (
            row("2025-08-15", transferred_in_on=date(2025, 7, 1)),
            "2025年7月1日に他店舗から異動してきたお客様です",
        ),
        (row("2025-08-15", tfc_handled=True), "TFCにて対応するお客様です（車両全損等）"),
        (row("2025-09-14"), "結果入力期限（2025年7月14日）を過ぎ、最終回対応が未完了です"),
        (row("2025-09-15"), "結果入力期限は2025年7月15日です。最終回対応が未完了です"),
        (row("2025-12-31"), "2025年8月31日までは、最終回まで４ヶ月以上あります"),
        (row("2025-08-15", completed=True), "最終回対応は完了しています"),
    ],
)
def test_every_colour_says_why(facts: RowFacts, sentence: str) -> None:
    assert row_colour(facts, today=T).reason == sentence


def colour_in_sql(facts: RowFacts, bounds: ColourBounds) -> str:
    """The comparisons that a query makes, in order."""
    moved = facts.transferred_in_on
    if facts.final_on < bounds.overdue_before:
        return "grey"
    if moved is not None and bounds.green_from <= moved <= bounds.green_until:
        return "green"
    if facts.tfc_handled:
        return "blue"
    if not facts.completed and facts.final_on < bounds.red_before:
        return "red"
    if not facts.completed and facts.final_on < bounds.yellow_before:
        return "yellow"
    return "white"


@st.composite
def days_around_a_boundary(draw: DrawFn) -> tuple[date, date]:
    """A today and a last day within a few days of a boundary, where errors would hide."""
    today = draw(days)
    months, slip = draw(st.sampled_from([0, 2, 4, 6])), draw(st.integers(-3, 3))
    return today, today + timedelta(days=months * 30 + months // 2 + slip)


rows = st.builds(
    RowFacts,
    final_on=days,
    completed=st.booleans(),
    tfc_handled=st.booleans(),
    transferred_in_on=st.none() | days,
)


@pytest.mark.rule("D36", "D37", "D38", "D39", "D40", "D41", "D42", "D43", "D44")
@given(rows, days, st.none() | st.integers(1, 400))
def test_bounds_and_rule_agree(facts: RowFacts, today: date, green_days: int | None) -> None:
    look = row_colour(facts, today=today, green_days=green_days)
    assert colour_in_sql(facts, colour_bounds(today, green_days=green_days)) == look.colour


@pytest.mark.rule("D42", "D43")
@given(days_around_a_boundary(), st.booleans())
def test_bounds_and_rule_agree_around_the_boundaries(
    boundary: tuple[date, date], completed: bool
) -> None:
    today, final_on = boundary
    facts = RowFacts(final_on=final_on, completed=completed)
    assert colour_in_sql(facts, colour_bounds(today)) == row_colour(facts, today=today).colour


@given(rows, days)
def test_every_contract_has_exactly_one_colour_every_day(facts: RowFacts, today: date) -> None:
    look = row_colour(facts, today=today)
    conditions = {
        Colour.GREY: look.overdue,
        Colour.GREEN: look.transferred_in,
        Colour.BLUE: look.tfc_handled,
        Colour.RED: look.urgency is Colour.RED,
        Colour.YELLOW: look.urgency is Colour.YELLOW,
        Colour.WHITE: look.urgency is Colour.WHITE,
    }
    assert look.colour == next(colour for colour, holds in conditions.items() if holds)


@given(days, st.booleans())
def test_an_open_contract_only_ever_becomes_more_urgent(final_on: date, completed: bool) -> None:
    order = [Colour.WHITE, Colour.YELLOW, Colour.RED, Colour.GREY]
    facts = RowFacts(final_on=final_on, completed=completed)
    seen = [
        order.index(row_colour(facts, today=final_on + timedelta(days=offset)).colour)
        for offset in range(-200, 3)
    ]
    assert seen == sorted(seen)
