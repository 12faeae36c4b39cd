"""Joining of reminders: the lines of the ledger that leave in one mail with another, their lead.

They are leased under the lead's claim, begin to leave in its transaction, and are settled with it:
a worker that is lost leaves all of them `unknown`, like a single mail (D155).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from notifier_service.actions.schedule_reminders import REMINDER_TIMERS
from notifier_service.models import Mail

SOON = timedelta(seconds=2)
APART = timedelta(minutes=1)
DUE = text("SELECT 1 FROM timer WHERE kind = :kind AND due_at <= :now AND retry_at IS NULL LIMIT 1")


async def await_timers(tx: AsyncSession, lead: Mail, *, now: datetime) -> bool:
    """Put a reminder off while others of its kind become due at this moment; False if none do."""
    kinds = [timer for timer, kind in REMINDER_TIMERS.items() if kind == lead.mail_kind]
    if await tx.scalar(DUE, {"kind": kinds[0], "now": now}) is None:
        return False
    await release(tx, [lead], after=SOON)
    return True


async def claim_companions(
    tx: AsyncSession, lead: Mail, *, lease_s: float, most: int
) -> Sequence[Mail]:
    """Lease the due reminders of the lead's kind and group, at most `most`, under its claim."""
    due = (
        select(Mail.mail_id)
        .where(
            Mail.state == "scheduled",
            Mail.due_at <= func.clock_timestamp(),
            Mail.mail_id != lead.mail_id,
            Mail.dealer_id == lead.dealer_id,
            Mail.mail_kind == lead.mail_kind,
            Mail.recipient_role == lead.recipient_role,
            Mail.place == lead.place,
            Mail.facts["group"].as_string() == lead.facts["group"],
            Mail.copies == 0,
        )
        .order_by(Mail.planned_at, Mail.mail_id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    claimed = (
        update(Mail)
        .where(Mail.mail_id.in_((await tx.scalars(due)).all()))
        .values(
            claim=lead.claim,
            attempts=Mail.attempts + 1,
            due_at=func.clock_timestamp() + timedelta(seconds=lease_s),
        )
        .returning(Mail)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    found = (await tx.scalars(claimed)).all()
    return sorted(found, key=lambda mail: (mail.planned_at, mail.mail_id))


async def release(
    tx: AsyncSession, mails: Sequence[Mail], *, after: timedelta = timedelta()
) -> None:
    """Give leased mails back as if they had not been claimed."""
    await tx.execute(
        update(Mail)
        .where(
            Mail.mail_id.in_([mail.mail_id for mail in mails]),
            Mail.state == "scheduled",
            Mail.claim.in_({mail.claim for mail in mails}),
        )
        .values(claim=None, attempts=Mail.attempts - 1, due_at=func.clock_timestamp() + after)
        .execution_options(synchronize_session=False)
    )


async def companions_of(tx: AsyncSession, lead: Mail) -> Sequence[Mail]:
    """The lines that left in one mail with the lead; those that did not are given back."""
    others = await tx.scalars(
        select(Mail)
        .where(Mail.claim == lead.claim, Mail.mail_id != lead.mail_id)
        .order_by(Mail.mail_id)
    )
    found = others.all()
    if kept := [mail for mail in found if mail.state == "scheduled"]:
        await release(tx, kept)
    return [mail for mail in found if mail.state == "sending"]
