"""How does a person have a mail sent again? The row is scheduled anew, and the log says by whom."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from notifier_service.actions.schedule_mail import log_step
from notifier_service.models import Mail
from notifier_service.rules.resend import refused_resend
from shared.concurrency import check_version
from shared.http import NotFound

CHANGED = "メールの状態が変わりました。画面を更新してください。"


async def resend_mail(
    tx: AsyncSession, mail_id: UUID, *, expected_version: int, now: datetime
) -> Mail:
    """Send a mail again. A further copy of a sent one gets a Message-ID of its own.

    Raises NotFound, VersionConflict, MailUnderway, MailNotDue.
    """
    found = await tx.execute(select(Mail).where(Mail.mail_id == mail_id).with_for_update())
    mail = found.scalar_one_or_none()
    if mail is None:
        raise NotFound
    check_version(mail.version, expected_version, CHANGED, state=mail.state)
    if refusal := refused_resend(mail.state, mail.reason):
        raise refusal
    await log_step(tx, mail, "resend", now=now, detail=f"was {mail.state}")
    await tx.execute(
        update(Mail)
        .where(Mail.mail_id == mail_id)
        .values(
            state="scheduled",
            reason=None,
            copies=Mail.copies + int(mail.state == "sent"),
            attempts=0,
            claim=None,
            due_at=func.clock_timestamp(),
            settled_at=None,
            version=Mail.version + 1,
        )
    )
    await tx.execute(text("SELECT pg_notify('mail', '')"))
    await tx.refresh(mail)
    return mail
