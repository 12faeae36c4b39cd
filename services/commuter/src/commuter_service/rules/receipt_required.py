"""When must an item have a receipt, and what may be done with one (R99, R100)?

The amount is the one from which on an invoice is needed (invoice_basis.py). A receipt that was
received as data is kept as data, with date, amount and payee to find it by: 電子帳簿保存法 7条 and
its 施行規則 4条1項. It is kept seven years, and ten where the company carries a loss forward, from
the day on which the year's return is due: 法人税法施行規則 59条, 26条の3. `YEARS_KEPT` counts from
the upload and covers that.
"""

from typing import ClassVar

from commuter_service.rules.invoice_basis import INVOICE_FROM_YEN
from shared.errors import FieldError, Kind, Refusal

MOST_RECEIPTS = 20
YEARS_KEPT = 12


class ReceiptCancelled(Refusal):
    """A cancelled receipt stays as it is: it gets no new version."""

    code: ClassVar[str] = "RECEIPT_CANCELLED"
    kind: ClassVar[Kind] = Kind.CONFLICT
    message = "取り消した領収書は変更できません。新しい領収書として登録してください"


class ReceiptReasonMissing(Refusal):
    """A receipt is cancelled with a reason."""

    code: ClassVar[str] = "RECEIPT_REASON_MISSING"
    message = "取り消す理由を入力してください"


class TooManyReceipts(Refusal):
    """An item has at most twenty receipts."""

    code: ClassVar[str] = "TOO_MANY_RECEIPTS"
    kind: ClassVar[Kind] = Kind.CONFLICT
    message = "1つの明細に登録できる領収書は20件までです"


def receipt_needed(amount_yen: int | None) -> bool:
    """Whether an item needs a receipt as a file, or a reason."""
    return (amount_yen or 0) >= INVOICE_FROM_YEN


def receipt_fault(
    amount_yen: int | None, receipts: int, reason: str, field: str
) -> FieldError | None:
    """What is missing before the item may be submitted; `receipts` that are not cancelled."""
    if not receipt_needed(amount_yen) or receipts or reason.strip():
        return None
    message = "領収書のファイルを登録するか、領収書がない理由を入力してください（3万円以上）"
    return FieldError(field, "RECEIPT_MISSING", message)


def check_new_receipt(receipts: int) -> None:
    """Raises TooManyReceipts."""
    if receipts >= MOST_RECEIPTS:
        raise TooManyReceipts


def check_cancellation(reason: str, *, cancelled: bool) -> str:
    """The reason without blanks around it. Raises ReceiptCancelled, ReceiptReasonMissing."""
    if cancelled:
        raise ReceiptCancelled
    if not reason.strip():
        raise ReceiptReasonMissing
    return reason.strip()
