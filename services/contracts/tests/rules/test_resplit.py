"""Re-split (再分割) and payoff (早期完済): the period, the trial, the quotation."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts_service.rules.completion import CompletionBasis
from contracts_service.rules.instalment_schedule import (
    Instalment,
    monthly_interest_yen,
    monthly_rate,
    remaining_schedule,
)
from contracts_service.rules.payoff import Owed, PayoffQuotation, quote_payoff
from contracts_service.rules.resplit import (
    TERMS,
    ResplitClosed,
    ResplitFacts,
    ResplitNotOpenYet,
    ResplitPlan,
    ScreeningRunning,
    resplit_opens_on,
    resplit_refusal,
    selection_after_screening,
    selection_on_applying,
    trial,
)
from contracts_service.rules.result_entry import HandlingCompleted, ReturnInProgress
from contracts_service.rules.selection import Selection
from contracts_service.rules.tfc_handling import TfcHandles
from shared.errors import FormErrors, Refusal

T = date(2025, 7, 15)
L = date(2025, 9, 30)
PAYOFF, CASH, RESPLIT, RETURN = Selection


def contract(final_on: str = "2025-09-30", **facts: Any) -> ResplitFacts:
    return ResplitFacts(final_on=date.fromisoformat(final_on), **facts)


@pytest.mark.rule("D49")
@pytest.mark.parametrize(
    ("final_on", "opens_on"),
    [
        ("2026-04-15", "2025-07-15"),
        ("2026-04-16", "2025-07-16"),
        ("2026-03-31", "2025-06-30"),
    ],
)
def test_the_simulation_opens_nine_months_before(final_on: str, opens_on: str) -> None:
    assert resplit_opens_on(date.fromisoformat(final_on)) == date.fromisoformat(opens_on)


@pytest.mark.parametrize(
    ("facts", "refused"),
    [
        pytest.param(contract("2026-04-15"), None, marks=pytest.mark.rule("D49")),
        pytest.param(contract("2026-04-16"), ResplitNotOpenYet, marks=pytest.mark.rule("D49")),
        pytest.param(contract("2025-07-15"), None, marks=pytest.mark.rule("D49")),
        pytest.param(contract("2025-07-14"), ResplitClosed, marks=pytest.mark.rule("D49")),
        pytest.param(contract(tfc_handled=True), TfcHandles, marks=pytest.mark.rule("D38")),
        pytest.param(
            contract(completion=CompletionBasis.CASH_DECIDED), None, marks=pytest.mark.rule("D60")
        ),
        pytest.param(
            contract(completion=CompletionBasis.PAYOFF),
            HandlingCompleted,
            marks=pytest.mark.rule("D60"),
        ),
        pytest.param(contract(return_open=True), ReturnInProgress, marks=pytest.mark.rule("D60")),
    ],
)
def test_when_the_simulation_is_open(facts: ResplitFacts, refused: type[Refusal] | None) -> None:
    refusal = resplit_refusal(facts, today=T)
    assert (type(refusal) if refusal else None) == refused


@pytest.mark.rule("D49")
def test_the_refusal_names_the_opening_day() -> None:
    refusal = resplit_refusal(contract("2026-04-16"), today=T)
    assert refusal is not None
    assert refusal.message == "再分割シミュレーションは2025年7月16日から実施可能です"


@pytest.mark.rule("D50")
def test_applying_sets_the_choice_even_in_the_last_month() -> None:
    last_month = contract("2025-08-01", selection=CASH)
    assert selection_on_applying(last_month, today=T) is RESPLIT
    with pytest.raises(ScreeningRunning):
        selection_on_applying(contract(selection=RESPLIT), today=T)
    with pytest.raises(ResplitClosed):
        selection_on_applying(contract("2025-07-14"), today=T)


@pytest.mark.rule("D50")
@pytest.mark.parametrize(
    ("approved", "current", "previous", "after"),
    [
        (True, RESPLIT, None, RESPLIT),
        (False, RESPLIT, None, None),
        (False, RESPLIT, CASH, CASH),
        (False, RETURN, CASH, RETURN),
    ],
)
def test_a_rejected_screening_restores_the_previous_selection(
    approved: bool, current: Selection, previous: Selection | None, after: Selection | None
) -> None:
    found = selection_after_screening(approved=approved, current=current, previous=previous)
    assert found == after


def plan(principal_yen: int, instalments: int, rate: str) -> ResplitPlan:
    return trial(
        principal_yen=principal_yen,
        instalments=instalments,
        yearly_rate_percent=Decimal(rate),
        final_on=L,
    )


@pytest.mark.rule("D50")
def test_a_trial_of_twelve_instalments() -> None:
    # 1,200,000 yen at 4.8 %: 0.4 % a month, 4,800 yen interest in the first month.
    found = plan(1_200_000, 12, "4.8")
    assert found.schedule[0].interest_yen == 4_800
    assert (found.first_yen, found.level_yen) == (102_623, 102_618)
    assert (found.interest_yen, found.total_yen) == (31_421, 1_231_421)
    assert [row.due_on for row in found.schedule[:5]] == [
        date(2025, 10, 30),
        date(2025, 11, 30),
        date(2025, 12, 30),
        date(2026, 1, 30),
        date(2026, 2, 28),
    ]


@pytest.mark.rule("D50")
def test_without_interest_the_remainder_stands_in_the_first_instalment() -> None:
    found = plan(1_000_003, 12, "0")
    assert (found.level_yen, found.first_yen, found.interest_yen) == (83_333, 83_340, 0)


@pytest.mark.rule("D50")
@given(
    st.integers(100_000, 5_000_000),
    st.sampled_from(TERMS),
    st.decimals("0", "15", places=2),
)
def test_every_trial_ends_at_exactly_zero(principal: int, term: int, rate: Decimal) -> None:
    found = plan(principal, term, str(rate))
    rows = found.schedule
    assert len(rows) == term
    assert rows[-1].balance_yen == 0
    assert {row.payment_yen for row in rows[1:]} == {found.level_yen}
    assert rows[0].payment_yen == found.first_yen >= found.level_yen
    assert sum(row.principal_yen for row in rows) == principal
    assert sum(row.interest_yen for row in rows) == found.interest_yen
    assert found.total_yen == principal + found.interest_yen


@pytest.mark.rule("D50")
@given(
    st.integers(100_000, 5_000_000),
    st.sampled_from(TERMS),
    st.decimals("0", "15", places=2),
)
def test_interest_is_floored_month_by_month(principal: int, term: int, rate: Decimal) -> None:
    owed, monthly = principal, monthly_rate(rate)
    for row in plan(principal, term, str(rate)).schedule:
        assert row.interest_yen == monthly_interest_yen(owed, monthly)
        assert 0 < row.principal_yen <= owed
        owed -= row.principal_yen
        assert row.balance_yen == owed


@pytest.mark.rule("D50")
@given(
    st.integers(100_000, 5_000_000),
    st.sampled_from(TERMS),
    st.decimals("0", "15", places=2),
)
def test_the_remainder_stays_small(principal: int, term: int, rate: Decimal) -> None:
    found = plan(principal, term, str(rate))
    assert found.first_yen - found.level_yen < 20 * term


@pytest.mark.rule("D50")
@pytest.mark.parametrize(
    ("principal_yen", "instalments", "rate", "code"),
    [
        (1_000_000, 13, "4.8", "TERM_NOT_OFFERED"),
        (1_000_000, 0, "4.8", "TERM_NOT_OFFERED"),
        (0, 12, "4.8", "NOTHING_TO_SPLIT"),
        (1_000_000, 12, "-1", "RATE_NEGATIVE"),
    ],
)
def test_invalid_trials(principal_yen: int, instalments: int, rate: str, code: str) -> None:
    with pytest.raises(FormErrors) as refused:
        plan(principal_yen, instalments, rate)
    assert [error.code for error in refused.value.fields] == [code]


def residual() -> tuple[Instalment, ...]:
    """The last three payments of a residual-value contract: 07-30, 08-30 and the last day 09-30."""
    return remaining_schedule(
        balance_yen=1_000_000,
        monthly_yen=20_000,
        yearly_rate_percent=Decimal("3.65"),
        final_on=L,
        today=T,
    )


def test_a_residual_value_contract_ends_with_the_rest() -> None:
    # 3.65 % a year; interest of a month floored: 1,000,000 x 0.0365 / 12 = 3,041.6.
    rows = [(r.due_on, r.payment_yen, r.interest_yen, r.balance_yen) for r in residual()]
    assert rows == [
        (date(2025, 7, 30), 20_000, 3_041, 983_041),
        (date(2025, 8, 30), 20_000, 2_990, 966_031),
        (date(2025, 9, 30), 968_969, 2_938, 0),
    ]


def quoted(settled_on: str) -> PayoffQuotation:
    return quote_payoff(
        residual(),
        owed=Owed(principal_yen=1_000_000, since=date(2025, 6, 30)),
        settled_on=date.fromisoformat(settled_on),
        yearly_rate_percent=Decimal("3.65"),
        fee_yen=1_100,
    )


@pytest.mark.parametrize(
    ("settled_on", "principal", "interest_days", "interest"),
    [
        ("2025-06-30", 1_000_000, 0, 0),
        ("2025-07-15", 1_000_000, 15, 1_500),
        ("2025-07-29", 1_000_000, 29, 2_900),
        ("2025-07-30", 983_041, 0, 0),
        ("2025-08-01", 983_041, 2, 196),
        ("2025-09-30", 0, 0, 0),
    ],
)
def test_a_payoff_costs_principal_interest_by_the_day_and_the_fee(
    settled_on: str, principal: int, interest_days: int, interest: int
) -> None:
    quotation = quoted(settled_on)
    assert quotation.principal_yen == principal
    assert (quotation.interest_days, quotation.interest_yen) == (interest_days, interest)
    assert quotation.total_yen == principal + interest + 1_100


@pytest.mark.parametrize("settled_on", ["2025-06-29", "2025-10-01"])
def test_a_payoff_lies_within_the_remaining_payments(settled_on: str) -> None:
    with pytest.raises(FormErrors):
        quoted(settled_on)
