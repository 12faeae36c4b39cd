"""Transfer file of the banks (全銀協規定形式、総合振込): records of 120 bytes and sums (R105).

Header, one data record per employee, trailer and end, each followed by CR LF, in JIS X 0201.
Digits are filled with zeros from the left, characters with spaces from the right. 種別コード is
21, コード区分 0 (JIS), 振込指定区分 7. Source: 群馬銀行 「全銀協制定ファイルフォーマット
総合振込」 (read 2026-11-29).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

import jpholiday

from commuter_service.rules.bank_account import BankAccount, Payer
from shared.errors import FieldError, FormErrors, Kind, Refusal

RECORD_BYTES = 120
MOST_DAYS_AHEAD = 60
SATURDAY = 5
_END_OF_RECORD = "\r\n"


class NothingToTransfer(Refusal):
    """No settled slip of an employee with an account waits for its transfer."""

    code: ClassVar[str] = "NOTHING_TO_TRANSFER"
    kind: ClassVar[Kind] = Kind.CONFLICT
    message = "振り込む精算書がありません"


class TransferCancelled(Refusal):
    """The transfer was taken back already."""

    code: ClassVar[str] = "TRANSFER_CANCELLED"
    kind: ClassVar[Kind] = Kind.CONFLICT
    message = "この振込データは取り消されています"


class SlipTransferred(Refusal):
    """A slip whose amount stands in a transfer file is not taken out of its settlement."""

    code: ClassVar[str] = "SLIP_TRANSFERRED"
    kind: ClassVar[Kind] = Kind.CONFLICT
    message = "振込データに入っている精算書です。先に振込データを取り消してください"


@dataclass(frozen=True, slots=True)
class Payment:
    """What one employee gets; `customer_code` is the number that the company gave them."""

    account: BankAccount
    yen: int
    customer_code: str


def check_pay_day(pay_on: date | None, *, today: date) -> date:
    """The day of the transfer: today or later, within two months. Raises FormErrors."""
    if pay_on is None:
        message = "振込指定日を入力してください"
        raise FormErrors(FieldError("pay_on", "PAY_DAY_MISSING", message))
    if not 0 <= (pay_on - today).days <= MOST_DAYS_AHEAD:
        message = "振込指定日は今日から60日以内の日付にしてください"
        raise FormErrors(FieldError("pay_on", "PAY_DAY_OUT_OF_RANGE", message))
    year_end = (pay_on.month, pay_on.day) in {(12, 31), (1, 2), (1, 3)}
    if pay_on.weekday() >= SATURDAY or jpholiday.is_holiday(pay_on) or year_end:
        message = "振込指定日は銀行の営業日にしてください（土日・祝日は指定できません）"
        raise FormErrors(FieldError("pay_on", "PAY_DAY_NO_BUSINESS_DAY", message))
    return pay_on


def transfer_file(payer: Payer, pay_on: date, payments: Iterable[Payment]) -> bytes:
    """The whole file."""
    return "".join(_records(payer, pay_on, payments)).encode("shift_jis")


def _records(payer: Payer, pay_on: date, payments: Iterable[Payment]) -> Iterator[str]:
    yield _record(
        "1", "21", "0", payer.client_code, _text(payer.client, 40), f"{pay_on:%m%d}",
        payer.bank_code, _text(payer.bank, 15), payer.branch_code, _text(payer.branch, 15),
        payer.account_type.value, payer.number, _text("", 17),
    )  # fmt: skip
    count = total = 0
    for one in payments:
        count, total = count + 1, total + one.yen
        to = one.account
        yield _record(
            "2", to.bank_code, _text("", 15), to.branch_code, _text("", 15), _number(0, 4),
            to.account_type.value, to.number, _text(to.holder, 30), _number(one.yen, 10), "0",
            _text(one.customer_code, 10), _text("", 10), "7", _text("", 8),
        )  # fmt: skip
    yield _record("8", _number(count, 6), _number(total, 12), _text("", 101))
    yield _record("9", _text("", 119))


def _record(*fields: str) -> str:
    record = "".join(fields)
    assert len(record) == RECORD_BYTES, record
    return record + _END_OF_RECORD


def _number(value: int, digits: int) -> str:
    return f"{value:0{digits}d}"


def _text(text: str, width: int) -> str:
    return text[:width].ljust(width)
