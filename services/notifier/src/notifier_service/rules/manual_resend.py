"""Manual resend: whether a person may have a mail sent again. D155.

By itself the system sends no mail twice, unless an operator sets `resend_unknown`. A person may:
where it is unknown or failed, where the recipient had no address and now has one, and where a sent
mail is said to have been lost.
"""

from shared.errors import Kind, Refusal

UNDERWAY = frozenset({"scheduled", "sending"})


class MailUnderway(Refusal):
    """The mail waits or is being sent; there is nothing to repeat yet."""

    code = "MAIL_UNDERWAY"
    kind = Kind.CONFLICT
    message = "送信待ちまたは送信中のため、再送できません。"


class MailNotDue(Refusal):
    """The mail was suppressed because it has no recipient."""

    code = "MAIL_NOT_DUE"
    kind = Kind.CONFLICT
    message = "送信対象外のメールのため、再送できません。"


def refused_resend(state: str, reason: str | None) -> Refusal | None:
    """Why a mail in this state cannot be sent again; None if it can."""
    if state in UNDERWAY:
        return MailUnderway()
    if state == "suppressed" and reason != "no_address":
        return MailNotDue()
    return None
