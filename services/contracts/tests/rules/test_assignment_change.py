"""Assignment change (店舗・スタッフ変更): who may move which contract, and who sees it when."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts_service.rules.assignment_change import (
    Assignment,
    AssignmentLocked,
    ChangeDecision,
    ChangeFacts,
    MoveReason,
    Outcome,
    PendingChange,
    Places,
    RegisterChange,
    change_status,
    decide_change,
    overdue_from,
    reflect_earliest_on,
    reflect_latest_on,
    reflected,
    reflection_on,
    viewing_store,
)
from contracts_service.rules.bulk_change import decide_bulk_change
from contracts_service.rules.business_days import (
    CalendarExceptions,
    business_day_after,
    is_business_day,
)
from contracts_service.rules.products import PRODUCT_BY_CODE, ProductNotTransferable
from contracts_service.rules.row_colour import Colour, RowFacts, row_colour
from shared.errors import FormErrors

T = date(2025, 7, 15)
NOW = Assignment(store_code="S10", staff_code="E101")
PLACES = Places(
    usable_stores={"S10", "S20", "S30"},  # S90 (旧東店) is an unused code
    staff={("S10", "E101"), ("S10", "M100"), ("S20", "E201"), ("S20", "M200"), ("S30", "E301")},
)


def contract(product: str = "SVP_R", pending: PendingChange | None = None) -> ChangeFacts:
    return ChangeFacts(product=PRODUCT_BY_CODE[product], current=NOW, pending=pending)


def waiting(
    to_store: str | None = None, to_staff: str | None = None, on: date = T
) -> PendingChange:
    return PendingChange(registered_on=on, to_store=to_store, to_staff=to_staff)


def decide(
    to_store: str | None = None,
    to_staff: str | None = None,
    facts: ChangeFacts | None = None,
    today: date = T,
) -> ChangeDecision:
    command = RegisterChange(to_store=to_store, to_staff=to_staff)
    return decide_change(facts or contract(), command, today=today, places=PLACES)


def code_of(**command: Any) -> str:
    with pytest.raises(FormErrors) as refused:
        decide(**command)
    (error,) = refused.value.fields
    return error.code


@pytest.mark.rule("D124")
@pytest.mark.parametrize("product", ["SVP_A", "SVT_A", "SVP_OPEN", "SVT_OPEN"])
@pytest.mark.parametrize("command", [{"to_store": "S20"}, {"to_staff": "M100"}])
def test_four_products_move_elsewhere(product: str, command: dict[str, Any]) -> None:
    with pytest.raises(ProductNotTransferable, match="レクサス手続担当店移管制度"):
        decide(facts=contract(product), **command)
    assert decide(facts=contract("SVP_R"), **command).outcome is Outcome.REGISTERED


@pytest.mark.rule("D126", "D127", "D128", "D129")
@pytest.mark.parametrize(
    ("command", "store", "staff"),
    [
        ({"to_store": "S20"}, "S20", None),
        ({"to_staff": "M100"}, None, "M100"),
        ({"to_store": "S20", "to_staff": "E201"}, "S20", "E201"),
        ({"to_store": "S10", "to_staff": "M100"}, None, "M100"),
    ],
)
def test_store_or_staff_or_both(
    command: dict[str, Any], store: str | None, staff: str | None
) -> None:
    assert decide(**command).change == waiting(store, staff)


@pytest.mark.rule("D127")
def test_a_reason_may_be_given() -> None:
    command = RegisterChange(to_store="S20", reason=MoveReason.CUSTOMER_MOVED)
    decision = decide_change(contract(), command, today=T, places=PLACES)
    assert decision.change is not None
    assert decision.change.reason is MoveReason.CUSTOMER_MOVED
    assert [reason.label for reason in MoveReason] == ["お客様の転居", "店舗新設", "統廃合"]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        pytest.param({}, "DESTINATION_MISSING", marks=pytest.mark.rule("D126")),
        pytest.param({"to_store": "S10"}, "NOTHING_CHANGED", marks=pytest.mark.rule("D129")),
        pytest.param(
            {"to_store": "S10", "to_staff": "E101"},
            "NOTHING_CHANGED",
            marks=pytest.mark.rule("D129"),
        ),
        pytest.param({"to_staff": "E201"}, "STAFF_NOT_IN_STORE", marks=pytest.mark.rule("D129")),
        pytest.param(
            {"to_store": "S20", "to_staff": "E101"},
            "STAFF_NOT_IN_STORE",
            marks=pytest.mark.rule("D129"),
        ),
        pytest.param({"to_store": "S90"}, "STORE_NOT_USABLE", marks=pytest.mark.rule("D130")),
    ],
)
def test_invalid_registrations(command: dict[str, Any], code: str) -> None:
    assert code_of(**command) == code


@pytest.mark.rule("D140")
@pytest.mark.parametrize(
    ("before", "command", "after"),
    [
        (waiting("S20"), {"to_store": "S30"}, waiting("S30")),
        (waiting("S20"), {"to_staff": "E201"}, waiting("S20", "E201")),
        (waiting("S20", "E201"), {"to_staff": "M200"}, waiting("S20", "M200")),
        (waiting(None, "M100"), {"to_store": "S20", "to_staff": "E201"}, waiting("S20", "E201")),
        (waiting("S20"), {"to_store": "S10", "to_staff": "M100"}, waiting(None, "M100")),
    ],
)
def test_on_the_same_day_each_registration_replaces_its_own_field(
    before: PendingChange, command: dict[str, Any], after: PendingChange
) -> None:
    decision = decide(facts=contract(pending=before), **command)
    assert (decision.outcome, decision.change) == (Outcome.REPLACED, after)


@pytest.mark.rule("D140")
@pytest.mark.parametrize("command", [{"to_staff": "M100"}, {"to_staff": "E101"}])
def test_staff_is_checked_against_the_store_that_waits(command: dict[str, Any]) -> None:
    assert code_of(facts=contract(pending=waiting("S20")), **command) == "STAFF_NOT_IN_STORE"


@pytest.mark.rule("D140")
def test_another_store_does_not_keep_the_staff_of_the_first() -> None:
    facts = contract(pending=waiting("S20", "E201"))
    assert code_of(facts=facts, to_store="S30") == "STAFF_NOT_IN_STORE"
    assert decide(facts=facts, to_store="S30", to_staff="E301").change == waiting("S30", "E301")


@pytest.mark.rule("D143")
@pytest.mark.parametrize(
    ("before", "command"),
    [
        (waiting("S20"), {"to_store": "S10"}),
        (waiting(None, "M100"), {"to_staff": "E101"}),
        (waiting("S20", "E201"), {"to_store": "S10", "to_staff": "E101"}),
    ],
)
def test_setting_everything_back_cancels(before: PendingChange, command: dict[str, Any]) -> None:
    decision = decide(facts=contract(pending=before), **command)
    assert decision == ChangeDecision(outcome=Outcome.CANCELLED)


@pytest.mark.rule("D140")
def test_from_the_next_day_until_the_reflection_it_is_locked() -> None:
    registered = waiting("S20", on=T)
    facts = contract(pending=registered)
    with pytest.raises(AssignmentLocked, match="変更中"):
        decide(facts=facts, to_store="S30", today=date(2025, 7, 16))
    assert decide(facts=contract(), to_store="S20", today=date(2025, 7, 18)).outcome == "registered"


@pytest.mark.rule("D138", "D139")
def test_the_column_status_says_that_it_waits() -> None:
    assert change_status(pending=True) == "変更中"
    assert change_status(pending=False) == ""


@pytest.mark.rule("D141")
@pytest.mark.parametrize(
    ("registered_on", "earliest", "latest"),
    [
        ("2025-07-18", "2025-07-24", "2025-07-28"),
        ("2025-07-15", "2025-07-18", "2025-07-23"),
        ("2025-12-24", "2025-12-29", "2026-01-05"),
    ],
)
def test_the_change_shows_after_three_to_five_business_days(
    registered_on: str, earliest: str, latest: str
) -> None:
    day = date.fromisoformat(registered_on)
    assert reflect_earliest_on(day) == date.fromisoformat(earliest)
    assert reflect_latest_on(day) == date.fromisoformat(latest)
    decision = decide(to_store="S20", today=day)
    assert decision.reflect_earliest_on == date.fromisoformat(earliest)
    assert decision.reflect_latest_on == date.fromisoformat(latest)


@pytest.mark.rule("D141")
@pytest.mark.parametrize(
    ("reported", "effective"),
    [
        ("2025-07-16", "2025-07-18"),
        ("2025-07-18", "2025-07-18"),
        ("2025-07-25", "2025-07-25"),
    ],
)
def test_an_early_reflection_waits_for_the_third_business_day(
    reported: str, effective: str
) -> None:
    assert reflection_on(date.fromisoformat(reported), T) == date.fromisoformat(effective)


@pytest.mark.rule("D141")
def test_after_the_fifth_business_day_it_is_overdue() -> None:
    assert overdue_from(reflect_latest_on(T)) == date(2025, 7, 24)


@pytest.mark.rule("D141")
def test_the_calendar_of_the_finance_company_takes_precedence() -> None:
    closed = CalendarExceptions(closed_on=frozenset({date(2025, 7, 17)}))
    assert reflect_earliest_on(T, closed) == date(2025, 7, 22)
    opened = CalendarExceptions(open_on=frozenset({date(2025, 7, 19)}))
    assert reflect_latest_on(T, opened) == date(2025, 7, 22)
    both = CalendarExceptions(
        closed_on=frozenset({date(2025, 7, 19)}), open_on=frozenset({date(2025, 7, 19)})
    )
    assert not is_business_day(date(2025, 7, 19), both)


@pytest.mark.rule("D141")
@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2025-07-18", True),
        ("2025-07-19", False),
        ("2025-07-20", False),
        ("2025-07-21", False),
        ("2025-12-30", True),
        ("2025-12-31", False),
        ("2026-01-02", False),
        ("2026-01-05", True),
    ],
)
def test_business_days(day: str, works: bool) -> None:
    assert is_business_day(date.fromisoformat(day)) is works


@pytest.mark.rule("D141")
@given(st.dates(date(2024, 1, 1), date(2027, 12, 31)), st.integers(1, 6))
def test_exactly_that_number_of_business_days_lies_between(day: date, count: int) -> None:
    last = business_day_after(day, count)
    between = [day + timedelta(days=ahead) for ahead in range(1, (last - day).days + 1)]
    assert sum(map(is_business_day, between)) == count
    assert is_business_day(last)


@pytest.mark.rule("D142")
@pytest.mark.parametrize(
    ("pending", "today", "seen_in"),
    [
        (waiting("S20"), "2025-07-15", "S10"),
        (waiting("S20"), "2025-07-16", None),
        (waiting("S20"), "2025-07-18", None),
        (waiting(None, "M100"), "2025-07-16", "S10"),
        (None, "2025-07-16", "S10"),
    ],
)
def test_the_contract_is_hidden_from_the_old_store_from_the_next_day(
    pending: PendingChange | None, today: str, seen_in: str | None
) -> None:
    assert viewing_store(NOW, pending, today=date.fromisoformat(today)) == seen_in


@pytest.mark.rule("D142", "D143")
def test_the_day_of_hiding_belongs_to_store_moves_only() -> None:
    assert decide(to_store="S20").hidden_from_old_store_on == date(2025, 7, 16)
    assert decide(to_staff="M100").hidden_from_old_store_on is None
    moved_back = decide(facts=contract(pending=waiting("S20")), to_store="S10", to_staff="M100")
    assert moved_back.hidden_from_old_store_on is None


@pytest.mark.rule("D37", "D144")
def test_a_reflected_move_makes_the_contract_green_there() -> None:
    day = date(2025, 7, 18)
    after = reflected(NOW, waiting("S20"), reflected_on=day)
    assert after == Assignment(store_code="S20", staff_code=None, transferred_in_on=day)
    facts = RowFacts(final_on=date(2025, 10, 20), transferred_in_on=after.transferred_in_on)
    assert row_colour(facts, today=day).colour is Colour.GREEN


@pytest.mark.rule("D37", "D144")
@pytest.mark.parametrize("moved_earlier_on", [None, date(2025, 1, 6)])
def test_a_reflected_change_of_staff_alone_marks_no_move(moved_earlier_on: date | None) -> None:
    before = Assignment(store_code="S10", staff_code="E101", transferred_in_on=moved_earlier_on)
    after = reflected(before, waiting(None, "M100"), reflected_on=date(2025, 7, 18))
    assert after == Assignment(
        store_code="S10", staff_code="M100", transferred_in_on=moved_earlier_on
    )


@pytest.mark.rule("D137")
@pytest.mark.parametrize(("all_or_nothing", "accepted"), [(False, ["C1", "C3"]), (True, [])])
def test_in_bulk_every_row_is_decided_independently(
    all_or_nothing: bool, accepted: list[str]
) -> None:
    rows = {
        "C1": lambda: decide(to_store="S20"),
        "C2": lambda: decide(to_store="S20", facts=contract("SVP_A")),
        "C3": lambda: decide(to_staff="M100"),
        "C4": lambda: decide(to_store="S90"),
    }
    found = decide_bulk_change(rows, all_or_nothing=all_or_nothing)
    assert list(found.accepted) == accepted
    assert {number: refusal.code for number, refusal in found.refused.items()} == {
        "C2": "PRODUCT_NOT_TRANSFERABLE",
        "C4": "FORM_ERRORS",
    }


@pytest.mark.rule("D135")
def test_in_bulk_a_row_has_to_be_checked() -> None:
    with pytest.raises(FormErrors) as refused:
        decide_bulk_change({})
    assert refused.value.fields[0].message == "変更する契約を選択してください"
