"""Company settings on システム設定 and 権限マスタ (R11, R19, R23, R27, R30)."""

from collections.abc import Sequence
from typing import ClassVar

from commuter_service.rules.pass_ending import days_fault
from commuter_service.rules.pass_retention import RetentionNotOffered, retention
from shared.errors import FieldError, FormErrors, Kind, Refusal
from shared.mail_address import is_mail_address

MOST_APPROVERS = 2


class RightMissing(Refusal):
    """The page needs a right that nobody ticked for this person."""

    code: ClassVar[str] = "RIGHT_MISSING"
    kind: ClassVar[Kind] = Kind.FORBIDDEN


def check_setting(
    retention_days: int,
    admin_mail: str | None,
    before: str | None,
    approvers: Sequence[str],
    *,
    ending_notice_days: int = 0,
) -> None:
    """Refuse a retention that is not offered, a removed or wrong address, and a wrong chain.

    The administrator's address may be changed and never taken away (R30).
    """
    wrong = [fault] if (fault := days_fault(ending_notice_days)) else []
    try:
        retention(retention_days)
    except RetentionNotOffered as fact:
        wrong.append(FieldError("retention_days", fact.code, fact.message))
    if before and not admin_mail:
        message = "管理者用E-MAILを申請通知メールの宛先から削除することはできません"
        wrong.append(FieldError("admin_mail", "ADMIN_MAIL_REQUIRED", message))
    elif admin_mail and not is_mail_address(admin_mail):
        message = "メールアドレスの形式が正しくありません"
        wrong.append(FieldError("admin_mail", "MAIL_UNREADABLE", message))
    if len(approvers) > MOST_APPROVERS or len(set(approvers)) < len(approvers):
        message = "承認者は異なる1名または2名を指定してください"
        wrong.append(FieldError("approvers", "APPROVERS_WRONG", message))
    if wrong:
        raise FormErrors(*wrong)
