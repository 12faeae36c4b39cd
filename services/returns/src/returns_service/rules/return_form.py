"""Return form (起票画面): checks of what was entered (D83-D92, D114, A-29, A-35).

A form holds what a person typed; a report holds what is kept. All errors are reported at once.
"""

import dataclasses
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from returns_service.rules.phone_number import phone_number
from shared.errors import FieldError, FormErrors
from shared.mail_address import LONGEST, NotAMailAddress, mail_address
from shared.roles import Role
from shared.text_safety import is_safe_text


class ResultKind(StrEnum):
    """車両返却結果."""

    RETURNED = "RETURNED"
    UNRETURNED = "UNRETURNED"

    @property
    def label_ja(self) -> str:
        """The name on the screen."""
        return {"RETURNED": "返却済み", "UNRETURNED": "未返却確定"}[self]


# 未返却理由 of the pulldown; a setting may hold another list (D92).
DEFAULT_REASONS: Mapping[str, str] = {
    "CHANGED_TO_CASH": "現金決済へ変更",
    "CHANGED_TO_EARLY_PAYOFF": "早期完済へ変更",
    "CHANGED_TO_RESPLIT": "再分割へ変更",
    "TOTAL_LOSS_OR_THEFT": "全損・盗難",
    "CUSTOMER_UNREACHABLE": "契約者と連絡不通",
    "OTHER": "その他",
}


@dataclass(frozen=True)
class ResultForm:
    """③車両返却情報 as typed; `received_on` is an ISO date. 返却済み is preset (D89)."""

    kind: str = ResultKind.RETURNED.value
    received_on: str | None = None
    unreturned_reason: str | None = None


@dataclass(frozen=True)
class ReturnForm:
    """①貴社情報 and ③ as typed: telephone of the store, mobile, e-mail (連絡先1-3).

    `completion_mail` is the box for the mail at 完了, ticked by default (D87). There is no ②: the
    contract is shown, never sent by the client (D88).
    """

    contact_1: str | None = None
    contact_2: str | None = None
    contact_3: str | None = None
    completion_mail: bool = True
    result: ResultForm = field(default_factory=ResultForm)


@dataclass(frozen=True)
class ReturnResult:
    """③ as kept: a date with RETURNED, a reason code with UNRETURNED, never both (D92)."""

    kind: ResultKind
    received_on: date | None = None
    unreturned_reason: str | None = None


@dataclass(frozen=True)
class ReturnReport:
    """What one application keeps of the form."""

    contact_1: str | None
    contact_2: str | None
    contact_3: str | None
    completion_mail: bool
    result: ReturnResult


@dataclass(frozen=True)
class Fault:
    """What is wrong with one field: a stable code and the sentence beside the field."""

    code: str
    message: str


_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PHONE_FAULT = Fault(
    "PHONE_INVALID", "電話番号は市外局番から入力してください（10桁、携帯電話などは11桁）"
)
_MAIL_FAULT = Fault("MAIL_INVALID", "メールアドレスの形式が正しくありません")
_MAIL_LONG = Fault("MAIL_TOO_LONG", f"メールアドレスは{LONGEST}文字以内で入力してください")
_MAIL_MISSING = Fault("MAIL_REQUIRED", "本部担当者は連絡先3（メールアドレス）の入力が必須です")
_UNPRINTABLE = Fault("TEXT_UNPRINTABLE", "使用できない文字（制御文字）が含まれています")
_KIND_FAULT = Fault("RESULT_KIND_UNKNOWN", "車両返却結果を選択してください")
_DATE_MISSING = Fault("RECEIVED_ON_REQUIRED", "車両返却受領日を入力してください")
_DATE_INVALID = Fault("RECEIVED_ON_INVALID", "車両返却受領日の日付が正しくありません")
_DATE_FUTURE = Fault("RECEIVED_ON_IN_FUTURE", "車両返却受領日は本日までの日付を入力してください")
_DATE_EXCESS = Fault("RECEIVED_ON_NOT_EXPECTED", "未返却確定の場合、車両返却受領日は入力できません")
_REASON_MISSING = Fault("UNRETURNED_REASON_REQUIRED", "未返却理由を選択してください")
_REASON_UNKNOWN = Fault("UNRETURNED_REASON_UNKNOWN", "未返却理由を一覧から選択してください")
_REASON_EXCESS = Fault(
    "UNRETURNED_REASON_NOT_EXPECTED", "返却済みの場合、未返却理由は入力できません"
)


def opening_form(
    *, store_phone: str | None, mobile_phone: str | None, mail: str | None
) -> ReturnForm:
    """The form as it opens, prefilled from the masters and the login (D83, D89).

    `mail` is the person's own address: every mail about the application hangs on it (D146-D148).
    """
    return ReturnForm(contact_1=store_phone, contact_2=mobile_phone, contact_3=mail)


