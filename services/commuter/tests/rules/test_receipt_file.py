"""Receipt files: whole PDF, JPEG, PNG and HEIC only, and nothing else besides (R98, R99)."""

import pytest

from commuter_service.rules.receipt_file import MOST_BYTES, ReceiptKind, receipt_kind
from commuter_service.rules.receipt_required import (
    ReceiptCancelled,
    ReceiptReasonMissing,
    TooManyReceipts,
    check_cancellation,
    check_new_receipt,
    receipt_fault,
)
from shared.errors import FormErrors, Refusal

from ..receipt_files import ZIP_END, box, heic, jpeg, pdf, png  # noqa: TID252 - files for all tests


@pytest.mark.rule("R98")
@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (pdf(), ReceiptKind.PDF),
        (jpeg(), ReceiptKind.JPEG),
        (jpeg(8064, 6048), ReceiptKind.JPEG),  # 48 megapixels
        (jpeg(end=b"maker's notes"), ReceiptKind.JPEG),
        (jpeg(comment=b"Camera 1"), ReceiptKind.JPEG),
        (png(), ReceiptKind.PNG),
        (heic(), ReceiptKind.HEIC),
        (heic(brand=b"mif1"), ReceiptKind.HEIC),
    ],
)
def test_receipts_are_known_by_their_bytes(content: bytes, kind: ReceiptKind) -> None:
    assert receipt_kind(content) is kind


@pytest.mark.rule("R98")
@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "RECEIPT_EMPTY"),
        (bytes(MOST_BYTES + 1), "RECEIPT_TOO_LARGE"),
        (b"<html>", "RECEIPT_TYPE"),
        (b"GIF89a", "RECEIPT_TYPE"),
        (b"PK\x03\x04 bomb", "RECEIPT_TYPE"),
        (b"MZ program", "RECEIPT_TYPE"),
        (box(b"ftyp", b"isom" + bytes(4)), "RECEIPT_TYPE"),  # a film
        (b" " + pdf(), "RECEIPT_TYPE"),
        (b"\xff\xd8\xff is no picture", "RECEIPT_BROKEN"),
        (jpeg()[:-2], "RECEIPT_BROKEN"),
        (jpeg()[:20], "RECEIPT_BROKEN"),
        (jpeg(0, 0), "RECEIPT_BROKEN"),
        (png()[:-6], "RECEIPT_BROKEN"),
        (png()[:40], "RECEIPT_BROKEN"),
        (pdf()[:30], "RECEIPT_BROKEN"),
        (heic()[:-3], "RECEIPT_BROKEN"),
        (box(b"ftyp", b"heic" + bytes(4)), "RECEIPT_BROKEN"),
        (heic().replace(b"ispe", b"none"), "RECEIPT_BROKEN"),  # states no size
        (png().replace(b"IDAT", b"none"), "RECEIPT_BROKEN"),  # has no picture
        (jpeg(10_000, 6_000), "RECEIPT_PIXELS"),  # 60 megapixels
        (png(60_000, 60_000), "RECEIPT_PIXELS"),  # some bytes that unpack to gigabytes
        (heic(12_240, 9_180), "RECEIPT_PIXELS"),
        (jpeg(end=b"archive" + ZIP_END), "RECEIPT_MIXED"),
        (pdf(end=ZIP_END), "RECEIPT_MIXED"),
        (png(end=b"more"), "RECEIPT_MIXED"),
        (jpeg(comment=b"%PDF-1.7"), "RECEIPT_MIXED"),
        (jpeg(comment=b"<Script>alert(1)</script>"), "RECEIPT_MIXED"),
    ],
)
def test_what_is_no_receipt_is_refused_beside_the_field(content: bytes, code: str) -> None:
    with pytest.raises(FormErrors) as refusal:
        receipt_kind(content)
    [error] = refusal.value.fields
    assert (error.field, error.code) == ("file", code)


@pytest.mark.rule("R98")
@pytest.mark.parametrize("make", [jpeg, png, heic, pdf])
def test_no_cut_off_file_passes_and_none_crashes(make: object) -> None:
    assert callable(make)
    whole: bytes = make()
    for end in range(1, len(whole) - 8):
        with pytest.raises(FormErrors):
            receipt_kind(whole[:end])


@pytest.mark.rule("R99")
@pytest.mark.parametrize(
    ("yen", "receipts", "reason", "refused"),
    [
        (None, 0, "", False),
        (29_999, 0, "", False),
        (30_000, 0, "", True),
        (30_000, 0, "  ", True),
        (30_000, 1, "", False),
        (30_000, 0, "紛失", False),
    ],
)
def test_from_30000_yen_a_receipt_or_a_reason(
    yen: int | None, receipts: int, reason: str, refused: bool
) -> None:
    found = receipt_fault(yen, receipts, reason, "items.0.no_receipt_reason")
    assert (found is not None) is refused
    if found:
        assert (found.field, found.code) == ("items.0.no_receipt_reason", "RECEIPT_MISSING")


@pytest.mark.rule("R100")
def test_a_receipt_is_cancelled_once_and_with_a_reason() -> None:
    assert check_cancellation(" 別の明細のもの ", cancelled=False) == "別の明細のもの"
    for reason, cancelled, fact in (
        (" ", False, ReceiptReasonMissing),
        ("x", True, ReceiptCancelled),
    ):
        with pytest.raises(fact):
            check_cancellation(reason, cancelled=cancelled)


@pytest.mark.rule("R100")
def test_an_item_has_at_most_twenty_receipts() -> None:
    check_new_receipt(19)
    with pytest.raises(TooManyReceipts) as refusal:
        check_new_receipt(20)
    assert isinstance(refusal.value, Refusal)
