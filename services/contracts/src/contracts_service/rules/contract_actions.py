"""Contract actions: which of the five buttons of 顧客詳細 are enabled, and why not? (D48).

Each button uses the rule that decides when it is pressed, so that the screen and the response
never disagree.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from contracts_service.rules.assignment_change import (
    Assignment,
    ChangeFacts,
    PendingChange,
    change_refusal,
)
from contracts_service.rules.completion import CompletionBasis
from contracts_service.rules.contract_access import Action, role_refusal
from contracts_service.rules.products import Product, return_refusal
from contracts_service.rules.resplit import ResplitFacts, resplit_refusal
from contracts_service.rules.result_entry import EntryFacts, entry_refusal
from contracts_service.rules.selection import Selection
from contracts_service.rules.tfc_handling import tfc_refusal
from shared.errors import Kind, Refusal
from shared.roles import Role


class OtherSelectionMade(Refusal):
    """A returned vehicle contradicts the stored selection (D80)."""

    code = "OTHER_SELECTION_MADE"
    kind = Kind.CONFLICT

    def __init__(self, selection: Selection) -> None:
        self.selection = selection
        advice = (
            "TFCへご連絡ください" if selection is Selection.RE_SPLIT else "選択区分をご確認ください"
        )
        super().__init__(f"選択区分が{selection.label}のため、車両返却を入力できません。{advice}")


class Button(StrEnum):
    """The five buttons, in their order on the screen."""

    RESULT_ENTRY = "result_entry"
    VEHICLE_RETURN = "vehicle_return"
    RESPLIT = "resplit"
    PRINT_CONFIRMATION = "print_confirmation"
    CHANGE_ASSIGNMENT = "change_assignment"

    @property
    def label(self) -> str:
        """The button's label."""
        return {
            Button.RESULT_ENTRY: "進捗・結果入力",
            Button.VEHICLE_RETURN: "車両返却結果入力・進捗確認",
            Button.RESPLIT: "再分割シミュレーション",
            Button.PRINT_CONFIRMATION: "お支払方法確認書印刷",
            Button.CHANGE_ASSIGNMENT: "店舗・スタッフ変更",
        }[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedAction:
    """One button; `code` and `reason` (Japanese) explain why it is disabled."""

    button: Button
    enabled: bool
    code: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractFacts:
    """The current state of the contract."""

    product: Product
    final_on: date
    assignment: Assignment
    pending_change: PendingChange | None = None
    selection: Selection | None = None
    completion: CompletionBasis | None = None
    tfc_handled: bool = False
    return_open: bool = False


def contract_actions(facts: ContractFacts, *, role: Role, today: date) -> tuple[OfferedAction, ...]:
    """The five buttons for this role today."""
    return tuple(
        _offered(button, role_refusal(role, action) or refuses(facts, today))
        for button, (action, refuses) in _RULE_OF.items()
    )


def _offered(button: Button, refusal: Refusal | None) -> OfferedAction:
    if refusal is None:
        return OfferedAction(button=button, enabled=True)
    return OfferedAction(button=button, enabled=False, code=refusal.code, reason=refusal.message)


def _result_entry(facts: ContractFacts, today: date) -> Refusal | None:
    entry = EntryFacts(final_on=facts.final_on, tfc_handled=facts.tfc_handled)
    return entry_refusal(entry, today=today)


def _vehicle_return(facts: ContractFacts, today: date) -> Refusal | None:
    del today  # a returned vehicle can be reported at any time (D74)
    if facts.return_open:
        return (
            None  # the button also leads to 進捗一覧, where the open application is followed (D75)
        )
    if refusal := tfc_refusal(tfc_handled=facts.tfc_handled) or return_refusal(facts.product):
        return refusal
    if facts.selection in {None, Selection.VEHICLE_RETURN}:
        return None
    return OtherSelectionMade(facts.selection)


def _resplit(facts: ContractFacts, today: date) -> Refusal | None:
    resplit = ResplitFacts(
        final_on=facts.final_on,
        selection=facts.selection,
        completion=facts.completion,
        tfc_handled=facts.tfc_handled,
        return_open=facts.return_open,
    )
    return resplit_refusal(resplit, today=today)


def _print(facts: ContractFacts, today: date) -> Refusal | None:
    del facts, today
    return None


def _change_assignment(facts: ContractFacts, today: date) -> Refusal | None:
    change = ChangeFacts(
        product=facts.product, current=facts.assignment, pending=facts.pending_change
    )
    return change_refusal(change, today=today)


_RULE_OF: dict[Button, tuple[Action, Callable[[ContractFacts, date], Refusal | None]]] = {
    Button.RESULT_ENTRY: (Action.ENTER_RESULT, _result_entry),
    Button.VEHICLE_RETURN: (Action.REPORT_RETURN, _vehicle_return),
    Button.RESPLIT: (Action.RESPLIT, _resplit),
    Button.PRINT_CONFIRMATION: (Action.PRINT_CONFIRMATION, _print),
    Button.CHANGE_ASSIGNMENT: (Action.CHANGE_ASSIGNMENT, _change_assignment),
}
