"""Contract access by role and scope, and the enabled buttons."""

from dataclasses import replace
from datetime import date

import pytest

from contracts_service.rules.assignment_change import Assignment, PendingChange
from contracts_service.rules.completion import CompletionBasis
from contracts_service.rules.contract_access import (
    Action,
    ContractPlace,
    Viewer,
    in_scope,
    role_refusal,
)
from contracts_service.rules.contract_actions import Button, ContractFacts, contract_actions
from contracts_service.rules.products import PRODUCT_BY_CODE
from contracts_service.rules.selection import Selection
from shared.roles import Role

T = date(2025, 7, 15)
YAMADA = Viewer(role=Role.SALES, dealer_code="D01", store_code="S10")
SATO = Viewer(role=Role.MANAGER, dealer_code="D01", store_code="S10")
TANAKA = Viewer(role=Role.HQ, dealer_code="D01")
OPERATOR = Viewer(role=Role.TFC, dealer_code="TFC")
IN_S10 = ContractPlace(dealer_code="D01", viewing_store="S10")
IN_S20 = ContractPlace(dealer_code="D01", viewing_store="S20")
MOVING = ContractPlace(dealer_code="D01", viewing_store=None)
ELSEWHERE = ContractPlace(dealer_code="D02", viewing_store="S10")


@pytest.mark.parametrize(
    ("action", "allowed"),
    [
        pytest.param("search", "sales manager hq", marks=pytest.mark.rule("D3")),
        pytest.param("view", "sales manager hq", marks=pytest.mark.rule("D2")),
        pytest.param("write_note", "sales manager", marks=pytest.mark.rule("D47")),
        pytest.param("enter_result", "sales manager hq", marks=pytest.mark.rule("D1")),
        pytest.param("report_return", "sales manager hq", marks=pytest.mark.rule("D1", "D82")),
        pytest.param("resplit", "sales manager hq", marks=pytest.mark.rule("D1")),
        pytest.param("print_confirmation", "sales manager hq", marks=pytest.mark.rule("D1")),
        pytest.param("export_list", "manager hq", marks=pytest.mark.rule("D4")),
        pytest.param(
            "change_assignment", "manager hq", marks=pytest.mark.rule("D3", "D125", "D131")
        ),
        pytest.param("release_customer_change", "hq", marks=pytest.mark.rule("D64")),
        pytest.param("import_contracts", "tfc", marks=pytest.mark.rule("D1")),
    ],
)
def test_what_each_role_may_do(action: str, allowed: str) -> None:
    found = [role for role in Role if role_refusal(role, Action(action)) is None]
    assert " ".join(found) == allowed


@pytest.mark.rule("D2", "D142")
@pytest.mark.parametrize(
    ("viewer", "place", "seen"),
    [
        (YAMADA, IN_S10, True),
        (YAMADA, IN_S20, False),
        (YAMADA, MOVING, False),
        (YAMADA, ELSEWHERE, False),
        (SATO, IN_S20, False),
        (TANAKA, IN_S20, True),
        (TANAKA, MOVING, True),
        (TANAKA, ELSEWHERE, False),
        (OPERATOR, IN_S10, False),
        (replace(YAMADA, store_code=None), MOVING, False),
    ],
)
def test_who_sees_which_contract(viewer: Viewer, place: ContractPlace, seen: bool) -> None:
    assert in_scope(viewer, place) is seen


CONTRACT = ContractFacts(
    product=PRODUCT_BY_CODE["SVP_R"],
    final_on=date(2025, 9, 30),
    assignment=Assignment(store_code="S10", staff_code="E101"),
)


def reasons(facts: ContractFacts, role: Role = Role.MANAGER) -> dict[str, str | None]:
    """The disabled buttons and their reasons."""
    offered = contract_actions(facts, role=role, today=T)
    assert [action.button for action in offered] == list(Button)
    assert all((action.reason is None) is action.enabled for action in offered)
    return {action.button: action.code for action in offered if not action.enabled}


