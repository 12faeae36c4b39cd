"""Mail addresses of headquarters in 承認フロー設定（本部用）: D153, A-30; none is allowed."""

from collections.abc import Iterable

from returns_service.rules.return_form import check_approver_mail
from shared.errors import FieldError, FormErrors

MOST_MAILS = 20


def check_approver_mails(entered: Iterable[str]) -> tuple[str, ...]:
    """The addresses as kept: blanks and repetitions left out, in the order typed.

    Raises FormErrors on `hq_mails`.
    """
    kept: dict[str, str] = {}
    for mail in entered:
        try:
            address = check_approver_mail(mail)
        except FormErrors as wrong:
            fault = wrong.fields[0]
            raise FormErrors(FieldError("hq_mails", fault.code, fault.message)) from None
        if address:
            kept.setdefault(address.casefold(), address)
    if len(kept) > MOST_MAILS:
        message = f"メールアドレスは{MOST_MAILS}件まで登録できます"
        raise FormErrors(FieldError("hq_mails", "TOO_MANY_MAILS", message))
    return tuple(kept.values())
