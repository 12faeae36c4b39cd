"""Accounting setting: what a company enters before journals can be exported (R84)."""

from collections.abc import Iterator
from datetime import date
from typing import ClassVar

from commuter_service.rules.journal_formats import LAYOUTS, JournalFormat, cp932, width
from commuter_service.rules.journal_lines import Account, JournalAccounts
from shared.errors import FieldError, FormErrors, Kind, Refusal

_CODES = frozenset("0123456789")


class NothingToExport(Refusal):
    """Every settled slip of the period is in an export already."""

    code: ClassVar[str] = "NOTHING_TO_EXPORT"
    kind: ClassVar[Kind] = Kind.CONFLICT
    message = "この期間に、まだ出力していない精算済みの精算書はありません"


class ExportCancelled(Refusal):
    """The export was taken back; its slips may stand in a later one."""

    code: ClassVar[str] = "EXPORT_CANCELLED"
    kind: ClassVar[Kind] = Kind.CONFLICT
    message = "この出力は取り消されています"


def check_accounts(target: JournalFormat, accounts: JournalAccounts) -> None:
    """Raises FormErrors with every account or word that the target cannot read."""
    wrong = list(_wrong(target, accounts))
    if wrong:
        raise FormErrors(*wrong)


def check_period(first: date | None, last: date | None) -> None:
    """The days of a period in their order; both may be open. Raises FormErrors."""
    if first is not None and last is not None and last < first:
        message = "終了日が開始日より前です"
        raise FormErrors(FieldError("last", "PERIOD_REVERSED", message))


def check_reason(reason: str) -> str:
    """The reason of a cancellation. Raises FormErrors without one."""
    if not reason.strip():
        message = "取り消す理由を入力してください"
        raise FormErrors(FieldError("reason", "REASON_MISSING", message))
    return reason.strip()


def _wrong(target: JournalFormat, accounts: JournalAccounts) -> Iterator[FieldError]:
    for kind, account in accounts.debits.items():
        yield from _account(target, account, f"debits.{kind.name.lower()}")
    yield from _account(target, accounts.credit, "credit")
    for treatment, word in accounts.tax_words.items():
        if not word.strip():
            message = "税区分を入力してください"
            yield FieldError(f"tax_words.{treatment}", "TAX_WORD_MISSING", message)
    for store, department in accounts.departments.items():
        yield from _text(target, department, f"departments.{store}")


def _account(target: JournalFormat, account: Account, field: str) -> Iterator[FieldError]:
    if not account.account.strip():
        yield FieldError(f"{field}.account", "ACCOUNT_MISSING", "勘定科目を入力してください")
        return
    yield from _text(target, account.account, f"{field}.account")
    yield from _text(target, account.sub_account, f"{field}.sub_account")


def _text(target: JournalFormat, text: str, field: str) -> Iterator[FieldError]:
    layout = LAYOUTS[target]
    most = layout.account_width
    if width(text) > most:
        message = f"半角{most}文字（全角{most // 2}文字）以内で入力してください"
        yield FieldError(field, "ACCOUNT_TOO_LONG", message)
    elif target is JournalFormat.OBC and not _CODES.issuperset(text):
        message = "勘定奉行では名称ではなくコード（数字）を入力してください"
        yield FieldError(field, "ACCOUNT_NOT_A_CODE", message)
    elif layout.encoding == "cp932" and cp932(text).decode("cp932") != text:
        message = f"{layout.name}で使えない文字があります"
        yield FieldError(field, "ACCOUNT_UNREADABLE", message)
