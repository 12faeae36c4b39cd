"""Slip form: what a slip must contain before it is submitted. A draft may be incomplete."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from commuter_service.rules.invoice_basis import CostKind, Proof, proof_fault
from commuter_service.rules.receipt_required import receipt_fault
from commuter_service.rules.slip_kind import SlipKind
from shared.errors import FieldError, FormErrors

TRIPS = frozenset(
    {
        SlipKind.TRIP_REQUEST,
        SlipKind.TRIP,
        SlipKind.OVERSEAS_TRIP_REQUEST,
        SlipKind.OVERSEAS_TRIP,
    }
)


@dataclass(frozen=True, slots=True)
class FormItem:
    """An item as it is about to be submitted."""

    item_on: date | None
    amount_yen: int | None
    cost_kind: CostKind
    proof: Proof
    receipts: int = 0
    no_receipt_reason: str = ""


@dataclass(frozen=True, slots=True)
class SlipForm:
    """A slip as it is about to be submitted."""

    kind: SlipKind
    title: str
    trip_from: date | None
    trip_to: date | None
    items: Sequence[FormItem]


def check_complete(form: SlipForm) -> None:
    """Raises FormErrors with every field that is missing or wrong."""
    wrong = list(_wrong(form))
    if wrong:
        raise FormErrors(*wrong)


def _wrong(form: SlipForm) -> Iterator[FieldError]:
    if not form.title.strip():
        yield FieldError("title", "TITLE_MISSING", "件名を入力してください")
    if form.kind in TRIPS:
        if form.trip_from is None or form.trip_to is None:
            yield FieldError("trip_from", "TRIP_PERIOD_MISSING", "出張期間を入力してください")
        elif form.trip_to < form.trip_from:
            message = "出張期間の終了日が開始日より前です"
            yield FieldError("trip_to", "TRIP_PERIOD_REVERSED", message)
    if not form.items:
        yield FieldError("items", "NO_ITEMS", "明細を1件以上入力してください")
    for number, item in enumerate(form.items):
        yield from _wrong_in(item, f"items.{number}")


def _wrong_in(item: FormItem, name: str) -> Iterator[FieldError]:
    if item.item_on is None:
        yield FieldError(f"{name}.item_on", "DAY_MISSING", "日付を入力してください")
    if item.amount_yen is None:
        message = "金額を入力するか、乗換案内を利用してください"
        yield FieldError(f"{name}.amount_yen", "AMOUNT_MISSING", message)
    proof = proof_fault(item.cost_kind, item.amount_yen, item.proof, f"{name}.registration_no")
    reason, field = item.no_receipt_reason, f"{name}.no_receipt_reason"
    receipt = receipt_fault(item.amount_yen, item.receipts, reason, field)
    yield from (fault for fault in (proof, receipt) if fault)