@pytest.mark.rule("D48")
def test_an_ordinary_contract_offers_all_five_buttons() -> None:
    assert reasons(CONTRACT) == {}
    assert [button.label for button in Button] == [
        "進捗・結果入力",
        "車両返却結果入力・進捗確認",
        "再分割シミュレーション",
        "お支払方法確認書印刷",
        "店舗・スタッフ変更",
    ]


RED_FLAG = {"result_entry", "vehicle_return", "resplit"}


@pytest.mark.rule("D48")
@pytest.mark.parametrize(
    ("facts", "disabled"),
    [
        pytest.param(
            replace(CONTRACT, tfc_handled=True),
            dict.fromkeys(RED_FLAG, "TFC_HANDLES"),
            marks=pytest.mark.rule("D38"),
        ),
        pytest.param(
            replace(CONTRACT, final_on=date(2025, 7, 14)),
            {"result_entry": "ENTRY_HAS_ENDED", "resplit": "RESPLIT_CLOSED"},
            marks=pytest.mark.rule("D49", "D61"),
        ),
        pytest.param(
            replace(CONTRACT, final_on=date(2026, 4, 16)),
            {"resplit": "RESPLIT_NOT_OPEN_YET"},
            marks=pytest.mark.rule("D49"),
        ),
        pytest.param(
            replace(CONTRACT, product=PRODUCT_BY_CODE["SVP_OPEN"]),
            {
                "vehicle_return": "PRODUCT_NOT_ELIGIBLE",
                "change_assignment": "PRODUCT_NOT_TRANSFERABLE",
            },
            marks=pytest.mark.rule("D77", "D124"),
        ),
        pytest.param(
            replace(
                CONTRACT,
                selection=Selection.CASH_SETTLEMENT,
                completion=CompletionBasis.CASH_DECIDED,
            ),
            {"vehicle_return": "OTHER_SELECTION_MADE"},
            marks=pytest.mark.rule("D80"),
        ),
        pytest.param(
            replace(CONTRACT, selection=Selection.VEHICLE_RETURN, return_open=True),
            {"resplit": "RETURN_IN_PROGRESS"},
            marks=pytest.mark.rule("D60"),
        ),
        pytest.param(
            replace(CONTRACT, return_open=True, tfc_handled=True),
            dict.fromkeys(RED_FLAG - {"vehicle_return"}, "TFC_HANDLES"),
            marks=pytest.mark.rule("D75"),
        ),
        pytest.param(
            replace(
                CONTRACT,
                pending_change=PendingChange(
                    registered_on=date(2025, 7, 14), to_store=None, to_staff="M100"
                ),
            ),
            {"change_assignment": "ASSIGNMENT_LOCKED"},
            marks=pytest.mark.rule("D140"),
        ),
    ],
)
def test_buttons_say_why_they_do_not_work(facts: ContractFacts, disabled: dict[str, str]) -> None:
    assert reasons(facts) == disabled


@pytest.mark.rule("D48", "D125")
def test_sales_staff_do_not_move_contracts() -> None:
    assert reasons(CONTRACT, Role.SALES) == {"change_assignment": "ROLE_MAY_NOT"}


@pytest.mark.rule("D80")
@pytest.mark.parametrize(
    "selection", [Selection.CASH_SETTLEMENT, Selection.EARLY_PAYOFF, Selection.RE_SPLIT]
)
def test_a_contradicting_choice_is_named_in_the_reason(selection: Selection) -> None:
    offered = contract_actions(replace(CONTRACT, selection=selection), role=Role.HQ, today=T)
    (vehicle_return,) = (a for a in offered if a.button is Button.VEHICLE_RETURN)
    assert vehicle_return.reason is not None
    assert selection.label in vehicle_return.reason
    assert ("TFCへご連絡ください" in vehicle_return.reason) is (selection is Selection.RE_SPLIT)
