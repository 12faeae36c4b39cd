"""Mail log API: which mails were sent to whom, and the resend of one.

Operators and the finance company see every dealer's mails, headquarters those of its own dealer.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from notifier_service.actions.resend_mail import resend_mail
from notifier_service.models import Mail, MailLog
from notifier_service.queries import MailSearch, State, history_of, mail_of, mails_matching
from notifier_service.rules.manual_resend import MailNotDue, MailUnderway, refused_resend
from notifier_service.rules.recipients import MailKind, Suppression
from shared.auth import Principal, Role, require
from shared.clock import Clock
from shared.db import EVERY_DEALER
from shared.delivery.search import LedgerStep, ResendOffer
from shared.http import (
    NotFound,
    clock_of,
    database_of,
    etag,
    expected_version,
    transaction_of,
)
from shared.refusals import refuses
from shared.trace_context import set_actor

router = APIRouter()

SEES_ALL = (Role.OPERATOR, Role.TFC)
Reader = Annotated[Principal, require(*SEES_ALL, Role.HQ)]
Resender = Annotated[Principal, require(*SEES_ALL)]

STATE_NAMES: dict[str, str] = {
    "scheduled": "送信待ち",
    "sending": "送信中",
    "sent": "送信済み",
    "suppressed": "送信対象外",
    "failed": "送信失敗",
    "unknown": "送信結果不明",
}
ROLE_NAMES = {
    "originator": "起票者",
    "store_approver": "店舗承認者",
    "hq_approver": "本部承認者",
    "applicant": "申請者",
    "administrator": "管理者",
    "approver": "承認者",
}


class MailLine(BaseModel):
    """A mail as the list shows it."""

    mail_id: UUID
    dealer_id: str
    mail_kind: str
    mail_kind_japanese: str
    application_id: str
    contract_no: str
    recipient_role: str
    recipient_role_japanese: str
    address: str | None
    state: State
    state_japanese: str
    reason: str | None
    reason_japanese: str | None
    attempts: int
    last_error: str | None
    planned_at: datetime
    settled_at: datetime | None
    version: int
    resend: ResendOffer


class Step(LedgerStep):
    """One thing that happened to a mail; `actor` where a person did it."""

    detail: str | None


class MailPage(BaseModel):
    """Some of the mails, the newest first; `next` goes into `after` for the following ones."""

    mails: list[MailLine]
    next: UUID | None


class WholeMail(MailLine):
    """A mail as it was, or will be, sent; the text is None until an attempt was made."""

    message_id: str | None
    subject: str | None
    body: str | None
    history: list[Step]


async def reading(request: Request, who: Reader) -> AsyncIterator[AsyncSession]:
    """The transaction of a person who reads."""
    async for tx in transaction_of(database_of(request), _scope(who)):
        yield tx


async def resending(request: Request, who: Resender) -> AsyncIterator[AsyncSession]:
    """The transaction of a person who has a mail sent again."""
    async for tx in transaction_of(database_of(request), _scope(who)):
        yield tx


Reading = Annotated[AsyncSession, Depends(reading, scope="function")]
Resending = Annotated[AsyncSession, Depends(resending, scope="function")]


@router.get("/mails")
async def search_mails(
    who: Reader, tx: Reading, search: Annotated[MailSearch, Query()]
) -> MailPage:
    """The mails that fit all that is given, the newest first."""
    found = await mails_matching(tx, search.within(_scope(who)))
    more = len(found) == search.limit
    return MailPage(mails=[_line(m) for m in found], next=found[-1].mail_id if more else None)


@router.get("/mails/{mail_id}")
@refuses(NotFound)
async def read_mail(mail_id: UUID, who: Reader, tx: Reading, response: Response) -> WholeMail:
    """One mail with its text and all that happened to it."""
    mail = await mail_of(tx, mail_id, _scope(who))
    if mail is None:
        raise NotFound
    response.headers.update(etag(mail.version))
    return await _whole(tx, mail)


@router.post("/mails/{mail_id}/resend", operation_id="resend_mail")
@refuses(NotFound, MailUnderway, MailNotDue)
async def resend(  # noqa: PLR0913, PLR0917  dependencies are arguments
    mail_id: UUID,
    who: Resender,
    tx: Resending,
    clock: Annotated[Clock, Depends(clock_of)],
    version: Annotated[int, Depends(expected_version)],
    response: Response,
) -> WholeMail:
    """Have a mail sent again; If-Match names the version that the person saw."""
    set_actor(who.person_id)
    mail = await resend_mail(tx, mail_id, expected_version=version, now=clock.now())
    response.headers.update(etag(mail.version))
    return await _whole(tx, mail)


def _scope(who: Principal) -> str:
    """The one dealer whose mails this person sees, or EVERY_DEALER."""
    return EVERY_DEALER if who.has(*SEES_ALL) else who.dealer or ""


async def _whole(tx: AsyncSession, mail: Mail) -> WholeMail:
    history = [_step(entry) for entry in await history_of(tx, mail.mail_id)]
    return WholeMail(
        **_line(mail).model_dump(),
        message_id=mail.message_id,
        subject=mail.subject,
        body=mail.body,
        history=history,
    )


def _line(mail: Mail) -> MailLine:
    return MailLine(
        mail_id=mail.mail_id,
        dealer_id=mail.dealer_id,
        mail_kind=mail.mail_kind,
        mail_kind_japanese=MailKind(mail.mail_kind).label_ja,
        application_id=mail.subject_id,
        contract_no=mail.contract_no,
        recipient_role=mail.recipient_role,
        recipient_role_japanese=ROLE_NAMES[mail.recipient_role],
        address=mail.address,
        state=mail.state,
        state_japanese=STATE_NAMES[mail.state],
        reason=mail.reason,
        reason_japanese=Suppression(mail.reason).label_ja if mail.reason else None,
        attempts=mail.attempts,
        last_error=mail.last_error,
        planned_at=mail.planned_at,
        settled_at=mail.settled_at,
        version=mail.version,
        resend=ResendOffer.of(refused_resend(mail.state, mail.reason)),
    )


def _step(entry: MailLog) -> Step:
    return Step(happened_at=entry.at, step=entry.action, actor=entry.actor, detail=entry.detail)
