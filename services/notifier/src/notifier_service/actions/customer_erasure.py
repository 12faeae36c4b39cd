"""Customer erasure: the texts and addresses of an application's mails are deleted.

The ledger keeps that a mail was due, its kind and its outcome.
"""

import re
from collections.abc import Collection

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts.event import ERASED
from notifier_service.models import Mail, MailLog
from notifier_service.rules.manual_resend import UNDERWAY
from shared.personal_data import erase_personal_data

REPLACE = """
    UPDATE {table} SET {column} = regexp_replace({column}, :pattern, :erased, 'g')
    WHERE dealer_id = :dealer AND {column} ~ :pattern
"""
TEXTS = (("mail", "subject"), ("mail", "body"), ("mail_log", "detail"))
"""Mails about slips quote what employees wrote, and may name a customer."""


async def erase_words(
    tx: AsyncSession, dealer_id: str, contract_no: str, words: Collection[str]
) -> None:
    """Replace a customer's words in a dealer's mails, and empty refused messages with them."""
    if words:
        pattern = "|".join(re.escape(word) for word in words)
        found = {"dealer": dealer_id, "pattern": pattern, "erased": ERASED}
        for table, column in TEXTS:
            await tx.execute(text(REPLACE.format(table=table, column=column)), found)
    await erase_personal_data(tx, contract_no, "mail", (), words)


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
