"""公共交通機関特例 and the registration number of an invoice (R80, R81)."""

import pytest

from commuter_service.rules.invoice_basis import (
    CostKind,
    InvoiceBasis,
    Proof,
    check_digit,
    invoice_basis,
    invoice_needed,
    number_fault,
    proof_fault,
    registration_number,
)

TRAIN, TAXI, OTHER = CostKind.PUBLIC_TRANSPORT, CostKind.TAXI, CostKind.OTHER
NUMBER = "T7000012050002"  # 国税庁's own 法人番号


@pytest.mark.rule("R80")
@pytest.mark.parametrize(
    ("kind", "yen", "basis"),
    [
        (TRAIN, 0, InvoiceBasis.PUBLIC_TRANSPORT),
        (TRAIN, 29_999, InvoiceBasis.PUBLIC_TRANSPORT),
        (TRAIN, 30_000, None),
        (TRAIN, 30_001, None),
        (TAXI, 730, None),
        (CostKind.FLIGHT, 12_000, None),
        (CostKind.PARKING, 300, None),
        (OTHER, 500, None),
    ],
)
def test_public_transport_below_30000_yen_proves_itself(
    kind: CostKind, yen: int, basis: InvoiceBasis | None
) -> None:
    assert invoice_basis(kind, yen, Proof()) is basis


@pytest.mark.rule("R80")
def test_above_it_the_number_or_the_reason_is_the_basis() -> None:
    assert invoice_basis(TRAIN, 30_000, Proof(NUMBER)) is InvoiceBasis.INVOICE
    assert invoice_basis(TRAIN, 30_000, Proof("", "券売機")) is InvoiceBasis.NO_INVOICE
    assert invoice_basis(TRAIN, 29_999, Proof(NUMBER)) is InvoiceBasis.PUBLIC_TRANSPORT
    assert invoice_basis(TAXI, 730, Proof(NUMBER, "x")) is InvoiceBasis.INVOICE


@pytest.mark.rule("R81")
@pytest.mark.parametrize(
    ("kind", "yen", "needed"),
    [
        (TRAIN, 29_999, False),
        (TRAIN, 30_000, True),
        (OTHER, 29_999, False),
        (OTHER, 30_000, True),
        (TAXI, 1, True),
        (CostKind.PARKING, 100, True),
        (CostKind.FLIGHT, 100, True),
    ],
)
def test_what_needs_a_number_or_a_reason(kind: CostKind, yen: int, *, needed: bool) -> None:
    assert invoice_needed(kind, yen) is needed
    fault = proof_fault(kind, yen, Proof(), "items.0.registration_no")
    assert (fault is not None and fault.code == "REGISTRATION_NUMBER_MISSING") is needed
    assert proof_fault(kind, yen, Proof("", "レシートに番号がない"), "x") is None
    assert proof_fault(kind, yen, Proof(NUMBER), "x") is None


@pytest.mark.rule("R81")
@pytest.mark.parametrize(
    "typed",
    ["T7000012050002", "t7000012050002", "Ｔ７００００１２０５０００２", "T7000-0120-50002 "],
)
def test_a_number_is_read_as_it_is_typed(typed: str) -> None:
    assert registration_number(typed) == NUMBER


@pytest.mark.rule("R81")
@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("", None),
        (NUMBER, None),
        ("T8000012050002", "REGISTRATION_NUMBER_MISTYPED"),
        ("T7000012050003", "REGISTRATION_NUMBER_MISTYPED"),
        ("T0000012050002", "REGISTRATION_NUMBER_MISTYPED"),
        ("7000012050002", "REGISTRATION_NUMBER_UNREADABLE"),
        ("T700001205000", "REGISTRATION_NUMBER_UNREADABLE"),
        ("T70000120500022", "REGISTRATION_NUMBER_UNREADABLE"),
        ("T700001205000²", "REGISTRATION_NUMBER_UNREADABLE"),
    ],
)
def test_a_mistyped_number_is_found(number: str, code: str | None) -> None:
    fault = number_fault(number, "registration_no")
    assert (fault.code if fault else None) == code


@pytest.mark.rule("R81")
def test_the_check_digit_of_the_ordinance() -> None:
    assert check_digit("000012050002") == 7
    assert check_digit("010701000002") in range(1, 10)
    assert {check_digit(f"{number:012d}") for number in range(500)} == set(range(1, 10))
