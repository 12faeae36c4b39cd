"""Characters, accounts and transfer files of the banks (R104, R105)."""

from datetime import date

import pytest

from commuter_service.rules.bank_account import (
    AccountType,
    BankAccount,
    Payer,
    bank_account,
    payer,
)
from commuter_service.rules.zengin_text import zengin, zengin_fault
from commuter_service.rules.zengin_transfer import Payment, check_pay_day, transfer_file
from shared.errors import FormErrors


@pytest.mark.rule("R104")
@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("ヤマダ タロウ", "ﾔﾏﾀﾞ ﾀﾛｳ"),
        ("やまだ　たろう", "ﾔﾏﾀﾞ ﾀﾛｳ"),
        ("ﾔﾏﾀﾞ ﾀﾛｳ", "ﾔﾏﾀﾞ ﾀﾛｳ"),
        ("シュンスケ・キョウ", "ｼﾕﾝｽｹ ｷﾖｳ"),
        ("ハットリ", "ﾊﾂﾄﾘ"),
        ("ヴィラー・パーク", "ｳﾞｲﾗ- ﾊﾟ-ｸ"),
        ("カ）マドグチジドウシャ", "ｶ)ﾏﾄﾞｸﾞﾁｼﾞﾄﾞｳｼﾔ"),
        ("abc１２３", "ABC123"),
        ("ヲノ", "ｵﾉ"),
    ],
)
def test_a_name_is_written_in_the_banks_characters(typed: str, written: str) -> None:
    assert zengin(typed) == written
    assert zengin_fault(typed, 30, "holder", "口座名義") is None


@pytest.mark.rule("R104")
@pytest.mark.parametrize(
    ("typed", "code", "named"),
    [
        ("", "KANA_MISSING", "口座名義"),
        ("髙橋 健一", "KANA_NOT_FOR_BANKS", "髙"),
        ("ワタナベ 邉", "KANA_NOT_FOR_BANKS", "邉"),
        ("ヤマダ＆タロウ", "KANA_NOT_FOR_BANKS", "&"),
        ("ガ" * 16, "KANA_TOO_LONG", "32"),
    ],
)
def test_what_a_bank_cannot_read_is_refused_with_its_field(
    typed: str, code: str, named: str
) -> None:
    fault = zengin_fault(typed, 30, "holder", "口座名義")
    assert fault is not None
    assert (fault.field, fault.code) == ("holder", code)
    assert named in fault.message


@pytest.mark.rule("R104")
def test_an_account_has_the_digits_of_the_banks() -> None:
    kept = bank_account("０００１", "002", "1", "34567", "ヤマダ タロウ")
    assert kept == BankAccount("0001", "002", AccountType.ORDINARY, "0034567", "ﾔﾏﾀﾞ ﾀﾛｳ")
    assert kept.masked == "銀行 0001 支店 002 普通 ****567"
    with pytest.raises(FormErrors) as refusal:
        bank_account("1", "2x", "3", "12345678", "")
    fields = [error.field for error in refusal.value.fields]
    assert fields == ["bank_code", "branch_code", "account_type", "number", "holder"]
    with pytest.raises(FormErrors) as refusal:
        payer("x", "髙", "0001", "ミズホ", "001", "ホンテン", "1", "1")
    assert [error.field for error in refusal.value.fields] == ["client_code", "client"]


PAYER = Payer(
    "0000012345", "ｶ)ﾏﾄﾞｸﾞﾁ", "0001", "ﾐｽﾞﾎ", "005", "ﾏﾙﾉｳﾁ", AccountType.CURRENT, "7654321",
)  # fmt: skip
TARO = BankAccount("0009", "123", AccountType.ORDINARY, "0034567", "ﾔﾏﾀﾞ ﾀﾛｳ")
HANA = BankAccount("0033", "001", AccountType.SAVINGS, "1111111", "ｽｽﾞｷ ﾊﾅｺ")


@pytest.mark.rule("R105")
def test_a_file_has_the_banks_records() -> None:
    payments = [Payment(TARO, 12_340, "E101"), Payment(HANA, 9_999_999_999, "E201")]
    content = transfer_file(PAYER, date(2026, 7, 31), payments)
    header, taro, hana, trailer, end, rest = content.split(b"\r\n")
    assert rest == b""
    assert {len(one) for one in (header, taro, hana, trailer, end)} == {120}
    known = "12100000012345ｶ)ﾏﾄﾞｸﾞﾁ".ljust(54) + "07310001ﾐｽﾞﾎ".ljust(23)
    known += "005ﾏﾙﾉｳﾁ".ljust(18) + "27654321" + " " * 17
    assert header.decode("shift_jis") == known
    assert taro.decode("shift_jis") == (
        "20009" + " " * 15 + "123" + " " * 15 + "000010034567" + "ﾔﾏﾀﾞ ﾀﾛｳ".ljust(30)
        + "00000123400E101".ljust(31) + "7" + " " * 8
    )  # fmt: skip
    assert hana[80:90] == b"9999999999"
    assert trailer == b"8000002010000012339" + b" " * 101
    assert end == b"9" + b" " * 119


@pytest.mark.rule("R105")
@pytest.mark.parametrize(
    ("pay_on", "code"),
    [
        (date(2026, 7, 10), None),
        (date(2026, 7, 13), None),
        (None, "PAY_DAY_MISSING"),
        (date(2026, 7, 9), "PAY_DAY_OUT_OF_RANGE"),
        (date(2026, 9, 9), "PAY_DAY_OUT_OF_RANGE"),
        (date(2026, 7, 11), "PAY_DAY_NO_BUSINESS_DAY"),
        (date(2026, 7, 20), "PAY_DAY_NO_BUSINESS_DAY"),  # 海の日
    ],
)
def test_the_pay_day_is_a_day_of_business_within_two_months(
    pay_on: date | None, code: str | None
) -> None:
    today = date(2026, 7, 10)
    if code is None:
        assert check_pay_day(pay_on, today=today) == pay_on
        return
    with pytest.raises(FormErrors) as refusal:
        check_pay_day(pay_on, today=today)
    assert [error.code for error in refusal.value.fields] == [code]


def test_each_type_of_account_has_its_name() -> None:
    assert [kind.label_ja for kind in AccountType] == ["普通", "当座", "貯蓄"]
