"""Mail addresses of headquarters in 承認フロー設定（本部用）: D153, A-30; none is allowed."""

from collections.abc import Iterable

from returns_service.rules.return_form import check_approver_mail
from shared.errors import FieldError, FormErrors

MOST_MAILS = 20
SHOWN = 60
"""How much of a wrong line is repeated in its message."""


def check_approver_mails(entered: Iterable[str]) -> tuple[str, ...]:
    """The addresses as kept: blanks and repetitions left out, in the order typed.

    `entered` are the lines of the field. Raises FormErrors on `hq_mails`, one for each wrong line.
    """
    kept: dict[str, str] = {}
    wrong: list[FieldError] = []
    for line, mail in enumerate(entered, start=1):
        try:
            address = check_approver_mail(mail)
        except FormErrors as refused:
            fault = refused.fields[0]
            message = f"{line}行目「{mail[:SHOWN]}」：{fault.message}"
            wrong.append(FieldError("hq_mails", fault.code, message))
            continue
        if address:
            kept.setdefault(address.casefold(), address)
    if len(kept) > MOST_MAILS:
        message = f"メールアドレスは{MOST_MAILS}件まで登録できます"
        wrong.append(FieldError("hq_mails", "TOO_MANY_MAILS", message))
    if wrong:
        raise FormErrors(*wrong)
    return tuple(kept.values())
