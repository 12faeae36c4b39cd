"""Result entry (進捗・結果入力): what 決定 records, and its refusals."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from contracts_service.rules.completion import CompletionBasis, CompletionFacts, completion_basis
from contracts_service.rules.contract_access import RoleMayNot
from contracts_service.rules.customer_change_block import release_block
from contracts_service.rules.memo import memo_to_save
from contracts_service.rules.result_deadline import FirstEntryAfterChangeLimit
from contracts_service.rules.result_entry import (
    ChangeLimitPassed,
    CustomerChangePending,
    EntryFacts,
    EntryHasEnded,
    Exit,
    FirstEntryTooLate,
    HandlingCompleted,
    PayoffNotSelected,
    Recorded,
    RecordResult,
    ResultDecision,
    ReturnInProgress,
    choice_is_final,
    decide_result,
    payoff_request_refusal,
)
from contracts_service.rules.selection import OTHER_VEHICLE, Replacement, Selection
from contracts_service.rules.tfc_handling import TfcHandles
from shared.errors import FormErrors, Kind, Refusal
from shared.roles import Role

T = date(2025, 7, 15)
VEHICLES = {"PRIUS", "AQUA"}
NONE, PRIUS = Replacement(own=False), Replacement(own=True, vehicle_code="PRIUS")
PAYOFF, CASH, RESPLIT, RETURN = Selection


def contract(final_on: str = "2025-10-20", **facts: Any) -> EntryFacts:
    return EntryFacts(final_on=date.fromisoformat(final_on), **facts)


def form(*categories: Selection, **given: Any) -> RecordResult:
    """A complete form: 自社代替 無, the form received; each test changes one field."""
    fine: dict[str, Any] = {"own_replacement": False, "confirmation_received": True}
    return RecordResult(categories=frozenset(categories), **{**fine, **given})


def decide(facts: EntryFacts, command: RecordResult, **options: Any) -> ResultDecision:
    return decide_result(facts, command, **{"today": T, "vehicle_codes": VEHICLES, **options})


def codes_of(facts: EntryFacts, command: RecordResult, **options: Any) -> list[str]:
    with pytest.raises(FormErrors) as refused:
        decide(facts, command, **options)
    return [error.code for error in refused.value.fields]


@pytest.mark.rule("D52", "D57")
def test_a_first_entry_records_choice_and_replacement_together() -> None:
    command = form(CASH, own_replacement=True, vehicle_code="PRIUS")
    decision = decide(contract(selection=None), command)
    assert (decision.recorded, decision.selection) == (Recorded.FIRST, CASH)
    assert decision.replacement == PRIUS


@pytest.mark.rule("D53")
@pytest.mark.parametrize(
    ("categories", "code"),
    [
        ((), "CATEGORY_MISSING"),
        ((CASH, RETURN), "CATEGORY_NOT_SINGLE"),
        ((RESPLIT,), "CATEGORY_BY_APPLICATION"),
    ],
)
def test_exactly_one_choice_is_ticked(categories: tuple[Selection, ...], code: str) -> None:
    assert codes_of(contract(), form(*categories)) == [code]


@pytest.mark.rule("D53")
@pytest.mark.parametrize("category", [PAYOFF, CASH, RETURN])
def test_three_choices_can_be_ticked(category: Selection) -> None:
    assert decide(contract(), form(category)).selection == category


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        pytest.param(
            {"own_replacement": None}, ["REPLACEMENT_MISSING"], marks=pytest.mark.rule("D54")
        ),
        pytest.param({"own_replacement": True}, ["VEHICLE_MISSING"], marks=pytest.mark.rule("D55")),
        pytest.param(
            {"own_replacement": False, "vehicle_code": "PRIUS"},
            ["VEHICLE_WITHOUT_REPLACEMENT"],
            marks=pytest.mark.rule("D55"),
        ),
        pytest.param(
            {"own_replacement": True, "vehicle_code": "UNICORN"},
            ["VEHICLE_UNKNOWN"],
            marks=pytest.mark.rule("D56"),
        ),
        pytest.param(
            {"own_replacement": True, "vehicle_code": "PRIUS", "other_text": "サニー"},
            ["OTHER_TEXT_WITHOUT_OTHER"],
            marks=pytest.mark.rule("D56"),
        ),
        pytest.param(
            {"own_replacement": True, "vehicle_code": OTHER_VEHICLE, "other_text": "あ" * 41},
            ["OTHER_TEXT_TOO_LONG"],
            marks=pytest.mark.rule("D56"),
        ),
    ],
)
def test_invalid_replacements(given: dict[str, Any], codes: list[str]) -> None:
    assert codes_of(contract(), form(CASH, **given)) == codes


@pytest.mark.rule("D54", "D55", "D56")
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"own_replacement": False}, NONE),
        ({"own_replacement": True, "vehicle_code": "PRIUS"}, PRIUS),
        (
            {"own_replacement": True, "vehicle_code": OTHER_VEHICLE},
            Replacement(own=True, vehicle_code=OTHER_VEHICLE),
        ),
        (
            {"own_replacement": True, "vehicle_code": OTHER_VEHICLE, "other_text": "あ" * 40},
            Replacement(own=True, vehicle_code=OTHER_VEHICLE, other_text="あ" * 40),
        ),
    ],
)
def test_replacements_that_are_recorded(given: dict[str, Any], expected: Replacement) -> None:
    assert decide(contract(), form(CASH, **given)).replacement == expected


@pytest.mark.rule("D53", "D54")
def test_all_wrong_fields_are_named_at_once() -> None:
    assert codes_of(contract(), form(own_replacement=None)) == [
        "CATEGORY_MISSING",
        "REPLACEMENT_MISSING",
    ]


@pytest.mark.rule("D59")
@pytest.mark.parametrize(("today", "late"), [("2025-07-15", False), ("2025-07-16", True)])
def test_a_late_entry_is_accepted_and_marked(today: str, late: bool) -> None:
    decision = decide(contract("2025-09-15"), form(CASH), today=date.fromisoformat(today))
    assert decision.late is late
    assert decision.deadline_on == date(2025, 7, 15)


@pytest.mark.rule("D60")
@pytest.mark.parametrize(
    ("final_on", "today", "allowed"),
    [
        ("2025-08-15", "2025-07-15", True),
        ("2025-08-14", "2025-07-15", False),
        ("2026-03-31", "2026-02-28", True),
        ("2026-03-31", "2026-03-01", False),
    ],
)
def test_a_choice_changes_until_one_month_before(final_on: str, today: str, allowed: bool) -> None:
    facts = contract(final_on, selection=CASH, replacement=NONE)
    command, day = form(RETURN, unchangeable_confirmed=True), date.fromisoformat(today)
    if allowed:
        assert decide(facts, command, today=day).recorded == Recorded.CHANGED
    else:
        with pytest.raises(ChangeLimitPassed) as refused:
            decide(facts, command, today=day)
        assert refused.value.kind is Kind.CONFLICT


@pytest.mark.rule("D60")
@pytest.mark.parametrize(
    ("basis", "allowed"),
    [
        ("cash_decided", True),
        ("payoff", False),
        ("return", False),
        ("resplit", False),
        ("tfc", False),
    ],
)
def test_after_completion_only_cash_can_still_change(basis: str, allowed: bool) -> None:
    facts = contract(selection=CASH, completion=CompletionBasis(basis))
    if allowed:
        assert decide(facts, form(RETURN)).recorded == Recorded.CHANGED
    else:
        with pytest.raises(HandlingCompleted):
            decide(facts, form(RETURN))


@pytest.mark.rule("D60", "D80")
@pytest.mark.parametrize("before", [RETURN, None])
def test_an_open_return_application_keeps_the_choice(before: Selection | None) -> None:
    facts = contract(selection=before, return_open=True)
    with pytest.raises(ReturnInProgress):
        decide(facts, form(CASH))
    assert decide(facts, form(RETURN)).selection == RETURN


@pytest.mark.rule("D61")
@pytest.mark.parametrize("category", [PAYOFF, CASH, RETURN])
def test_a_first_entry_in_the_last_month_needs_a_confirmation(category: Selection) -> None:
    facts = contract("2025-08-14")
    assert codes_of(facts, form(category)) == ["UNCHANGEABLE_UNCONFIRMED"]
    decision = decide(facts, form(category, unchangeable_confirmed=True))
    assert (decision.recorded, decision.late) == (Recorded.FIRST, True)


@pytest.mark.rule("D61", "D62")
@pytest.mark.parametrize(
    ("final_on", "before", "final"),
    [
        ("2025-08-15", None, False),
        ("2025-08-14", None, True),
        ("2025-08-14", CASH, False),  # the selection is fixed already, the replacement is not
    ],
)
def test_only_a_first_choice_in_the_last_month_stands_for_good(
    final_on: str, before: Selection | None, final: bool
) -> None:
    assert choice_is_final(contract(final_on, selection=before), today=T) is final


@pytest.mark.rule("D61")
def test_a_month_before_the_last_day_needs_no_confirmation() -> None:
    assert decide(contract("2025-08-15"), form(CASH)).recorded == Recorded.FIRST


@pytest.mark.rule("D61")
def test_a_dealer_may_refuse_first_entries_in_the_last_month() -> None:
    facts, refuse = contract("2025-08-14"), FirstEntryAfterChangeLimit.REFUSE
    with pytest.raises(FirstEntryTooLate, match="TFCへご連絡ください"):
        decide(facts, form(CASH), first_entry=refuse)
    payoff = form(PAYOFF, unchangeable_confirmed=True)
    assert decide(facts, payoff, first_entry=refuse).selection == PAYOFF
    assert decide(contract("2025-08-15"), form(CASH), first_entry=refuse).selection == CASH


@pytest.mark.rule("D61", "D62")
@pytest.mark.parametrize("before", [None, CASH])
def test_after_the_last_day_nothing_is_entered(before: Selection | None) -> None:
    facts = contract("2025-08-14", selection=before, replacement=NONE)
    command = form(CASH, own_replacement=True, vehicle_code="PRIUS", unchangeable_confirmed=True)
    decide(facts, command, today=date(2025, 8, 14))
    with pytest.raises(EntryHasEnded):
        decide(facts, command, today=date(2025, 8, 15))


@pytest.mark.rule("D62")
@pytest.mark.parametrize("basis", [None, *CompletionBasis])
def test_the_replacement_alone_changes_until_the_last_day(basis: CompletionBasis | None) -> None:
    facts = contract(
        "2025-08-10",
        selection=CASH,
        replacement=NONE,
        completion=basis,
        customer_change_pending=True,
    )
    command = form(CASH, own_replacement=True, vehicle_code="PRIUS", confirmation_received=False)
    decision = decide(facts, command)
    assert (decision.recorded, decision.selection) == (Recorded.REPLACEMENT_ONLY, CASH)
    assert decision.replacement == PRIUS
    assert decision.late is False  # the mark belongs to the selection, which is unchanged


@pytest.mark.rule("D62")
def test_the_replacement_of_a_resplit_contract_can_be_corrected() -> None:
    facts = contract(selection=RESPLIT, replacement=PRIUS, completion=CompletionBasis.RESPLIT)
    assert decide(facts, form(RESPLIT)).recorded == Recorded.REPLACEMENT_ONLY


def test_the_same_again_is_nothing_new() -> None:
    facts = contract(selection=CASH, replacement=NONE, late=True)
    decision = decide(facts, form(CASH))
    assert (decision.recorded, decision.late) == (Recorded.NOTHING_NEW, True)


@pytest.mark.rule("D63", "D71")
@pytest.mark.parametrize("category", [CASH, RETURN])
@pytest.mark.parametrize(
    ("given", "codes"),
    [
        ({"confirmation_received": False}, ["PAPER_NOT_RECEIVED"]),
        ({"confirmation_received_on": date(2025, 7, 16)}, ["DATE_IN_FUTURE"]),
    ],
)
def test_cash_and_return_wait_for_the_signed_paper(
    category: Selection, given: dict[str, Any], codes: list[str]
) -> None:
    assert codes_of(contract(), form(category, **given)) == codes
    assert decide(contract(), form(category, confirmation_received_on=T)).selection == category


@pytest.mark.rule("D63")
def test_an_early_payoff_needs_no_paper() -> None:
    assert decide(contract(), form(PAYOFF, confirmation_received=False)).selection == PAYOFF


@pytest.mark.rule("D64")
@pytest.mark.parametrize(("category", "blocked"), [(CASH, True), (RETURN, True), (PAYOFF, False)])
def test_a_pending_change_of_name_or_address_comes_first(
    category: Selection, blocked: bool
) -> None:
    facts = contract(customer_change_pending=True)
    if blocked:
        with pytest.raises(CustomerChangePending):
            decide(facts, form(category))
        facts = replace(facts, customer_change_pending=False)
    assert decide(facts, form(category)).selection == category


@pytest.mark.rule("D64")
def test_headquarters_may_lift_the_block_with_a_reason() -> None:
    assert release_block(Role.HQ, " 変更届が届いていたため ") == "変更届が届いていたため"
    for reason in ("", "　", "あ" * 201):
        with pytest.raises(FormErrors):
            release_block(Role.HQ, reason)
    for role in (Role.SALES, Role.MANAGER, Role.TFC):
        with pytest.raises(RoleMayNot):
            release_block(role, "理由")


@pytest.mark.rule("D38")
def test_what_the_finance_company_handles_takes_no_entry() -> None:
    with pytest.raises(TfcHandles, match=r"^TFCにて対応中です$"):
        decide(contract(tfc_handled=True), form(CASH))


@pytest.mark.rule("D68", "D69")
def test_an_early_payoff_leads_to_two_exits() -> None:
    exits = decide(contract(), form(PAYOFF)).exits
    assert [way.label for way in exits] == ["早期完済受付へ", "最終回対象顧客一覧へ"]
    assert exits == (Exit.PAYOFF_RECEPTION, Exit.CUSTOMER_LIST)
    assert decide(contract(), form(CASH)).exits == ()


@pytest.mark.rule("D68")
def test_an_early_payoff_also_needs_the_replacement() -> None:
    assert codes_of(contract(), form(PAYOFF, own_replacement=None)) == ["REPLACEMENT_MISSING"]


@pytest.mark.rule("D69")
@pytest.mark.parametrize(
    ("facts", "refused"),
    [
        (contract(selection=PAYOFF), None),
        (contract(selection=CASH), PayoffNotSelected),
        (contract(selection=None), PayoffNotSelected),
        (contract(selection=PAYOFF, completion=CompletionBasis.PAYOFF), PayoffNotSelected),
        (contract(selection=PAYOFF, tfc_handled=True), TfcHandles),
    ],
)
def test_the_payoff_reception_opens_for_an_open_early_payoff(
    facts: EntryFacts, refused: type[Refusal] | None
) -> None:
    refusal = payoff_request_refusal(facts)
    assert (type(refusal) if refusal else None) == refused


@pytest.mark.rule("D71", "D72")
def test_cash_completes_at_once_and_a_change_back_reopens() -> None:
    red = contract("2025-08-20")
    decided = decide(red, form(CASH))
    basis = completion_basis(CompletionFacts(selection=decided.selection))
    assert basis is CompletionBasis.CASH_DECIDED
    changed = decide(replace(red, selection=CASH, replacement=NONE, completion=basis), form(RETURN))
    assert completion_basis(CompletionFacts(selection=changed.selection)) is None


@pytest.mark.rule("D47")
def test_the_note_holds_two_thousand_characters() -> None:
    assert memo_to_save("査定120万円\r\n次回提案 \n") == "査定120万円\n次回提案"
    assert memo_to_save("あ" * 2000) == "あ" * 2000
    with pytest.raises(FormErrors):
        memo_to_save("あ" * 2001)


@pytest.mark.rule("D63")
@pytest.mark.parametrize(
    ("received_on", "codes"),
    [
        ("2025-01-16", []),
        ("2025-01-15", ["DATE_LONG_AGO"]),
        ("2024-07-14", ["DATE_LONG_AGO"]),
    ],
)
def test_a_paper_received_long_ago_is_asked_about(received_on: str, codes: list[str]) -> None:
    typed, day = {"confirmation_received_on": date.fromisoformat(received_on)}, date(2025, 7, 15)
    if codes:
        assert codes_of(contract(), form(CASH, **typed), today=day) == codes
    decided = decide(contract(), form(CASH, **typed, doubts_confirmed=bool(codes)), today=day)
    assert decided.selection is CASH
