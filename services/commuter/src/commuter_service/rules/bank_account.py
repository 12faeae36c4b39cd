"""Bank accounts of employees and the company: what is a valid one, how it is shown (R104)."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from commuter_service.rules.zengin_text import zengin, zengin_fault
from shared.errors import FieldError, FormErrors, Kind, Refusal

BANK_DIGITS, BRANCH_DIGITS, NUMBER_DIGITS, CLIENT_DIGITS = 4, 3, 7, 10
MOST_HOLDER, MOST_CLIENT, MOST_BANK = 30, 40, 15
SHOWN_DIGITS = 3


class AccountType(StrEnum):
    """預金種目; the value is the bank's."""

    ORDINARY = "1"
    CURRENT = "2"
    SAVINGS = "4"

    @property
    def label_ja(self) -> str:
        """Its name."""
        return {"1": "普通", "2": "当座", "4": "貯蓄"}[self.value]


class TransfersSwitchedOff(Refusal):
    """The company does not pay by transfer files, and keeps no accounts."""

    code: ClassVar[str] = "TRANSFERS_SWITCHED_OFF"
    kind: ClassVar[Kind] = Kind.CONFLICT
    message = "総合振込を利用する設定になっていません"


@dataclass(frozen=True, slots=True)
class BankAccount:
    """An account; `holder` in characters of the banks."""

    bank_code: str
    branch_code: str
    account_type: AccountType
    number: str
    holder: str

    @property
    def masked(self) -> str:
        """銀行 0001 支店 002 普通 ****567: enough for its owner to know it."""
        hidden = "*" * (NUMBER_DIGITS - SHOWN_DIGITS) + self.number[-SHOWN_DIGITS:]
        kind = self.account_type.label_ja
        return f"銀行 {self.bank_code} 支店 {self.branch_code} {kind} {hidden}"


def bank_account(
    bank_code: str, branch_code: str, account_type: str, number: str, holder: str
) -> BankAccount:
    """The account as it is kept; a short number gets its zeros. Raises FormErrors."""
    bank_code, branch_code, number = map(_narrow, (bank_code, branch_code, number))
    wrong = list(_account_faults(bank_code, branch_code, account_type, number))
    if fault := zengin_fault(holder, MOST_HOLDER, "holder", "口座名義"):
        wrong.append(fault)
    if wrong:
        raise FormErrors(*wrong)
    return BankAccount(
        bank_code, branch_code, AccountType(account_type), number.zfill(NUMBER_DIGITS),
        zengin(holder),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Payer:
    """The company as its bank knows it: 振込依頼人, with the account that is debited."""

    client_code: str
    client: str
    bank_code: str
    bank: str
    branch_code: str
    branch: str
    account_type: AccountType
    number: str


def payer(  # noqa: PLR0913, PLR0917 - the fields of a header record
    client_code: str,
    client: str,
    bank_code: str,
    bank: str,
    branch_code: str,
    branch: str,
    account_type: str,
    number: str,
) -> Payer:
    """The company's side as it is kept. Raises FormErrors."""
    bank_code, branch_code, number = map(_narrow, (bank_code, branch_code, number))
    client_code = _narrow(client_code)
    wrong = list(_account_faults(bank_code, branch_code, account_type, number))
    if not _digits(client_code, CLIENT_DIGITS, exact=False):
        message = "委託者コードは10桁までの数字で入力してください"
        wrong.append(FieldError("client_code", "CLIENT_CODE", message))
    names = (
        ("client", client, MOST_CLIENT, "振込依頼人名"),
        ("bank", bank, MOST_BANK, "銀行名（カナ）"),
        ("branch", branch, MOST_BANK, "支店名（カナ）"),
    )
    faults = (zengin_fault(text, most, field, label) for field, text, most, label in names)
    wrong += [fault for fault in faults if fault]
    if wrong:
        raise FormErrors(*wrong)
    return Payer(
        client_code.zfill(CLIENT_DIGITS), zengin(client), bank_code, zengin(bank), branch_code,
        zengin(branch), AccountType(account_type), number.zfill(NUMBER_DIGITS),
    )  # fmt: skip


def _account_faults(
    bank_code: str, branch_code: str, account_type: str, number: str
) -> Iterator[FieldError]:
    if not _digits(bank_code, BANK_DIGITS):
        yield FieldError("bank_code", "BANK_CODE", "銀行コードは4桁の数字で入力してください")
    if not _digits(branch_code, BRANCH_DIGITS):
        yield FieldError("branch_code", "BRANCH_CODE", "支店コードは3桁の数字で入力してください")
    if account_type not in set(AccountType):
        yield FieldError("account_type", "ACCOUNT_TYPE", "預金種目を選んでください")
    if not _digits(number, NUMBER_DIGITS, exact=False):
        yield FieldError("number", "ACCOUNT_NUMBER", "口座番号は7桁までの数字で入力してください")


def _narrow(typed: str) -> str:
    return unicodedata.normalize("NFKC", typed).strip()


def _digits(text: str, most: int, *, exact: bool = True) -> bool:
    fits = len(text) == most if exact else 0 < len(text) <= most
    return fits and text.isascii() and text.isdigit()
