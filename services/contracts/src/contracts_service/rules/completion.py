"""Is 最終回対応 complete, and by what? (D32, D70, D72, D78, A-08).

A choice alone completes nothing, except 現金決済, which ends with 決定. Everything else waits for
the one who finishes it: the finance company's settlement or approval, or the end of the return
application.
"""

from dataclasses import dataclass
from enum import StrEnum

from contracts_service.rules.selection import Selection


class CompletionBasis(StrEnum):
    """What completed the contract; the values travel in events."""

    CASH_DECIDED = "cash_decided"
    PAYOFF = "payoff"
    RETURN = "return"
    RESPLIT = "resplit"
    TFC = "tfc"


COMPLETE_MARK = "完了"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionFacts:
    """What is known to have happened.

    `return_completed`: the last return application ended with 完了 and no later one was sent.
    `separate_procedure_needed`: product or purchased receivable ask for more than the report (D78).
    """

    selection: Selection | None = None
    payoff_settled: bool = False
    return_completed: bool = False
    separate_procedure_needed: bool = False
    separate_procedure_completed: bool = False
    resplit_approved: bool = False
    completed_by_tfc: bool = False


def completion_basis(facts: CompletionFacts) -> CompletionBasis | None:
    """What completes the contract, or None while it is open, in whatever order facts came."""
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
    """The column 完了: the word, or nothing (D32)."""
    return COMPLETE_MARK if basis else ""
