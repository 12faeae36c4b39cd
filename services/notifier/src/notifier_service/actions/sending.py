"""What does the ledger say while a mail is sent? Each step is one short transaction.

    scheduled ─claim→ scheduled ─take→ sending ─settle→ sent | scheduled again | failed | unknown
                                  └→ suppressed        └(process died)→ unknown

Nothing remote happens inside a transaction. A claim is a loan: who does not come back in time
loses it. Before `take` a mail can safely be tried by another; after it nobody knows, and the
mail becomes `unknown` rather than being sent a second time (D155).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts.mail import MailFailed, MailSent
from notifier_service.actions.planning import note, plan_for_others, suppress
from notifier_service.letters import Letter
from notifier_service.models import Mail
from notifier_service.smtp import Outcome
from notifier_service.which_mail import (
    Addressee,
    Facts,
    Known,
    MailKind,
    Suppression,
    addressees,
    kept_back,
)
from shared import outbox
from shared.context import new_id

CLAIM = text("""
    UPDATE mail SET claim = :claim, due_at = clock_timestamp() + make_interval(secs => :loan)
    WHERE mail_id = (
        SELECT mail_id FROM mail WHERE state = 'scheduled' AND due_at <= clock_timestamp()
        ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING mail_id
""")
LOST = text("""
    SELECT mail_id FROM mail WHERE state = 'sending' AND due_at <= clock_timestamp()
    ORDER BY due_at LIMIT 100 FOR UPDATE SKIP LOCKED
""")


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long a mail is tried; pauses (seconds) double from `pause_s`.

    `loan_s` must be longer than a whole attempt, the asking for addresses included.
    """

    loan_s: float = 90
    attempts: int = 400
    pause_s: float = 2
    longest_pause_s: float = 600
    resend_unknown: bool = False

    def pause(self, attempts: int) -> float:
        """Seconds to wait after so many attempts."""
        return min(self.longest_pause_s, self.pause_s * 2.0 ** min(attempts, 30))


async def claim_mail(tx: AsyncSession, patience: Patience) -> Mail | None:
    """Borrow the mail that waits longest; None where none is due."""
    values = {"claim": new_id(), "loan": patience.loan_s}
    mail_id = (await tx.execute(CLAIM, values)).scalar()
    return await tx.get(Mail, mail_id) if mail_id else None


def addressee_of(mail: Mail, found: Sequence[Addressee]) -> Addressee:
    """The recipient that a row stands for, as known now.

    A row keeps the address it had before as long as its role still has it: a list that was put in
    another order must not turn two rows to one person.
    """
    role = [one for one in found if one.role == mail.recipient_role]
    kept = [one for one in role if mail.address and one.address == mail.address]
    at_place = [one for one in role if one.place == mail.place]
    nobody = Addressee(found[0].role, mail.place, None, Suppression.NO_ADDRESS)
    return next(iter((*kept, *at_place)), nobody)


async def take_mail(
    tx: AsyncSession,
    mail: Mail,
    known: Known,
    letter: Letter,
    *,
    message_id: str,
    patience: Patience,
    now: datetime,
) -> str | None:
    """Decide by what is known now whether the mail is sent; the address, or None if it is not.

    From here on the mail counts as on its way.
    """
    if not await _still_mine(tx, mail, "scheduled"):
        return None
    kind, facts = MailKind(mail.mail_kind), Facts(**mail.facts)
    found = addressees(kind, facts, known)
    mine = addressee_of(mail, found)
    reason = kept_back(kind, facts, known) or mine.suppressed
    if reason is None and _is_lead(mail, found) and not mail.resends:
        await plan_for_others(tx, mail, found[1:], now=now)
    if reason is not None or mine.address is None:
        await suppress(tx, mail, reason or Suppression.NO_ADDRESS, now=now)
        return None
    values = {
        "state": "sending",
        "address": mine.address,
        "subject": letter.subject,
        "body": letter.body,
        "message_id": message_id,
        "due_at": func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, patience.loan_s),
        "version": Mail.version + 1,
    }
    try:
        async with tx.begin_nested():
            await tx.execute(update(Mail).where(Mail.mail_id == mail.mail_id).values(values))
    except IntegrityError:  # mail_once_per_address: another row wrote to this address
        await suppress(tx, mail, Suppression.DUPLICATE, now=now)
        return None
    return mine.address


