"""Ledger queries: searches for operators, the finance company and headquarters."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from notifier_service.models import Mail, MailLog
from shared.clock import JST
from shared.db import EVERY_DEALER
from shared.pending_work import WorkCount


@dataclass(frozen=True, slots=True)
class MailFilter:
    """Search terms; None leaves a field open. Days are JST; `after` is the last mail seen."""

    dealer_id: str = EVERY_DEALER
    application_id: str | None = None
    contract_no: str | None = None
    state: str | None = None
    mail_kind: str | None = None
    planned_from: date | None = None
    planned_to: date | None = None
    after: UUID | None = None
    limit: int = 50


async def mails_matching(tx: AsyncSession, wanted: MailFilter) -> Sequence[Mail]:
    """The newest first, at most `limit`."""
    chosen = _matching(wanted)
    place = tuple_(Mail.planned_at, Mail.mail_id)
    if wanted.after is not None:
        last = select(Mail.planned_at, Mail.mail_id).where(Mail.mail_id == wanted.after)
        chosen = chosen.where(place < last.scalar_subquery())
    newest = chosen.order_by(Mail.planned_at.desc(), Mail.mail_id.desc()).limit(wanted.limit)
    return (await tx.execute(newest)).scalars().all()


async def count_of_mails(tx: AsyncSession, wanted: MailFilter) -> int:
    """How many `mails_matching` finds on all its pages together."""
    matching = _matching(wanted).with_only_columns(func.count())
    return await tx.scalar(matching) or 0


def _matching(wanted: MailFilter) -> Select[Mail]:
    chosen = _of_days(select(Mail), wanted)
    if wanted.dealer_id != EVERY_DEALER:
        chosen = chosen.where(Mail.dealer_id == wanted.dealer_id)
    for column, value in (
        (Mail.subject_id, wanted.application_id),
        (Mail.contract_no, wanted.contract_no),
        (Mail.state, wanted.state),
        (Mail.mail_kind, wanted.mail_kind),
    ):
        if value is not None:
            chosen = chosen.where(column == value)
    return chosen


async def operators_work(tx: AsyncSession) -> list[WorkCount]:
    """Mails whose outcome is unknown, and those that failed for good."""
    return [
        WorkCount(
            key=state,
            label=label,
            count=await count_of_mails(tx, MailFilter(state=state)),
            waits=True,
            filter={"state": state},
        )
        for state, label in (("unknown", "送信結果不明のメール"), ("failed", "送信失敗のメール"))
    ]


async def mail_of(tx: AsyncSession, mail_id: UUID, dealer_id: str) -> Mail | None:
    """One mail, if it is of the dealer, or of any for EVERY_DEALER."""
    chosen = select(Mail).where(Mail.mail_id == mail_id)
    if dealer_id != EVERY_DEALER:
        chosen = chosen.where(Mail.dealer_id == dealer_id)
    return (await tx.execute(chosen)).scalar_one_or_none()


async def mails_in_flight(tx: AsyncSession) -> tuple[int, datetime | None]:
    """The number of mails not settled, and since when the oldest waits."""
    waiting = select(func.count(), func.min(Mail.planned_at)).where(
        Mail.state.in_(("scheduled", "sending"))
    )
    count, oldest = (await tx.execute(waiting)).one()
    return count, oldest


async def history_of(tx: AsyncSession, mail_id: UUID) -> Sequence[MailLog]:
    """What happened to a mail, the oldest first."""
    steps = select(MailLog).where(MailLog.mail_id == mail_id).order_by(MailLog.mail_log_id)
    return (await tx.execute(steps)).scalars().all()


def _of_days(chosen: Select[Mail], wanted: MailFilter) -> Select[Mail]:
    if wanted.planned_from is not None:
        chosen = chosen.where(Mail.planned_at >= _midnight(wanted.planned_from))
    if wanted.planned_to is not None:
        chosen = chosen.where(Mail.planned_at < _midnight(wanted.planned_to + timedelta(days=1)))
    return chosen


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=JST)
