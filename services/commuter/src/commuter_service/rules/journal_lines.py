"""Journal lines of a settled slip: one entry an item, with accounts by the company's setting (R82).

Debit is the cost by kind of slip, credit what the company owes its people. The line of a ride under
公共交通機関特例 says so in its 摘要, as the ledger must (消費税法施行令 49条1項).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from commuter_service.rules.invoice_basis import InvoiceBasis, share_without_invoice
from commuter_service.rules.slip_kind import SlipKind


class TaxTreatment(StrEnum):
    """How the consumption tax of a line is treated; each target has its own words for them."""

    INVOICE = "invoice"
    PUBLIC_TRANSPORT = "public_transport"
    NO_INVOICE = "no_invoice"
    OUT_OF_SCOPE = "out_of_scope"


@dataclass(frozen=True, slots=True)
class Account:
    """An account as the accounting software knows it: its name, or its code."""

    account: str
    sub_account: str = ""
    taxed: bool = True


@dataclass(frozen=True, slots=True)
class JournalAccounts:
    """A company's accounts: by kind of slip, of the credit side, and departments by store."""

    debits: Mapping[SlipKind, Account]
    credit: Account
    tax_words: Mapping[TaxTreatment, str]
    departments: Mapping[str, str] = field(default_factory=dict)


class JournalItem(NamedTuple):
    """An item as the journal sees it."""

    slip_no: str
    kind: SlipKind
    item_on: date
    employee: str
    store_code: str | None
    what: str
    purpose: str
    payee: str
    registration_no: str
    amount_yen: int
    basis: InvoiceBasis | None


@dataclass(frozen=True, slots=True, eq=False)
class Posting:
    """What the lines of one kind, store, day and proof share; each is equal to itself only."""

    item_on: date
    debit: Account
    credit: Account
    department: str
    treatment: TaxTreatment
    tax_word: str


class JournalLine(NamedTuple):
    """A debit and a credit of one amount."""

    number: int
    slip_no: str
    posting: Posting
    payee: str
    amount_yen: int
    memo: str


SHARE = "{rate}"
"""Stands in the word for a line without an invoice where the share of the day goes."""
USUAL_DEBITS: Mapping[SlipKind, Account] = {
    SlipKind.TRANSPORT: Account("旅費交通費"),
    SlipKind.TRIP_REQUEST: Account("旅費交通費"),
    SlipKind.TRIP: Account("旅費交通費"),
    SlipKind.OVERSEAS_TRIP_REQUEST: Account("旅費交通費", taxed=False),
    SlipKind.OVERSEAS_TRIP: Account("旅費交通費", taxed=False),
    SlipKind.EXPENSE: Account("雑費"),
    SlipKind.PAYMENT_REQUEST: Account("雑費"),
}
USUAL_CREDIT = Account("未払金", taxed=False)


def treatment_of(basis: InvoiceBasis | None, item_on: date, *, taxed: bool) -> TaxTreatment:
    """The treatment of an item; without any proof there is no invoice, and a share by its day."""
    if not taxed:
        return TaxTreatment.OUT_OF_SCOPE
    if basis is InvoiceBasis.PUBLIC_TRANSPORT:
        return TaxTreatment.PUBLIC_TRANSPORT
    if basis is InvoiceBasis.INVOICE:
        return TaxTreatment.INVOICE
    return TaxTreatment.NO_INVOICE if share_without_invoice(item_on) else TaxTreatment.OUT_OF_SCOPE


def posting_of(item: JournalItem, accounts: JournalAccounts) -> Posting:
    """Accounts and tax of an item: the same for all of its kind, store, day and proof."""
    debit = accounts.debits[item.kind]
    treatment = treatment_of(item.basis, item.item_on, taxed=debit.taxed)
    share = str(share_without_invoice(item.item_on))
    return Posting(
        item_on=item.item_on,
        debit=debit,
        credit=accounts.credit,
        department=accounts.departments.get(item.store_code or "", ""),
        treatment=treatment,
        tax_word=accounts.tax_words[treatment].replace(SHARE, share),
    )


def journal_line(number: int, item: JournalItem, posting: Posting) -> JournalLine:
    """The entry of one item."""
    memo = _memo(item, posting.treatment)
    return JournalLine(number, item.slip_no, posting, item.payee, item.amount_yen, memo)


def _memo(item: JournalItem, treatment: TaxTreatment) -> str:
    """摘要, the exemption and the payee first: software cuts what is too long at the end."""
    exempt = "公共交通機関特例" if treatment is TaxTreatment.PUBLIC_TRANSPORT else ""
    invoice = item.registration_no if treatment is TaxTreatment.INVOICE else ""
    words = (exempt, item.payee, invoice, item.employee, item.what, item.purpose)
    return " ".join(" ".join(words).split())
