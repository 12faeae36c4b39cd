"""Invoice basis: what proves the input tax of an item, and what must be entered (R80, R81, R86).

Sources, read on 2026-11-29:
- 消費税法施行令 49条1項1号イ, 70条の9第2項1号: passengers by ship, bus or train below
  30,000 yen need no invoice; one transaction counts, with tax (国税庁 インボイスQ&A,
  3万円未満の判定単位). Aeroplanes and taxis are not among them.
- 国税庁 適格請求書発行事業者公表サイト「登録番号とは」: T and 13 digits, a company's are its
  法人番号; their check digit: 法人番号の指定等に関する省令 (平成26年財務省令第70号) 2条.
- Shares without an invoice: 令和8年度税制改正, as freee lists them with its tax codes
  (developer.freee.co.jp, accounting-improvement/8133).
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from shared.errors import FieldError

INVOICE_FROM_YEN = 30_000
NUMBER = re.compile(r"T[0-9]{13}")
_MODULUS = 9


class CostKind(StrEnum):
    """What an item was paid for."""

    PUBLIC_TRANSPORT = "public_transport"
    TAXI = "taxi"
    PARKING = "parking"
    FLIGHT = "flight"
    OTHER = "other"


class InvoiceBasis(StrEnum):
    """What proves the input tax of an item; the value is kept with it."""

    PUBLIC_TRANSPORT = "public_transport"
    INVOICE = "invoice"
    NO_INVOICE = "no_invoice"


ALWAYS_WITH_INVOICE = frozenset({CostKind.TAXI, CostKind.PARKING, CostKind.FLIGHT})
"""Kinds that need an invoice whatever they cost."""

SHARES_WITHOUT_INVOICE = (
    (date(2023, 10, 1), 80),
    (date(2026, 10, 1), 70),
    (date(2028, 10, 1), 50),
    (date(2030, 10, 1), 30),
    (date(2031, 10, 1), 0),
)
"""Percent of the input tax that counts without an invoice, from a day on."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a person entered about the invoice of an item."""

    registration_no: str = ""
    no_invoice_reason: str = ""


def invoice_basis(kind: CostKind, amount_yen: int | None, proof: Proof) -> InvoiceBasis | None:
    """The basis of an item; None while nothing is known and nothing is needed.

    The amount is of the whole item: a return ticket is one transaction.
    """
    if kind is CostKind.PUBLIC_TRANSPORT and (amount_yen or 0) < INVOICE_FROM_YEN:
        return InvoiceBasis.PUBLIC_TRANSPORT
    if proof.registration_no:
        return InvoiceBasis.INVOICE
    return InvoiceBasis.NO_INVOICE if proof.no_invoice_reason.strip() else None


def invoice_needed(kind: CostKind, amount_yen: int | None) -> bool:
    """Whether an item needs a registration number, or the reason why there is none."""
    return kind in ALWAYS_WITH_INVOICE or (amount_yen or 0) >= INVOICE_FROM_YEN


def share_without_invoice(item_on: date) -> int:
    """Percent of the input tax that counts on a day without an invoice; all of it before 2023."""
    shares = [share for since, share in SHARES_WITHOUT_INVOICE if since <= item_on]
    return shares[-1] if shares else 100


def registration_number(typed: str) -> str:
    """The number as it is written: full-width characters, blanks and hyphens do not matter."""
    plain = unicodedata.normalize("NFKC", typed).upper()
    return re.sub(r"[\s‐-―ー-]", "", plain)


def check_digit(twelve: str) -> int:
    """The first digit of a 法人番号 with these twelve others."""
    digits = [int(one) for one in reversed(twelve)]
    weighted = sum(digits[0::2]) + 2 * sum(digits[1::2])
    return _MODULUS - weighted % _MODULUS


def number_fault(number: str, field: str) -> FieldError | None:
    """What is wrong with a registration number; None if it can be one.

    The digits of a person without a 法人番号 follow no published rule: the message says the way
    out.
    """
    if not number:
        return None
    if not NUMBER.fullmatch(number):
        message = "登録番号はTと13桁の数字で入力してください（例 T1234567890123）"
        return FieldError(field, "REGISTRATION_NUMBER_UNREADABLE", message)
    if int(number[1]) != check_digit(number[2:]):
        message = (
            "登録番号の検査用数字が合いません。領収書の番号を確かめてください。"
            "個人事業者の番号で合わないときは「登録番号がない理由」に番号を入力してください"
        )
        return FieldError(field, "REGISTRATION_NUMBER_MISTYPED", message)
    return None


def proof_fault(
    kind: CostKind, amount_yen: int | None, proof: Proof, field: str
) -> FieldError | None:
    """What is missing or wrong before the item may be submitted."""
    if proof.registration_no:
        return number_fault(proof.registration_no, field)
    if invoice_needed(kind, amount_yen) and not proof.no_invoice_reason.strip():
        message = "領収書の登録番号（T＋13桁）か、登録番号がない理由を入力してください"
        return FieldError(field, "REGISTRATION_NUMBER_MISSING", message)
    return None