async def settle_mail(
    tx: AsyncSession, mail: Mail, outcome: Outcome, *, patience: Patience, now: datetime
) -> None:
    """Write down what became of an attempt, unless somebody else has the mail by now.

    An attempt that was thought lost may still report: the truth replaces `unknown`.
    """
    if not await _still_mine(tx, mail, "scheduled", "sending", "unknown"):
        return
    attempts = mail.attempts + 1
    if outcome.result == "transient" and attempts < patience.attempts:
        await _set(
            tx,
            mail,
            state="scheduled",
            attempts=attempts,
            last_error=_safe(outcome.reply),
            claim=None,
            due_at=func.clock_timestamp()
            + func.make_interval(0, 0, 0, 0, 0, 0, patience.pause(mail.attempts)),
        )
        await note(tx, mail, "put_off", now=now, detail=_safe(outcome.reply))
        return
    state = {"sent": "sent", "unknown": "unknown"}.get(outcome.result, "failed")
    again = state == "unknown" and patience.resend_unknown
    await _set(
        tx,
        mail,
        state="scheduled" if again else state,
        attempts=attempts,
        last_error=None if state == "sent" else _safe(outcome.reply),
        claim=None,
        settled_at=None if again else now,
    )
    await note(tx, mail, state, now=now, detail=_safe(outcome.reply))
    await _tell(tx, mail.mail_id, state, now=now)


async def give_up_lost(tx: AsyncSession, *, patience: Patience, now: datetime) -> int:
    """Mails whose sender died between `take` and `settle` become unknown; returns how many.

    The claim stays, so that a sender who was only slow can still say what became of it.
    """
    lost = (await tx.execute(LOST)).scalars().all()
    again = patience.resend_unknown
    for mail_id in lost:
        mail = await tx.get_one(Mail, mail_id)
        await _set(
            tx,
            mail,
            state="scheduled" if again else "unknown",
            last_error="the sender did not come back",
            settled_at=None if again else now,
        )
        await note(tx, mail, "unknown", now=now, detail="the sender did not come back")
    return len(lost)


def _is_lead(mail: Mail, found: Sequence[Addressee]) -> bool:
    return (mail.recipient_role, mail.place) == (found[0].role, found[0].place)


async def _still_mine(tx: AsyncSession, mail: Mail, *states: str) -> bool:
    mine = select(Mail.claim).where(
        Mail.mail_id == mail.mail_id, Mail.claim == mail.claim, Mail.state.in_(states)
    )
    return (await tx.execute(mine.with_for_update())).first() is not None


async def _set(tx: AsyncSession, mail: Mail, **values: object) -> None:
    await tx.execute(
        update(Mail)
        .where(Mail.mail_id == mail.mail_id)
        .values(**values, version=Mail.version + 1)
        .execution_options(synchronize_session=False)
    )


async def _tell(tx: AsyncSession, mail_id: UUID, state: str, *, now: datetime) -> None:
    mail = await tx.get_one(Mail, mail_id, populate_existing=True)
    known = {
        "dealer_id": mail.dealer_id,
        "mail_id": str(mail.mail_id),
        "mail_kind": mail.mail_kind,
        "subject_id": mail.subject_id,
        "recipient_role": mail.recipient_role,
    }
    if state == "sent":
        event = MailSent(**known, message_id=str(mail.message_id), sent_at=now)
        await outbox.add(tx, event, now=now)
    elif state == "failed":
        await outbox.add(tx, MailFailed(**known, attempts=mail.attempts), now=now)


def _safe(reply: str) -> str:
    return reply[:500].replace("\0", "�")
