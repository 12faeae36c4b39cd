"""Receipt responses: a receipt with every version of its file."""

from datetime import datetime

from pydantic import BaseModel

from commuter_service.rules.receipt_file import ReceiptKind
from commuter_service.slips.receipts import KeptReceipt


class ReceiptVersionAnswer(BaseModel):
    """A file; `shown` where browsers show it as a picture."""

    number: int
    file_name: str
    media_type: str
    size: int
    sha256: str
    stored_at: datetime
    stored_by_name: str
    shown: bool


class ReceiptAnswer(BaseModel):
    """A receipt, its newest version last."""

    receipt_id: str
    versions: list[ReceiptVersionAnswer]
    cancelled_at: datetime | None
    cancelled_by_name: str | None
    reason: str | None


def receipt_answer(one: KeptReceipt) -> ReceiptAnswer:
    """As pages show it."""
    receipt = one.receipt
    return ReceiptAnswer(
        receipt_id=str(receipt.receipt_id),
        versions=[
            ReceiptVersionAnswer(
                number=version.number,
                file_name=version.file_name,
                media_type=version.media_type,
                size=version.size,
                sha256=version.sha256,
                stored_at=version.stored_at,
                stored_by_name=version.stored_by_name,
                shown=ReceiptKind(version.media_type).shown_by_browsers,
            )
            for version in one.versions
        ],
        cancelled_at=receipt.cancelled_at,
        cancelled_by_name=receipt.cancelled_by_name,
        reason=receipt.reason,
    )
