"""Mail delivery in the ledger: whether and to whom a mail goes, and what became of it.

Until `take_mail` a mail can safely be tried by another worker. After it the mail server may have
the text, so a mail whose worker is lost becomes `unknown` and is not sent a second time (D155).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts.mail import (
    MailEvent,
    MailFailed,
    MailOutcomeUnknown,
    MailSent,
    MailSuppressed,
)
from notifier_service.actions.schedule_mail import schedule_for_others
from notifier_service.models import MAILS, Mail
from notifier_service.rules.recipients import (
    Facts,
    MailKind,
    Recipient,
    ReturnSnapshot,
    Suppression,
    recipients_for,
    suppression,
)
from notifier_service.smtp import Draft, SmtpOutcome
from shared import outbox
from shared.delivery.ledger import Settlement

ROLE_ON_THE_WIRE = {"approver": "administrator"}
"""Published roles cannot grow: the approver of a slip counts as one who administers it."""
LOST_MESSAGE = "the sender did not come back"


class BatchChanged(Exception):
    """A line of a mail about several may not leave any more: roll back, and send them singly."""


class AddressInUse(Exception):
    """Another row of the same cause and kind has sent, or is sending, to the address."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long a mail is tried; delays double from `first_delay_s`.

    `lease_s` must be longer than a whole attempt, the request for addresses included.
    """

    lease_s: float = 90
    attempts: int = 400
    first_delay_s: float = 2
    longest_delay_s: float = 600
    resend_unknown: bool = False

    def retry_delay_s(self, attempts: int) -> float:
        """Seconds to wait after `attempts` failed attempts and this one."""
        return min(self.longest_delay_s, self.first_delay_s * 2.0 ** min(attempts, 30))


def recipient_of(mail: Mail, found: Sequence[Recipient]) -> Recipient:
    """The recipient that a row is for, as known now.

    A row keeps its address as long as its role still has it: a list that was reordered must not
    turn two rows to one person.
    """
    role = [one for one in found if one.role == mail.recipient_role]
    kept = [one for one in role if mail.address and one.address == mail.address]
    at_place = [one for one in role if one.place == mail.place]
    unknown = Recipient(found[0].role, mail.place, None, Suppression.NO_ADDRESS)
    return next(iter((*kept, *at_place)), unknown)


def address_now(mail: Mail, known: ReturnSnapshot) -> str | None:
    """Where a mail would go by what is known now; None if it is suppressed."""
    kind, facts = MailKind(mail.mail_kind), Facts(**mail.facts)
    if suppression(kind, facts, known) is not None:
        return None
    mine = recipient_of(mail, recipients_for(kind, facts, known))
    return None if mine.suppressed else mine.address


async def take_batch(
    tx: AsyncSession,
    batch: Sequence[tuple[Mail, ReturnSnapshot]],
    draft: Draft,
    *,
    now: datetime,
) -> str | None:
    """`take_mail` for lines that leave in one mail; all of them to one address, or none.

    Raises BatchChanged, AddressInUse: roll back.
    """
    taken = [await take_mail(tx, mail, known, draft, now=now) for mail, known in batch]
    if len(batch) > 1 and (None in taken or len(set(taken)) > 1):
        raise BatchChanged
    return taken[0]


async def take_mail(
    tx: AsyncSession, mail: Mail, known: ReturnSnapshot, draft: Draft, *, now: datetime
) -> str | None:
    """Decide by what is known now whether the mail is sent; the address, or None if it is not.

    From here on the mail counts as being sent. Raises AddressInUse: roll back, then call
    `suppress_duplicate`.
    """
    kind, facts = MailKind(mail.mail_kind), Facts(**mail.facts)
    found = recipients_for(kind, facts, known)
    mine = recipient_of(mail, found)
    of_all = suppression(kind, facts, known)
    if of_all is None and mine.suppressed is Suppression.PERSON_LEFT:
        await _schedule_others(tx, mail, found, now=now)
    reason = of_all or mine.suppressed
    if reason is not None or mine.address is None:
        await _suppress(tx, mail, reason or Suppression.NO_ADDRESS, now=now)
        return None
    await _schedule_others(tx, mail, found, now=now)
    try:
        begun = await MAILS.begin(
            tx,
            mail,
            address=mine.address,
            subject=draft.mail_text.subject,
            body=draft.mail_text.body,
            message_id=draft.message_id,
        )
    except IntegrityError as cause:  # mail_once_per_address
        raise AddressInUse from cause
    return mine.address if begun else None


async def suppress_duplicate(tx: AsyncSession, mail: Mail, *, now: datetime) -> None:
    """Suppress a mail whose address another row of the same cause has used since."""
    await _suppress(tx, mail, Suppression.DUPLICATE, now=now)


async def settle_mail(
    tx: AsyncSession, mail: Mail, outcome: SmtpOutcome, *, retry_policy: RetryPolicy, now: datetime
) -> str | None:
    """Record the result of an attempt; None if another worker has the mail.

    An attempt that was considered lost may still report: the truth replaces `unknown`.
    """
    settlement = settlement_of(outcome, mail.attempts, retry_policy)
    if not await MAILS.settle(tx, mail, settlement, now=now):
        return None
    if settlement.retry_after is None:
        await _publish(tx, mail, settlement.step, outcome, now=now)
    return settlement.step


def settlement_of(outcome: SmtpOutcome, attempts: int, retry_policy: RetryPolicy) -> Settlement:
    """The effect of an outcome after `attempts` attempts, this one included."""
    step, retry_after = {"permanent": "failed"}.get(outcome.result, outcome.result), None
    if outcome.result == "transient":
        again = attempts < retry_policy.attempts
        step = "put_off" if again else "failed"
        if again:
            retry_after = timedelta(seconds=retry_policy.retry_delay_s(attempts - 1))
    elif outcome.result == "unknown" and retry_policy.resend_unknown:
        retry_after = timedelta()
    reply = outcome.reply[:500].replace("\0", "�")
    error = None if step == "sent" else reply
    return Settlement(step, retry_after, values={"last_error": error}, log={"detail": reply})


async def mark_lost_unknown(tx: AsyncSession, *, retry_policy: RetryPolicy, now: datetime) -> int:
    """Mark mails whose worker died between `take` and `settle` as unknown; returns how many."""
    outcome = SmtpOutcome("unknown", LOST_MESSAGE)
    lost = await MAILS.lost(tx)
    for mail in lost:
        settlement = settlement_of(outcome, mail.attempts, retry_policy)
        await MAILS.settle(tx, mail, settlement, now=now, keep_claim=True)
        if settlement.retry_after is None:
            await _publish(tx, mail, "unknown", outcome, now=now)
    return len(lost)


async def _schedule_others(
    tx: AsyncSession, mail: Mail, found: Sequence[Recipient], *, now: datetime
) -> None:
    """The mails to the other recipients, once; also where the first of them has left (D158)."""
    if _is_primary(mail, found) and not mail.copies:
        await schedule_for_others(tx, mail, found[1:], now=now)


def _is_primary(mail: Mail, found: Sequence[Recipient]) -> bool:
    return (mail.recipient_role, mail.place) == (found[0].role, found[0].place)


async def _suppress(tx: AsyncSession, mail: Mail, reason: Suppression, *, now: datetime) -> None:
    """Do not send a mail, and record why. Nothing was attempted, so nothing is counted."""
    values = {"reason": reason.value, "attempts": mail.attempts - 1}
    settlement = Settlement("suppressed", values=values, log={"detail": reason.value})
    if await MAILS.settle(tx, mail, settlement, now=now):
        left = reason is Suppression.PERSON_LEFT
        published = Suppression.NO_ADDRESS if left else reason
        event = MailSuppressed(**_named(mail), reason=published.value, person_left=left)
        await outbox.add(tx, event, now=now)


async def _publish(
    tx: AsyncSession, mail: Mail, step: str, outcome: SmtpOutcome, *, now: datetime
) -> None:
    named = _named(mail)
    if step == "sent":
        event: MailEvent = MailSent(**named, message_id=outcome.message_id, sent_at=now)
    else:
        kind = MailFailed if step == "failed" else MailOutcomeUnknown
        event = kind(**named, attempts=mail.attempts)
    await outbox.add(tx, event, now=now)


def _named(mail: Mail) -> dict[str, str]:
    return {
        "dealer_id": mail.dealer_id,
        "mail_id": str(mail.mail_id),
        "mail_kind": mail.mail_kind,
        "subject_id": mail.subject_id,
        "recipient_role": ROLE_ON_THE_WIRE.get(mail.recipient_role, mail.recipient_role),
    }
