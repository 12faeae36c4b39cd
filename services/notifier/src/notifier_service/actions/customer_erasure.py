"""Customer erasure: the texts and addresses of an application's mails are deleted.

The ledger keeps that a mail was due, its kind and its outcome.
"""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from notifier_service.models import Mail, MailLog
from notifier_service.rules.manual_resend import UNDERWAY
from shared.personal_data import erase_personal_data


class MailStillDue(RuntimeError):
    """A mail about the application has not been sent yet; the erasure is tried again later."""


async def erase_customer(tx: AsyncSession, application_id: str, contract_no: str) -> None:
    """Delete the texts and addresses of an application's mails. Raises MailStillDue."""
    of_application = Mail.subject_id == application_id
    mails = await tx.execute(
        select(Mail.mail_id, Mail.state).where(of_application).with_for_update()
    )
    states = {mail.mail_id: mail.state for mail in mails}
    if not UNDERWAY.isdisjoint(states.values()):
        raise MailStillDue(application_id)
    await tx.execute(
        update(Mail)
        .where(of_application)
        .values(address=None, subject=None, body=None, last_error=None, version=Mail.version + 1)
    )
    await tx.execute(update(MailLog).where(MailLog.mail_id.in_(states)).values(detail=None))
    await erase_personal_data(tx, contract_no, "return", [application_id], ())
