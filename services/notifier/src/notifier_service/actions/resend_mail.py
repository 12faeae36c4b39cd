"""Mail resend by a person: the row is scheduled again, and the log names the person."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from notifier_service.models import MAILS, Mail
from notifier_service.rules.manual_resend import refused_resend

CHANGED = "メールの状態が変わりました。画面を更新してください。"


async def resend_mail(
    tx: AsyncSession, mail_id: UUID, *, expected_version: int, now: datetime
) -> Mail:
    """Send a mail again. A further copy of a sent one gets a Message-ID of its own.

    Raises NotFound, VersionConflict, MailUnderway, MailNotDue.
    """
    mail = await MAILS.locked(tx, mail_id, expected_version=expected_version, changed=CHANGED)
    if refusal := refused_resend(mail.state, mail.reason):
        raise refusal
    await MAILS.resend(
        tx,
        mail,
        now=now,
        log={"detail": f"was {mail.state}"},
        reason=None,
        copies=mail.copies + (mail.state == "sent"),
    )
    return mail
