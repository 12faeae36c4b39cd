"""Customer erasure: allowed once nothing is open any more, with a stored reason.

Beyond the manual: 個人情報の保護に関する法律 requires deleting personal data no longer needed.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from contracts_service.rules.calendar_days import months_before
from shared.errors import FieldError, FormErrors, Kind, Refusal

REASON_CHARS = 200
SHORTEST_WORD = 3
YEARS = 7
"""Years after completion until the customer's data is due for erasure, unless requested earlier."""


class ContractStillOpen(Refusal):
    """The final handling is not complete, or a change of store or staff is pending."""

    code = "CONTRACT_STILL_OPEN"
    kind = Kind.CONFLICT
    message = "最終回対応または担当変更が完了していない契約のため、顧客情報を消去できません。"


class ReturnStillOpen(Refusal):
    """A return application is open."""

    code = "RETURN_STILL_OPEN"
    kind = Kind.CONFLICT
    message = "返却申請が手続中のため、顧客情報を消去できません。"


@dataclass(frozen=True, slots=True)
class ErasureFacts:
    """The facts that may block an erasure."""

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
    """The reason to store; it must not contain the data to be erased. Raises FormErrors."""
    text = reason.strip()
    if not text or len(text) > REASON_CHARS or not text.isprintable():
        message = f"理由を{REASON_CHARS}文字以内で入力してください。"
        raise FormErrors(FieldError("reason", "REQUIRED", message))
    if any(word and word in text for word in personal):
        message = "理由に顧客の氏名・住所・電話番号を書かないでください。"
        raise FormErrors(FieldError("reason", "NAMES_THE_CUSTOMER", message))
    return text


def words_of(personal: Collection[str | None]) -> tuple[str, ...]:
    """The words to search for in free texts: as stored, and without blanks or hyphens.

    A word of fewer than three characters would be found in other people's names, and is left out.
    """
    forms = {
        form
        for word in personal
        if word
        for form in (word.strip(), "".join(word.split()), "".join(word.split()).replace("-", ""))
    }
    return tuple(sorted((form for form in forms if len(form) >= SHORTEST_WORD), key=_longest_first))


def _longest_first(word: str) -> tuple[int, str]:
    return -len(word), word


def completed_by_when(today: date, *, years: int = YEARS) -> date:
    """Contracts complete on or before this day are due for erasure `today`."""
    return months_before(today, 12 * years)