def check_form(
    form: ReturnForm,
    *,
    originator: Role,
    today: date,
    reasons: Mapping[str, str] = DEFAULT_REASONS,
) -> ReturnReport:
    """The report of a valid form; raises FormErrors with every faulty field.

    `today` is the JST day; an HQ originator must leave a mail address (D86).
    """
    faults: dict[str, Fault] = {}
    contact_1 = _line(faults, "contact_1", form.contact_1, _phone)
    contact_2 = _line(faults, "contact_2", form.contact_2, _phone)
    contact_3 = _line(faults, "contact_3", form.contact_3, _mail)
    if originator is Role.HQ and not contact_3:
        faults.setdefault("contact_3", _MAIL_MISSING)
    result = _check_result(faults, form.result, today=today, reasons=reasons)
    if faults or result is None:
        raise _form_errors(faults)
    return ReturnReport(contact_1, contact_2, contact_3, form.completion_mail, result)


def check_overwrite(
    report: ReturnReport,
    result: ResultForm,
    *,
    today: date,
    reasons: Mapping[str, str] = DEFAULT_REASONS,
) -> ReturnReport:
    """`report` with ③ overwritten by an approver (D114); raises FormErrors as check_form does.

    An approver overwrites ③ only: contacts and the box stay the originator's.
    """
    faults: dict[str, Fault] = {}
    overwritten = _check_result(faults, result, today=today, reasons=reasons)
    if overwritten is None:
        raise _form_errors(faults)
    return dataclasses.replace(report, result=overwritten)


def check_approver_mail(mail: str | None) -> str | None:
    """The 連絡先3 of the approval dialog of a store approver, or None for blank (D112, A-29).

    Raises FormErrors on the field `contact_3`.
    """
    faults: dict[str, Fault] = {}
    kept = _line(faults, "contact_3", mail, _mail)
    if faults:
        raise _form_errors(faults)
    return kept


@dataclass(frozen=True)
class Change:
    """One field that a correction or an overwriting changed."""

    field: str
    before: str | bool | date | None
    after: str | bool | date | None


def changes(before: ReturnReport, after: ReturnReport) -> tuple[Change, ...]:
    """What differs between two reports, in the order of the form; empty for a resend (A-35)."""
    pairs = zip(_flat(before).items(), _flat(after).values(), strict=True)
    return tuple(Change(name, old, new) for (name, old), new in pairs if old != new)


def _flat(report: ReturnReport) -> dict[str, str | bool | date | None]:
    return {
        "contact_1": report.contact_1,
        "contact_2": report.contact_2,
        "contact_3": report.contact_3,
        "completion_mail": report.completion_mail,
        "kind": report.result.kind.value,
        "received_on": report.result.received_on,
        "unreturned_reason": report.result.unreturned_reason,
    }


def _form_errors(faults: Mapping[str, Fault]) -> FormErrors:
    return FormErrors(*(FieldError(name, f.code, f.message) for name, f in faults.items()))


def _line(
    faults: dict[str, Fault],
    name: str,
    entered: str | None,
    read: Callable[[str], str | Fault],
) -> str | None:
    """One line, full-width typing folded (NFKC); None where blank, its fault put into `faults`."""
    if not is_safe_text(entered or ""):
        faults[name] = _UNPRINTABLE
        return None
    typed = unicodedata.normalize("NFKC", entered or "").strip()
    kept = read(typed) if typed else None
    if isinstance(kept, Fault):
        faults[name] = kept
        return None
    return kept


def _phone(entered: str) -> str | Fault:
    return phone_number(entered) or _PHONE_FAULT


def _mail(entered: str) -> str | Fault:
    if len(entered) > LONGEST:
        return _MAIL_LONG
    try:
        return mail_address(entered)
    except NotAMailAddress:
        return _MAIL_FAULT


def _check_result(
    faults: dict[str, Fault], form: ResultForm, *, today: date, reasons: Mapping[str, str]
) -> ReturnResult | None:
    """③, or None with its faults put into `faults` (D89-D92)."""
    if form.kind == ResultKind.RETURNED:
        day = _day(form.received_on, today)
        if isinstance(day, Fault):
            faults["received_on"] = day
        if form.unreturned_reason:
            faults["unreturned_reason"] = _REASON_EXCESS
        elif isinstance(day, date):
            return ReturnResult(ResultKind.RETURNED, received_on=day)
    elif form.kind == ResultKind.UNRETURNED:
        reason = form.unreturned_reason
        if not reason:
            faults["unreturned_reason"] = _REASON_MISSING
        elif reason not in reasons:
            faults["unreturned_reason"] = _REASON_UNKNOWN
        if form.received_on:
            faults["received_on"] = _DATE_EXCESS
        elif reason in reasons:
            return ReturnResult(ResultKind.UNRETURNED, unreturned_reason=reason)
    else:
        faults["kind"] = _KIND_FAULT
    return None


def _day(entered: str | None, today: date) -> date | Fault:
    """The day of receipt, or what is wrong with it (D90)."""
    if not entered:
        return _DATE_MISSING
    try:
        day = date.fromisoformat(entered) if _ISO_DATE.fullmatch(entered) else None
    except ValueError:
        day = None
    if day is None:
        return _DATE_INVALID
    return day if day <= today else _DATE_FUTURE
