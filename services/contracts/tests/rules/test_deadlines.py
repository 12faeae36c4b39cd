"""Deadlines: 結果入力期限, the change limit, listing window, 車検年月, 代替 and 完了."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts_service.rules.completion import (
    CompletionBasis,
    CompletionFacts,
    completion_basis,
    completion_mark,
)
from contracts_service.rules.listing_window import completed_listed_from
from contracts_service.rules.products import PRODUCT_BY_CODE, needs_separate_procedure
from contracts_service.rules.replacement_mark import (
    ReplacementEntry,
    ReplacementMark,
    ReplacementSource,
    latest_replacement,
    replacement_mark,
)
from contracts_service.rules.result_deadline import (
    change_limit_on,
    confirm_with_customer_by,
    entry_is_late,
    result_due_on,
)
from contracts_service.rules.selection import Replacement, Selection

from .oracles import on_list

T = date(2025, 7, 15)
days = st.dates(date(2020, 1, 1), date(2030, 12, 31))
PRIUS = Replacement(own=True, vehicle_code="PRIUS")
NONE = Replacement(own=False)


@pytest.mark.rule("D25", "D65")
@pytest.mark.parametrize(
    ("final_on", "due_on"),
    [
        ("2025-09-15", "2025-07-15"),
        ("2025-04-30", "2025-02-28"),
        ("2024-04-30", "2024-02-29"),
        ("2025-08-31", "2025-06-30"),
    ],
)
def test_results_are_due_two_months_before(final_on: str, due_on: str) -> None:
    last_day = date.fromisoformat(final_on)
    assert result_due_on(last_day) == date.fromisoformat(due_on)
    assert confirm_with_customer_by(last_day) == f"{due_on}まで"


@pytest.mark.rule("D59")
@pytest.mark.parametrize(("today", "late"), [("2025-07-15", False), ("2025-07-16", True)])
def test_an_entry_is_late_from_the_day_after_the_deadline(today: str, late: bool) -> None:
    assert entry_is_late(date(2025, 9, 15), today=date.fromisoformat(today)) is late


@pytest.mark.rule("D60")
@pytest.mark.parametrize(
    ("final_on", "limit_on"),
    [("2025-08-15", "2025-07-15"), ("2025-08-14", "2025-07-14"), ("2026-03-31", "2026-02-28")],
)
def test_the_selection_may_change_until_one_month_before(final_on: str, limit_on: str) -> None:
    assert change_limit_on(date.fromisoformat(final_on)) == date.fromisoformat(limit_on)


@pytest.mark.rule("D5")
@pytest.mark.parametrize(
    ("final_on", "listed"), [("2025-04-15", True), ("2025-04-14", False), ("2026-01-01", True)]
)
def test_a_completed_contract_leaves_the_list_after_three_months(
    final_on: str, listed: bool
) -> None:
    assert (date.fromisoformat(final_on) >= completed_listed_from(T)) is listed


@pytest.mark.rule("D5")
@pytest.mark.parametrize(("today", "listed"), [("2026-02-28", True), ("2026-03-01", False)])
def test_three_months_after_a_months_end(today: str, listed: bool) -> None:
    day = date.fromisoformat(today)
    assert (date(2025, 11, 30) >= completed_listed_from(day)) is listed


@pytest.mark.rule("D5")
@given(days, days, st.integers(0, 12))
def test_the_list_bound_agrees_with_the_rule(final_on: date, today: date, months: int) -> None:
    listed = on_list(final_on, completed=True, today=today, months=months)
    assert (final_on >= completed_listed_from(today, months=months)) is listed


@pytest.mark.parametrize(
    ("replacement", "completed", "tfc_handled", "mark"),
    [
        pytest.param(PRIUS, False, False, "○", marks=pytest.mark.rule("D27")),
        pytest.param(PRIUS, True, False, "○", marks=pytest.mark.rule("D27")),
        pytest.param(NONE, False, False, "ー", marks=pytest.mark.rule("D28")),
        pytest.param(None, False, False, "未", marks=pytest.mark.rule("D29")),
        pytest.param(None, False, True, "", marks=pytest.mark.rule("D30")),
        pytest.param(None, True, False, "", marks=pytest.mark.rule("D30")),
        pytest.param(NONE, False, True, "ー", marks=pytest.mark.rule("D28")),
    ],
)
def test_the_sign_in_the_column_replacement(
    replacement: Replacement | None, completed: bool, tfc_handled: bool, mark: str
) -> None:
    assert replacement_mark(replacement, completed=completed, tfc_handled=tfc_handled) == mark


def stated(source: ReplacementSource, hour: int, replacement: Replacement) -> ReplacementEntry:
    recorded_at = datetime(2025, 7, 15, hour, tzinfo=UTC)
    return ReplacementEntry(source=source, recorded_at=recorded_at, replacement=replacement)


INQUIRY, ENTRY = ReplacementSource.PAYOFF_INQUIRY, ReplacementSource.RESULT_ENTRY


@pytest.mark.rule("D31")
@pytest.mark.parametrize(
    ("entries", "mark"),
    [
        ([], ReplacementMark.MISSING),
        ([stated(INQUIRY, 9, PRIUS)], ReplacementMark.OWN),
        ([stated(INQUIRY, 9, PRIUS), stated(ENTRY, 10, NONE)], ReplacementMark.NONE),
        ([stated(ENTRY, 9, NONE), stated(INQUIRY, 10, PRIUS)], ReplacementMark.OWN),
        ([stated(ENTRY, 9, NONE), stated(INQUIRY, 9, PRIUS)], ReplacementMark.NONE),
    ],
)
def test_the_latest_statement_about_the_replacement_counts(
    entries: list[ReplacementEntry], mark: str
) -> None:
    latest = latest_replacement(entries)
    assert replacement_mark(latest, completed=False, tfc_handled=False) == mark


def completion_facts(selection: Selection | None = None, **facts: Any) -> CompletionFacts:
    return CompletionFacts(selection=selection, **facts)


@pytest.mark.parametrize(
    ("facts", "basis"),
    [
        pytest.param(completion_facts(), None, marks=pytest.mark.rule("D32")),
        pytest.param(
            completion_facts(Selection.CASH_SETTLEMENT),
            "cash_decided",
            marks=pytest.mark.rule("D32", "D72"),
        ),
        pytest.param(completion_facts(Selection.EARLY_PAYOFF), None, marks=pytest.mark.rule("D70")),
        pytest.param(
            completion_facts(Selection.EARLY_PAYOFF, payoff_settled=True),
            "payoff",
            marks=pytest.mark.rule("D70"),
        ),
        pytest.param(
            completion_facts(Selection.VEHICLE_RETURN), None, marks=pytest.mark.rule("D32", "D72")
        ),
        pytest.param(
            completion_facts(Selection.VEHICLE_RETURN, return_completed=True),
            "return",
            marks=pytest.mark.rule("D78"),
        ),
        pytest.param(
            completion_facts(return_completed=True), "return", marks=pytest.mark.rule("D78")
        ),
        pytest.param(
            completion_facts(
                Selection.VEHICLE_RETURN, return_completed=True, separate_procedure_needed=True
            ),
            None,
            marks=pytest.mark.rule("D78"),
        ),
        pytest.param(
            completion_facts(
                Selection.VEHICLE_RETURN,
                return_completed=True,
                separate_procedure_needed=True,
                separate_procedure_completed=True,
            ),
            "return",
            marks=pytest.mark.rule("D78"),
        ),
        pytest.param(
            completion_facts(
                Selection.VEHICLE_RETURN,
                separate_procedure_needed=True,
                separate_procedure_completed=True,
            ),
            None,
            marks=pytest.mark.rule("D78"),
        ),
        pytest.param(completion_facts(Selection.RE_SPLIT), None, marks=pytest.mark.rule("D32")),
        pytest.param(
            completion_facts(Selection.RE_SPLIT, resplit_approved=True),
            "resplit",
            marks=pytest.mark.rule("D32"),
        ),
        pytest.param(completion_facts(completed_by_tfc=True), "tfc", marks=pytest.mark.rule("D32")),
    ],
)
def test_what_completes_a_contract(facts: CompletionFacts, basis: str | None) -> None:
    assert completion_basis(facts) == basis


@pytest.mark.rule("D32")
@pytest.mark.parametrize(("basis", "mark"), [(CompletionBasis.PAYOFF, "完了"), (None, "")])
def test_the_column_completion(basis: CompletionBasis | None, mark: str) -> None:
    assert completion_mark(basis) == mark


@pytest.mark.rule("D78")
@pytest.mark.parametrize(
    ("code", "purchased", "separate"),
    [
        ("MVP_A", False, True),
        ("DEFERRED_TFC", False, True),
        ("SVP_A", False, True),
        ("SVT_A", False, True),
        ("SVP_R", False, False),
        ("SVP_R", True, True),
        ("GAMMA", False, False),
        ("GAMMA", True, True),
        ("SVP_OPEN", True, True),
    ],
)
def test_who_needs_a_separate_procedure(code: str, purchased: bool, separate: bool) -> None:
    product = PRODUCT_BY_CODE[code]
    assert needs_separate_procedure(product, receivable_purchased=purchased) is separate
