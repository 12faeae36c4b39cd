"""Joining of reminders: the lines of the ledger that leave in one mail with another, their lead.

They are leased under the lead's claim, begin to leave in its transaction, and are settled with it:
a worker that is lost leaves all of them `unknown`, like a single mail (D155).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from notifier_service.actions.schedule_reminders import REMINDER_TIMERS
from notifier_service.models import Mail

SOON = timedelta(seconds=3)
"""Reminders that were put off for each other join although they are not due again yet."""
A_MOMENT = timedelta(seconds=1)
APART = timedelta(minutes=1)
DUE = text("SELECT 1 FROM timer WHERE kind = :kind AND due_at <= :now AND retry_at IS NULL LIMIT 1")
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:group, 0))")


async def claim_companions(
    tx: AsyncSession, lead: Mail, *, lease_s: float, most: int, now: datetime
) -> Sequence[Mail] | None:
    """Lease the reminders that may leave with the lead, at most `most`, under its claim.

    None puts the lead off: others of its kind fall due at this moment, or another lane has one of
    its group. Lanes of a group take turns, and the last of them finds all the others free.
    """
    await tx.execute(ONE_AT_A_TIME, {"group": f"{lead.mail_kind}/{lead.facts['group']}"})
    if await _timers_are_due(tx, lead, now) or await _is_shared(tx, lead):
        await release(tx, [lead], after=A_MOMENT)
        return None
    clock = func.clock_timestamp()
    free = or_(Mail.due_at <= clock, (Mail.claim.is_(None)) & (Mail.due_at <= clock + SOON))
    due = (
        select(Mail.mail_id)
        .where(*_of_group(lead), free)
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
            due_at=clock + timedelta(seconds=lease_s),
        )
        .returning(Mail)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    found = (await tx.scalars(claimed)).all()
    return sorted(found, key=lambda mail: (mail.planned_at, mail.mail_id))


async def _timers_are_due(tx: AsyncSession, lead: Mail, now: datetime) -> bool:
    [timer] = [timer for timer, kind in REMINDER_TIMERS.items() if kind == lead.mail_kind]
    return await tx.scalar(DUE, {"kind": timer, "now": now}) is not None


async def _is_shared(tx: AsyncSession, lead: Mail) -> bool:
    leased = Mail.claim.is_not(None), Mail.due_at > func.clock_timestamp()
    return (
        await tx.scalar(select(Mail.mail_id).where(*_of_group(lead), *leased).limit(1)) is not None
    )


def _of_group(lead: Mail) -> tuple[ColumnElement[bool], ...]:
    return (
        Mail.state == "scheduled",
        Mail.mail_id != lead.mail_id,
        Mail.dealer_id == lead.dealer_id,
        Mail.mail_kind == lead.mail_kind,
        Mail.recipient_role == lead.recipient_role,
        Mail.place == lead.place,
        Mail.facts["group"].as_string() == lead.facts["group"],
        Mail.copies == 0,
    )


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
