"""What does the ledger say while a mail is sent? Each step is one short transaction.

    scheduled ─claim→ scheduled ─take→ sending ─settle→ sent | scheduled again | failed | unknown
                                  └→ suppressed        └(process died)→ unknown

Nothing remote happens inside a transaction. A claim is a loan: who does not come back in time
loses it. Before `take` a mail can safely be tried by another; after it nobody knows, and the
mail becomes `unknown` rather than being sent a second time (D155).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts.mail import (
    MailEvent,
    MailFailed,
    MailOutcomeUnknown,
    MailSent,
    MailSuppressed,
)
from notifier_service.actions.schedule_mail import log_step, schedule_for_others
from notifier_service.models import Mail
from notifier_service.rules.recipients import (
    Facts,
    MailKind,
    Recipient,
    ReturnSnapshot,
    Suppression,
    recipients_for,
    suppression,
)
from notifier_service.smtp import Draft, Outcome
from shared import outbox
from shared.context import new_id

CLAIM = text("""
    UPDATE mail SET claim = :claim, due_at = clock_timestamp() + make_interval(secs => :loan)
    WHERE mail_id = (
        SELECT mail_id FROM mail WHERE state = 'scheduled' AND due_at <= clock_timestamp()
        ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING *
""")
NEXT_DUE = text("""
    SELECT extract(epoch FROM min(due_at) - clock_timestamp())::float8
    FROM mail WHERE state = 'scheduled'
""")
LOST = text("""
    SELECT * FROM mail WHERE state = 'sending' AND due_at <= clock_timestamp()
    ORDER BY due_at LIMIT 100 FOR UPDATE SKIP LOCKED
""")

LOST_MESSAGE = "the sender did not come back"


class AddressWrittenTo(Exception):
    """Another row of the same cause and kind has written, or is just writing, to the address."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long a mail is tried; pauses (seconds) double from `pause_s`.

    `loan_s` must be longer than a whole attempt, the asking for addresses included.
    """

    lease_s: float = 90
    attempts: int = 400
    first_delay_s: float = 2
    longest_delay_s: float = 600
    resend_unknown: bool = False

    def retry_delay_s(self, attempts: int) -> float:
        """Seconds to wait after so many attempts."""
        return min(self.longest_delay_s, self.first_delay_s * 2.0 ** min(attempts, 30))


async def claim_mail(tx: AsyncSession, retry_policy: RetryPolicy) -> Mail | None:
    """Borrow the mail that waits longest; None where none is due."""
    values = {"claim": new_id(), "loan": retry_policy.lease_s}
    claimed = select(Mail).from_statement(CLAIM)
    return (await tx.execute(claimed, values)).scalar_one_or_none()


async def next_due(tx: AsyncSession) -> float | None:
    """In how many seconds something is to be tried, at most 0 if it is due; None without any."""
    due_s: float | None = (await tx.execute(NEXT_DUE)).scalar_one()
    return due_s


def recipient_of(mail: Mail, found: Sequence[Recipient]) -> Recipient:
    """The recipient that a row stands for, as known now.

    A row keeps the address it had before as long as its role still has it: a list that was put in
    another order must not turn two rows to one person.
    """
    role = [one for one in found if one.role == mail.recipient_role]
    kept = [one for one in role if mail.address and one.address == mail.address]
    at_place = [one for one in role if one.place == mail.place]
    nobody = Recipient(found[0].role, mail.place, None, Suppression.NO_ADDRESS)
    return next(iter((*kept, *at_place)), nobody)


async def take_mail(
    tx: AsyncSession, mail: Mail, known: ReturnSnapshot, draft: Draft, *, now: datetime
) -> str | None:
    """Decide by what is known now whether the mail is sent; the address, or None if it is not.

    From here on the mail counts as on its way. Raises AddressWrittenTo: roll back, then call
    `suppress_duplicate`.
    """
    kind, facts = MailKind(mail.mail_kind), Facts(**mail.facts)
    found = recipients_for(kind, facts, known)
    mine = recipient_of(mail, found)
    reason = suppression(kind, facts, known) or mine.suppressed
    if reason is not None or mine.address is None:
        await _suppress(tx, mail, reason or Suppression.NO_ADDRESS, now=now)
        return None
    if _is_primary(mail, found) and not mail.copies:
        await schedule_for_others(tx, mail, found[1:], now=now)
    try:
        taken = await _set(
            tx,
            mail,
            ("scheduled",),
            state="sending",
            address=mine.address,
            subject=draft.mail_text.subject,
            body=draft.mail_text.body,
            message_id=draft.message_id,
        )
    except IntegrityError as cause:  # mail_once_per_address
        raise AddressWrittenTo from cause
    return mine.address if taken else None


async def suppress_duplicate(tx: AsyncSession, mail: Mail, *, now: datetime) -> None:
    """Another row of the same cause has written to the address in the meantime."""
    await _suppress(tx, mail, Suppression.DUPLICATE, now=now)


async def settle_mail(
    tx: AsyncSession, mail: Mail, outcome: Outcome, *, retry_policy: RetryPolicy, now: datetime
) -> None:
    """Write down what became of an attempt, unless somebody else has the mail by now.

    An attempt that was thought lost may still report: the truth replaces `unknown`.
    """
    step = _step_after(outcome, mail.attempts + 1, retry_policy)
    again = step == "put_off" or (step == "unknown" and retry_policy.resend_unknown)
    pause = timedelta(seconds=retry_policy.retry_delay_s(mail.attempts) if step == "put_off" else 0)
    mine = await _set(
        tx,
        mail,
        ("scheduled", "sending", "unknown"),
        state="scheduled" if again else step,
        attempts=mail.attempts + 1,
        last_error=None if step == "sent" else _safe(outcome.reply),
        claim=None,
        due_at=func.clock_timestamp() + pause,
        settled_at=None if again else now,
    )
    if mine:
        await log_step(tx, mail, step, now=now, detail=_safe(outcome.reply))
    if mine and not again:
        await _publish(tx, mail, step, outcome, now=now)


def _step_after(outcome: Outcome, attempts: int, retry_policy: RetryPolicy) -> str:
    if outcome.result == "transient":
        return "put_off" if attempts < retry_policy.attempts else "failed"
    return "failed" if outcome.result == "permanent" else outcome.result


async def mark_lost_unknown(tx: AsyncSession, *, retry_policy: RetryPolicy, now: datetime) -> int:
    """Mails whose sender died between `take` and `settle` become unknown; returns how many.

    The claim stays, so that a sender who was only slow can still say what became of it.
    """
    lost = (await tx.execute(select(Mail).from_statement(LOST))).scalars().all()
    again = retry_policy.resend_unknown
    for mail in lost:
        await _set(
            tx,
            mail,
            ("sending",),
            state="scheduled" if again else "unknown",
            last_error=LOST_MESSAGE,
            settled_at=None if again else now,
        )
        await log_step(tx, mail, "unknown", now=now, detail=LOST_MESSAGE)
        if not again:
            await _publish(tx, mail, "unknown", Outcome("unknown", LOST_MESSAGE), now=now)
    return len(lost)


def _is_primary(mail: Mail, found: Sequence[Recipient]) -> bool:
    return (mail.recipient_role, mail.place) == (found[0].role, found[0].place)


async def _set(tx: AsyncSession, mail: Mail, states: Sequence[str], **values: object) -> bool:
    """Change a row as long as it is still in our hands; the lock holds until the commit."""
    changed = await tx.execute(
        update(Mail)
        .where(Mail.mail_id == mail.mail_id, Mail.claim == mail.claim, Mail.state.in_(states))
        .values(**values, version=Mail.version + 1)
        .returning(Mail.version)
        .execution_options(synchronize_session=False)
    )
    return changed.first() is not None


async def _suppress(tx: AsyncSession, mail: Mail, reason: Suppression, *, now: datetime) -> None:
    """Keep a mail back, with the reason."""
    kept = {"state": "suppressed", "reason": reason.value, "claim": None, "settled_at": now}
    if await _set(tx, mail, ("scheduled",), **kept):
        await log_step(tx, mail, "suppressed", now=now, detail=reason.value)
        await outbox.add(tx, MailSuppressed(**_named(mail), reason=reason.value), now=now)


async def _publish(
    tx: AsyncSession, mail: Mail, step: str, outcome: Outcome, *, now: datetime
) -> None:
    named = _named(mail)
    if step == "sent":
        event: MailEvent = MailSent(**named, message_id=outcome.message_id, sent_at=now)
    else:
        kind = MailFailed if step == "failed" else MailOutcomeUnknown
        event = kind(**named, attempts=mail.attempts + 1)
    await outbox.add(tx, event, now=now)


def _named(mail: Mail) -> dict[str, Any]:
    return {
        "dealer_id": mail.dealer_id,
        "mail_id": str(mail.mail_id),
        "mail_kind": mail.mail_kind,
        "subject_id": mail.subject_id,
        "recipient_role": mail.recipient_role,
    }


def _safe(reply: str) -> str:
    return reply[:500].replace("\0", "�")
