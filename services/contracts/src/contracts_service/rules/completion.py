"""Completion of 最終回対応: is the contract complete, and by what? (D32, D70, D72, D78, A-08).

A selection alone completes nothing, except 現金決済, which ends with 決定. Everything else waits
for its last step: the finance company's settlement or approval, or the end of the return
application.
"""

from dataclasses import dataclass
from enum import StrEnum

from contracts_service.rules.selection import Selection


class CompletionBasis(StrEnum):
    """The basis of completion; the values are part of events."""

    CASH_DECIDED = "cash_decided"
    PAYOFF = "payoff"
    RETURN = "return"
    RESPLIT = "resplit"
    TFC = "tfc"


COMPLETE_MARK = "完了"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionFacts:
    """The facts that decide completion.

    `return_completed`: the last return application ended with 完了 and no later one was submitted.
    `separate_procedure_needed`: product or purchased receivable need a further procedure (D78).
    """

    selection: Selection | None = None
    payoff_settled: bool = False
    return_completed: bool = False
    separate_procedure_needed: bool = False
    separate_procedure_completed: bool = False
    resplit_approved: bool = False
    completed_by_tfc: bool = False


def completion_basis(facts: CompletionFacts) -> CompletionBasis | None:
    """The basis of completion, or None while open; independent of the order of the facts."""
    if facts.completed_by_tfc:
        return CompletionBasis.TFC
    if facts.payoff_settled:
        return CompletionBasis.PAYOFF
    if facts.return_completed and (
        facts.separate_procedure_completed or not facts.separate_procedure_needed
    ):
        return CompletionBasis.RETURN
    if facts.selection is Selection.RE_SPLIT and facts.resplit_approved:
        return CompletionBasis.RESPLIT
    if facts.selection is Selection.CASH_SETTLEMENT:
        return CompletionBasis.CASH_DECIDED
    return None


def completion_mark(basis: CompletionBasis | None) -> str:
    """The column 完了: the word, or empty (D32)."""
    return COMPLETE_MARK if basis else ""
