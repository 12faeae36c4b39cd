"""Ledger queries: searches for operators, the finance company and headquarters."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from notifier_service.models import Mail, MailLog
from notifier_service.rules.recipients import MailKind
from shared.clock import JST
from shared.db import EVERY_DEALER
from shared.delivery.search import Code, LedgerSearch
from shared.pending_work import WorkCount

State = Literal["scheduled", "sending", "sent", "suppressed", "failed", "unknown"]
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2999, 12, 31))]


class MailSearch(LedgerSearch):
    """What to look for; days are JST."""

    contract_no: Code | None = None
    state: State | None = None
    mail_kind: MailKind | None = None
    planned_from: Day | None = None
    planned_to: Day | None = None


async def mails_matching(tx: AsyncSession, search: MailSearch) -> Sequence[Mail]:
    """The newest first, at most `limit`."""
    chosen = _matching(search)
    place = tuple_(Mail.planned_at, Mail.mail_id)
    if search.after is not None:
        last = select(Mail.planned_at, Mail.mail_id).where(Mail.mail_id == search.after)
        chosen = chosen.where(place < last.scalar_subquery())
    newest = chosen.order_by(Mail.planned_at.desc(), Mail.mail_id.desc()).limit(search.limit)
    return (await tx.execute(newest)).scalars().all()


async def count_of_mails(tx: AsyncSession, search: MailSearch) -> int:
    """How many `mails_matching` finds on all its pages together."""
    matching = _matching(search).with_only_columns(func.count())
    return await tx.scalar(matching) or 0


def _matching(search: MailSearch) -> Select[Mail]:
    chosen = _of_days(select(Mail), search)
    for column, value in (
        (Mail.dealer_id, search.dealer_id),
        (Mail.subject_id, search.application_id),
        (Mail.contract_no, search.contract_no),
        (Mail.state, search.state),
        (Mail.mail_kind, search.mail_kind),
    ):
        if value is not None:
            chosen = chosen.where(column == value)
    return chosen


async def operators_work(tx: AsyncSession) -> list[WorkCount]:
    """Mails whose outcome is unknown, and those that failed for good."""
    kinds: tuple[tuple[State, str], ...] = (
        ("unknown", "送信結果不明のメール"),
        ("failed", "送信失敗のメール"),
    )
    return [
        WorkCount(
            key=state,
            label=label,
            count=await count_of_mails(tx, MailSearch(state=state)),
            waits=True,
            filter={"state": state},
        )
        for state, label in kinds
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


def _of_days(chosen: Select[Mail], search: MailSearch) -> Select[Mail]:
    if search.planned_from is not None:
        chosen = chosen.where(Mail.planned_at >= _midnight(search.planned_from))
    if search.planned_to is not None:
        chosen = chosen.where(Mail.planned_at < _midnight(search.planned_to + timedelta(days=1)))
    return chosen


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=JST)
