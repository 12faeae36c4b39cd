"""Joining of reminders: the lines of the ledger that leave in one mail with another, their lead.

They are leased under the lead's claim, begin to leave in its transaction, and are settled with it:
a worker that is lost leaves all of them `unknown`, like a single mail (D155).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

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


async def lock_group(tx: AsyncSession, lead: Mail) -> None:
    """Let no other lane lock several lines of the lead's group until the commit."""
    await tx.execute(ONE_AT_A_TIME, {"group": f"{lead.mail_kind}/{lead.facts['group']}"})


async def claim_companions(
    tx: AsyncSession, lead: Mail, *, lease_s: float, most: int, now: datetime
) -> Sequence[Mail] | None:
    """Lease the reminders that may leave with the lead, at most `most`, under its claim.

    None puts the lead off: others of its kind fall due at this moment, or another lane has one of
    its group. Lanes of a group take turns, and the last of them finds all the others free.
    """
    await lock_group(tx, lead)
    complete = not await _timers_are_due(tx, lead, now)
    others = await _others_of_group(tx, lead) if complete else []
    if not complete or any(leased for _, leased in others):
        await release(tx, [lead], after=A_MOMENT)
        return None
    claimed = (
        update(Mail)
        .where(Mail.mail_id.in_([mail_id for mail_id, _ in others[:most]]))
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


async def _timers_are_due(tx: AsyncSession, lead: Mail, now: datetime) -> bool:
    [timer] = [timer for timer, kind in REMINDER_TIMERS.items() if kind == lead.mail_kind]
    return await tx.scalar(DUE, {"kind": timer, "now": now}) is not None


async def _others_of_group(tx: AsyncSession, lead: Mail) -> list[tuple[UUID, bool]]:
    """The others that are due or leased, locked: id, and whether another lane has it.

    A line that a lane is claiming at this moment is waited for, so that it counts as leased.
    """
    clock = func.clock_timestamp()
    leased = (Mail.claim.is_not(None)) & (Mail.due_at > clock)
    found = await tx.execute(
        select(Mail.mail_id, leased)
        .where(*_of_group(lead), or_(leased, Mail.due_at <= clock + SOON))
        .order_by(Mail.planned_at, Mail.mail_id)
        .with_for_update()
    )
    return [(mail_id, held) for mail_id, held in found]


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
    """Give leased mails of one group back as if they had not been claimed."""
    await lock_group(tx, mails[0])
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
