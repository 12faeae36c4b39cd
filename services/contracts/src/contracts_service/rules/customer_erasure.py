"""When may it be forgotten who a customer was? When nothing is open any more; and why is noted.

Beyond the manual: 個人情報の保護に関する法律 asks to delete personal data that is no longer needed.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from contracts_service.rules.calendar_days import months_before
from shared.errors import FieldError, FormErrors, Kind, Refusal

REASON_CHARS = 200
YEARS = 7
"""How long after its completion the customer of a contract is kept, unless somebody asks."""


class ContractStillOpen(Refusal):
    """The final handling is not complete, or a move of the contract is under way."""

    code = "CONTRACT_STILL_OPEN"
    kind = Kind.CONFLICT
    message = "最終回対応または担当変更が完了していない契約のため、顧客情報を消去できません。"


class ReturnStillOpen(Refusal):
    """A return application is under way."""

    code = "RETURN_STILL_OPEN"
    kind = Kind.CONFLICT
    message = "返却申請が手続中のため、顧客情報を消去できません。"


@dataclass(frozen=True, slots=True)
class ErasureFacts:
    """What stands in the way."""

    completed: bool
    return_open: bool
    move_pending: bool


def check_erasure(facts: ErasureFacts) -> None:
    """Raises ReturnStillOpen, ContractStillOpen."""
    if facts.return_open:
        raise ReturnStillOpen
    if facts.move_pending or not facts.completed:
        raise ContractStillOpen


def retention_reason(reason: str, personal: Collection[str | None]) -> str:
    """The reason as it is noted; it must not name what is to be forgotten. Raises FormErrors."""
    kept = reason.strip()
    if not kept or len(kept) > REASON_CHARS or not kept.isprintable():
        message = f"理由を{REASON_CHARS}文字以内で入力してください。"
        raise FormErrors(FieldError("reason", "REQUIRED", message))
    if any(word and word in kept for word in personal):
        message = "理由に顧客の氏名・住所・電話番号を書かないでください。"
        raise FormErrors(FieldError("reason", "NAMES_THE_CUSTOMER", message))
    return kept


def completed_by_when(today: date, *, years: int = YEARS) -> date:
    """A contract that was complete on this day, or before, is due to be erased `today`."""
    return months_before(today, 12 * years)
