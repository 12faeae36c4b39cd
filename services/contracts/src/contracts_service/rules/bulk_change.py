"""Bulk change: the decision for each checked row on 「変更」 (D135, D137).

Rows are decided independently: refused rows carry the reason, the others are registered. On
request nothing is registered unless all rows can be.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from contracts_service.rules.assignment_change import ChangeDecision
from shared.errors import FieldError, FormErrors, Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkDecision:
    """By contract number: registered changes, and refusals with their reasons."""

    accepted: Mapping[str, ChangeDecision]
    refused: Mapping[str, Refusal]


def decide_bulk_change(
    rows: Mapping[str, Callable[[], ChangeDecision]], *, all_or_nothing: bool = False
) -> BulkDecision:
    """Decide each checked row; each value decides its own row and may raise a Refusal.

    Raises:
        FormErrors: no row was checked.
    """
    if not rows:
        message = "変更する契約を選択してください"
        raise FormErrors(FieldError("rows", "NO_ROW_CHECKED", message))
    accepted: dict[str, ChangeDecision] = {}
    refused: dict[str, Refusal] = {}
    for contract_no, decide in rows.items():
        try:
            accepted[contract_no] = decide()
        except Refusal as refusal:
            refused[contract_no] = refusal
    if all_or_nothing and refused:
        accepted = {}
    return BulkDecision(accepted=accepted, refused=refused)
